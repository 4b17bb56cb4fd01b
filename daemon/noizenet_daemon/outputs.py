"""Outputs that need no sound card: `null` and a file. Each reads the ring at the pace of the wall clock."""

import logging
import threading
import time
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from noizenet.errors import NoizeNetError
from noizenet.wave_file import WaveFile
from noizenet_daemon.ring import Ring

Array = NDArray[Any]
_log = logging.getLogger("noizenet.output")


class Output(Protocol):
    """Where the sound goes. `start` once the ring holds sound; `stop` when its gate has closed.

    Attributes:
        name: what to call it in a sentence.
        latency_s: time from the ring to the ear.
    """

    name: str
    latency_s: float

    def start(self) -> None: ...
    def is_alive(self) -> bool: ...
    def stop(self) -> None: ...


class PacedOutput:
    """Reads the ring in real time on a thread of its own, "output"."""

    latency_s = 0.0
    name = "null"

    def __init__(self, ring: Ring, sample_rate: int, block_frames: int) -> None:
        self._ring = ring
        self._sample_rate = sample_rate
        self._block: Array = np.zeros((block_frames, ring.channels), np.float32)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="output", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def is_alive(self) -> bool:
        return self._thread.is_alive()

    def stop(self) -> None:
        self._stopping.set()
        if self._thread.ident is not None:
            self._thread.join()

    def _run(self) -> None:
        start = time.monotonic()
        taken = 0
        block_s = len(self._block) / self._sample_rate
        while not self._stopping.wait(max(0.0, start + taken / self._sample_rate + block_s - time.monotonic())):
            taken += self.take()

    def take(self) -> int:
        """Reads one block as a sound card does, what is missing as silence; returns the frames it stands for."""
        self._ring.read(self._block)
        return len(self._block)


class NullOutput(PacedOutput):
    """Plays to nowhere, at the pace of a sound card; counts underruns as one does."""


class FileOutput(PacedOutput):
    """Writes what would be heard to a WAV file. A file can wait, so a late engine leaves no gap in it."""

    def __init__(self, ring: Ring, sample_rate: int, block_frames: int, path: Path, most_frames: int | None) -> None:
        """Args:
            most_frames: the file ends after so many frames; None = when the daemon does.

        Raises:
            InputFileError: the file can't be written.
        """
        super().__init__(ring, sample_rate, block_frames)
        self.name = str(path)
        self._left = most_frames
        self._file = WaveFile(path, sample_rate, ring.channels)

    def take(self) -> int:
        count = min(len(self._block), self._ring.filled)
        if count == 0:
            return len(self._block)
        part = self._block[:count]
        self._ring.read(part)
        if self._left is not None:
            part = part[: self._left]
            self._left -= len(part)
        try:
            self._file.write(part[: self._file.room])
        except NoizeNetError as error:  # the daemon plays on, to remote listeners
            _log.error("the file ends: %s", error)
            self._left = 0
        return count

    def stop(self) -> None:
        super().stop()
        self._file.close()
