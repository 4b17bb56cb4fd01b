"""A generator that plays a known tone: what sources, voices and performances do to a sound can be measured on it."""

from types import SimpleNamespace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


class ToneGenerator:
    """Stands in for `noizenet_daemon.generator.Generator`. Its state knows how many samples it has played."""

    def __init__(self, frequency: float = 440.0, sample_rate: int = 48000, amplitude: float = 0.5) -> None:
        self.frequency = frequency
        self.sample_rate = sample_rate
        self.amplitude = amplitude
        self.chunk_frames = 64
        self.channels = self.together = 1
        self.gains_from_threads = True

    def new_state(self) -> Any:
        return SimpleNamespace(played=0, guard=SimpleNamespace(counts=np.zeros(3, np.int64)))

    def controls(self, values: dict[str, Any]) -> Any:  # noqa: ARG002
        return None

    def generate(self, state: Any, controls: Any, out: Array) -> None:  # noqa: ARG002
        time = (state.played + np.arange(len(out))) / self.sample_rate
        out[:] = self.amplitude * np.cos(2 * np.pi * self.frequency * time)[:, None]
        state.played += len(out)
