"""The second ring: what is made also goes to remote listeners and recordings, on a thread of its own.

A slow disk or network never holds up the engine: if this ring is full, blocks are left out and counted, and the
positions that listeners see jump by as much.
"""

import contextlib
import logging
import os
import threading
from collections import deque
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from noizenet.errors import ControlError, NoizeNetError
from noizenet.wave_file import WaveFile
from noizenet_daemon.ring import Ring

Array = NDArray[Any]
_log = logging.getLogger("noizenet.broadcast")
ROOM_S = 4.0


class Publisher(Protocol):
    """Sends blocks to remote listeners; see `noizenet_daemon.zeromq.AudioPublisher`."""

    def send(self, position: int, samples: Array) -> None: ...


class Broadcast:
    """A ring, and the thread "broadcast" that empties it.

    `write` belongs to the engine's thread; the rest may be called from any.

    Attributes:
        dropped: frames left out because the ring was full.
    """

    def __init__(self, sample_rate: int, channels: int, block_frames: int, publisher: Publisher | None) -> None:
        self.dropped = 0
        self._sample_rate = sample_rate
        room = max(round(ROOM_S * sample_rate), 4 * block_frames)
        self._ring = Ring(room, channels, room, 1)
        self._block: Array = np.zeros((block_frames, channels), np.float32)
        self._publisher = publisher
        self._written = 0
        self._skips: deque[tuple[int, int]] = deque()
        self._position = 0
        self._recording: WaveFile | None = None
        self._recorded = 0
        self._lock = threading.Lock()  # around the recording
        self._ready = threading.Semaphore(0)
        self._stopping = False
        self._thread = threading.Thread(target=self._run, name="broadcast", daemon=True)
        self._thread.start()

    def write(self, block: Array) -> None:
        """Adds a block of `block_frames`, or counts it as dropped."""
        if self._ring.write(block):
            self._written += len(block)
            self._ready.release()
        else:
            self.dropped += len(block)
            self._skips.append((self._written, len(block)))

    def start_recording(self, path: Path) -> None:
        """Begins a new WAV file with the next block.

        Raises:
            ControlError: a recording is running, or the file exists.
            InputFileError: the file can't be written.
        """
        with self._lock:
            if self._recording is not None:
                raise ControlError(f"{self._recording.path} is being recorded: send record/stop first")
            if os.path.exists(path):  # unlike Path.exists, it raises nothing, however odd the name
                raise ControlError(f"{path} exists: choose another name")
            self._recording = WaveFile(path, self._sample_rate, self._ring.channels)
            self._recorded = 0

    def stop_recording(self) -> tuple[Path, float]:
        """Closes the recording and returns its path and seconds.

        Raises:
            ControlError: nothing is being recorded.
        """
        with self._lock:
            if self._recording is None:
                raise ControlError("nothing is being recorded")
            recording, self._recording = self._recording, None
            recording.close()
            return recording.path, self._recorded / self._sample_rate

    def close(self) -> None:
        """Sends what is left, closes a recording, and ends the thread."""
        self._stopping = True
        self._ready.release()
        self._thread.join()
        if self._recording is not None:
            self.stop_recording()

    def _run(self) -> None:
        while True:
            self._ready.acquire()
            if self._ring.filled == 0:
                if self._stopping:
                    return
                continue
            while self._skips and self._skips[0][0] <= self._ring.read_position:
                self._position += self._skips.popleft()[1]
            self._ring.read(self._block)
            if self._publisher is not None:
                self._publisher.send(self._position, self._block)
            self._position += len(self._block)
            self._record()
            if self._stopping:
                self._ready.release()  # once more, until the ring is empty

    def _record(self) -> None:
        with self._lock:
            if self._recording is None:
                return
            try:
                self._recording.write(self._block[: self._recording.room])
                self._recorded += len(self._block)
            except NoizeNetError as error:
                _log.error("the recording ends: %s", error)
                with contextlib.suppress(NoizeNetError):
                    self._recording.close()
                self._recording = None
