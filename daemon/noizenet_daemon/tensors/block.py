"""A block of steps of so many voices: fixed places in memory are filled, the work is done, and the places are read.

On a GPU the work is captured as one CUDA graph when the block is made, and replayed from then on; on a CPU the same
functions are called. In either case nothing but the places' contents differs from one call to the next, so that knobs
may be turned without a new capture.

On a GPU both copies are asynchronous and the processor waits once, at the end. Two sets of places, by turns, would gain
nothing: the next block needs what the host makes of this one, whose state the quarantine may roll back.

Threads. A block may be played from any thread, by one at a time.
"""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor

from noizenet.network import NetworkShape
from noizenet_daemon.kernels.networks import NetworkState
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.tensors.voices import Buffers, Voices

Array = NDArray[Any]
Work = Callable[[Voices[Tensor], Tensor, Tensor], None]
REHEARSALS = 2  # before a capture: libraries allocate at their first calls, which can't be captured


class Block:
    """`count` steps of `voices` voices."""

    def __init__(self, work: Work, shape: NetworkShape, voices: int, count: int, device: torch.device) -> None:
        """Args:
        work: takes voices, controls and steps as `Buffers` has them, and changes them in place; a method of `Steps`.
        """
        self._buffers = Buffers(shape, voices, count, device)
        self._playing = threading.Lock()
        self._replay: Callable[[], None] = lambda: work(*self._places)
        # a stream, and with it the libraries' workspaces, of its own: other threads may play other blocks meanwhile
        self._stream = torch.cuda.Stream(device) if device.type == "cuda" else None  # type: ignore[no-untyped-call]
        if self._stream is not None:
            self._replay = self._captured(self._stream)

    @property
    def _places(self) -> tuple[Voices[Tensor], Tensor, Tensor]:
        return self._buffers.voices, self._buffers.controls, self._buffers.steps

    def play(self, states: Sequence[NetworkState], controls: Sequence[Controls], steps: Sequence[Array]) -> None:
        """Moves the states of all voices on by the block.

        Args:
            controls: one for each voice, or none where nothing is drawn.
            steps: (count, width) of each voice: what it hears, and then what was put out.
        """
        with self._playing, torch.inference_mode(), torch.cuda.stream(self._stream):
            self._buffers.fill(states, controls, steps)
            self._buffers.send()
            self._replay()
            self._buffers.fetch()
            if self._stream is not None:
                self._stream.synchronize()
            self._buffers.hand_out(states, steps)

    def _captured(self, stream: torch.cuda.Stream) -> Callable[[], None]:
        """Returns what replays the work, captured as a CUDA graph."""
        graph = torch.cuda.CUDAGraph()
        with torch.inference_mode():
            stream.wait_stream(torch.cuda.current_stream(stream.device))  # where weights and tables are still under way
            with torch.cuda.stream(stream):
                for _ in range(REHEARSALS):
                    self._replay()
                stream.synchronize()
            # "thread_local": the engine's thread may be replaying another block at the same time
            with torch.cuda.graph(graph, stream=stream, capture_error_mode="thread_local"):
                self._replay()
        return graph.replay
