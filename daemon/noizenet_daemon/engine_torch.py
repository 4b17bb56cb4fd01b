"""Engines `torch` and `cuda`: a network's steps as functions of tensors, see `noizenet_daemon.tensors`.

`torch` calls them one by one on the CPU: the reference that the kernels are tested against, and slow. `cuda` captures
blocks of them as CUDA graphs and replays those, all voices at once. Both keep the states where `NumbaEngine` does, on
the host, and copy them there and back with each block, some kilobytes a voice: codec, memory, quarantine and commands
read and change them between two blocks, as they do with the kernels.

A block is made of captured pieces of two lengths, so that few captures play any length.
"""

import threading
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.errors import DeviceError
from noizenet_daemon.kernels.networks import NetworkState
from noizenet_daemon.kernels.noise import OFF, Controls
from noizenet_daemon.tensors.block import Block
from noizenet_daemon.tensors.stepping import Steps

Array = NDArray[Any]
WorkName = Literal["run", "run_fully", "listen", "predict"]
LENGTHS = (128, 1)  # steps of a piece: a block of samples, or of the codec `tokens`


class TorchEngine:
    """A network's weights on a device; same interface and same states as `NumbaEngine`. Any thread may use it."""

    def __init__(self, checkpoint: Checkpoint, device: Literal["cpu", "cuda"] = "cpu") -> None:
        """Raises DeviceError if there is no such device."""
        if device == "cuda" and not torch.cuda.is_available():
            raise DeviceError(
                f"the engine cuda needs a GPU, and PyTorch {torch.__version__} finds none that it can use: "
                "choose the engine numba"
            )
        self.shape = checkpoint.network
        self._device = torch.device(device)
        weights = {name: torch.from_numpy(array).to(self._device) for name, array in checkpoint.weights.items()}
        self._steps = Steps(self.shape, weights, self._device)
        self._blocks: dict[tuple[WorkName, int, int], Block] = {}
        self._making = threading.Lock()

    def run(self, state: NetworkState, controls: Controls, out: Array) -> None:
        """Generates steps into `out`: codes int32 (n, stages) or features float32 (n, features)."""
        self.run_together([state], [controls], [out])

    def run_together(self, states: Sequence[NetworkState], controls: Sequence[Controls], outs: Sequence[Array]) -> None:
        """Generates steps of several voices, each as `run` does, all of one length."""
        asks_for_more = any((one.noise > 0.0 and one.mode != OFF) or one.top_p < 1.0 for one in controls)
        self._play("run_fully" if asks_for_more else "run", states, controls, outs)

    def together(self, voices: int) -> "VoicesTogether":
        """Returns what steps so many voices at once."""
        return VoicesTogether(self, voices)

    def listen(self, state: NetworkState, steps: Array) -> None:
        """Hears given steps, as if the network had just put them out."""
        if not self.shape.frame and len(steps):  # the network takes in each step with the next: the first replaces
            state.last[:] = steps[0]
            steps = steps[1:]
        self._play("listen", [state], [], [steps.copy()])

    def predict(self, state: NetworkState, steps: Array, out: Array) -> None:
        """Hears given steps, and writes what it had expected in the place of each into `out`, of the same kind."""
        out[:] = steps
        self._play("predict", [state], [], [out])

    def _play(
        self, work: WorkName, states: Sequence[NetworkState], controls: Sequence[Controls], steps: Sequence[Array]
    ) -> None:
        start, count = 0, len(steps[0])
        while start < count:
            length = next(length for length in LENGTHS if start + length <= count)
            self._block(work, len(states), length).play(
                states, controls, [one[start : start + length] for one in steps]
            )
            start += length

    def _block(self, work: WorkName, voices: int, length: int) -> Block:
        """Returns the block of a kind, made at its first use."""
        key = work, voices, length
        if key in self._blocks:  # without the lock: what is played isn't held up by what another thread captures
            return self._blocks[key]
        with self._making:
            if key not in self._blocks:
                with torch.inference_mode():
                    self._blocks[key] = Block(getattr(self._steps, work), self.shape, voices, length, self._device)
            return self._blocks[key]


@dataclass(frozen=True)
class VoicesTogether:
    """An engine, for so many voices at once."""

    engine: TorchEngine
    together: int

    def run(self, states: Sequence[NetworkState], controls: Sequence[Controls], outs: Sequence[Array]) -> None:
        """Generates steps of all of them, each as `TorchEngine.run` does."""
        self.engine.run_together(states, controls, outs)
