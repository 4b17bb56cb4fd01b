"""The states of several voices as tensors, and how they, the controls and the steps get to the device and back.

All that a block needs and leaves lies in one piece of memory, on the host and on the device: two copies move it, and
neither end ever moves, as a CUDA graph asks for. The host's piece is pinned where the device is a GPU, so that its
copies go on by themselves.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Generic, NamedTuple, TypeVar

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from noizenet.network import NetworkShape
from noizenet_daemon.engine_numba import new_network_state
from noizenet_daemon.kernels.networks import NetworkState
from noizenet_daemon.kernels.noise import Controls

Array = NDArray[Any]
T = TypeVar("T")
ALIGNMENT = 256  # bytes; what CUDA aligns memory to


class Voices(NamedTuple, Generic[T]):
    """What V voices remember, as `NetworkState` states it; as tensors, or as arrays; changed in place.

    Attributes:
        hidden: float32 (V, L, H).
        cell: float32 (V, rows, H): see `kernels.cells.CellState`.
        position, steps, place: int64 (V, 1).
        last: int32 (V, S) or float32 (V, F).
        rng: the words of `kernels.rng`, int64 (V, 5).
        pink: float32 (V, units, POLES).
        history: float64 (V, LAGS); runs: int64 (V, LAGS).
        recent: int32 (V, span); told: float32 (V, F, K); both empty but of two tiers.
    """

    hidden: T
    cell: T
    position: T
    last: T
    rng: T
    pink: T
    steps: T
    history: T
    runs: T
    recent: T
    place: T
    told: T


def arrays_of_voice(state: NetworkState) -> Voices[Array]:
    """Returns the arrays that one voice is known by, without the axis V; they are the state's own."""
    cells, tiers = state.cells, state.tiers
    return Voices(
        cells.hidden,
        cells.cell,
        cells.position,
        state.last,
        state.rng.view(np.int64),  # there is next to no arithmetic on uint64 in PyTorch
        state.pink,
        state.steps,
        state.history,
        state.runs,
        tiers.recent,
        tiers.place,
        tiers.told,
    )


class Buffers:
    """Room for the same block of V voices on the host and on a device. Used by one thread at a time.

    Attributes:
        voices: their states, on the device.
        controls: a row of `Controls` for each voice, float64 (V, 10), on the device.
        steps: int32 or float32 (V, n, width), on the device: going in what is heard, coming back what is put out.
    """

    def __init__(self, shape: NetworkShape, voices: int, count: int, device: torch.device) -> None:
        """Args:
        voices, count: V and n.
        """
        example = arrays_of_voice(new_network_state(shape, 0))
        sizes: list[tuple[np.dtype[Any], tuple[int, ...]]] = [(np.dtype(np.float64), (voices, len(Controls._fields)))]
        sizes += [(example.last.dtype, (voices, count, len(example.last)))]
        sizes += [(array.dtype, (voices, *array.shape)) for array in example]
        lengths = [-(-int(np.prod(size)) * kind.itemsize // ALIGNMENT) * ALIGNMENT for kind, size in sizes]
        self._host = torch.zeros(sum(lengths), dtype=torch.uint8, pin_memory=device.type == "cuda")
        self._device = torch.zeros(sum(lengths), dtype=torch.uint8, device=device)
        on_host = [part.numpy() for part in _parts(self._host, sizes, lengths)]
        self._controls, self._steps, self._voices = on_host[0], on_host[1], Voices(*on_host[2:])
        self.controls, self.steps, *states = _parts(self._device, sizes, lengths)
        self.voices = Voices(*states)

    def fill(self, states: Sequence[NetworkState], controls: Sequence[Controls], steps: Sequence[Array]) -> None:
        """Takes in the states of the voices, their controls, if there are any, and what they hear or will put out."""
        for voice, (state, one) in enumerate(zip(states, steps, strict=True)):
            self._steps[voice] = one
            for room, array in zip(self._voices, arrays_of_voice(state), strict=True):
                room[voice] = array
        if controls:
            self._controls[:] = controls

    def send(self) -> None:
        """Starts the copy to the device."""
        self._device.copy_(self._host, non_blocking=True)

    def fetch(self) -> None:
        """Starts the copy from the device."""
        self._host.copy_(self._device, non_blocking=True)

    def hand_out(self, states: Sequence[NetworkState], steps: Sequence[Array]) -> None:
        """Writes what came back into the states of the voices, and what they put out into `steps`."""
        for voice, (state, one) in enumerate(zip(states, steps, strict=True)):
            one[:] = self._steps[voice]
            for room, array in zip(self._voices, arrays_of_voice(state), strict=True):
                array[...] = room[voice]


def _parts(memory: Tensor, sizes: Any, lengths: list[int]) -> Iterator[Tensor]:
    """Yields the arrays that lie in `memory`, uint8, one after the other."""
    kinds = {"float64": torch.float64, "float32": torch.float32, "int64": torch.int64, "int32": torch.int32}
    start = 0
    for (kind, size), length in zip(sizes, lengths, strict=True):
        count = int(np.prod(size)) * kind.itemsize
        yield memory[start : start + count].view(kinds[kind.name]).view(size)
        start += length
