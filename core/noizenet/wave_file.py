"""A WAV file that is whole at any moment, even if the process is killed while it is being written."""

import errno
import os
import struct
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from noizenet.errors import InputFileError

FLOAT = 3  # the format tag of IEEE floats. Source: Multimedia Programming Interface 1.0, RIFF WAVE
HEADER = struct.Struct("<4sI4s4sIHHIIHHH4sII4sI")
LARGEST_DATA = 0xFFFFFFFF - HEADER.size  # bytes: the header counts in 32 bits
HEADER_EVERY_S = 0.5  # of sound; a killed process loses no more than that


class WaveFile:
    """A new WAV file of 32-bit floats: the samples of the stream, unchanged."""

    def __init__(self, path: Path, sample_rate: int, channels: int) -> None:
        """Opens the file, over any older one of that name.

        Raises:
            InputFileError: it can't be written there.
        """
        self.path = path
        self._sample_rate = sample_rate
        self._channels = channels
        self._frames = 0
        self._frames_in_header = 0
        try:
            self._file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o644)
        except OSError as error:
            raise unwritable(path, error) from error
        self._write_header()

    @property
    def room(self) -> int:
        """Frames that still fit."""
        return LARGEST_DATA // (4 * self._channels) - self._frames

    def write(self, samples: NDArray[np.float32]) -> None:
        """Appends float32 (frames, channels), of at most `room` frames.

        Raises:
            InputFileError: the disk is full or failing; what was written before stays readable.
        """
        self._put(samples.astype("<f4", copy=False).tobytes(), HEADER.size + self._frames * 4 * self._channels)
        self._frames += len(samples)
        if self._frames - self._frames_in_header >= HEADER_EVERY_S * self._sample_rate:
            self._write_header()

    def close(self) -> None:
        """Completes the header and closes the file."""
        try:
            self._write_header()
            os.ftruncate(self._file, HEADER.size + self._frames * 4 * self._channels)
        finally:
            os.close(self._file)

    def _write_header(self) -> None:
        width = 4 * self._channels
        size = self._frames * width
        rate = self._sample_rate
        header = HEADER.pack(
            *(b"RIFF", HEADER.size - 8 + size, b"WAVE"),
            *(b"fmt ", 18, FLOAT, self._channels, rate, rate * width, width, 32, 0),
            *(b"fact", 4, self._frames, b"data", size),
        )
        self._put(header, 0)
        self._frames_in_header = self._frames

    def _put(self, data: bytes, offset: int) -> None:
        try:
            while data:
                written = os.pwrite(self._file, data, offset)
                data, offset = data[written:], offset + written
        except OSError as error:
            raise unwritable(self.path, error) from error


def check_writable(path: Path) -> None:
    """Raises InputFileError if no file can be written at `path`: better now than when the sound arrives."""
    folder = path.parent
    if path.is_dir():
        raise unwritable(path, OSError(errno.EISDIR, "it is a folder"))
    if not folder.is_dir():
        raise unwritable(path, OSError(errno.ENOENT, f"there is no folder {folder}"))
    if not os.access(path if path.exists() else folder, os.W_OK):
        raise unwritable(path, OSError(errno.EACCES, "permission denied"))


def unwritable(path: Path, error: OSError) -> InputFileError:
    """Returns the error for a file that can't be written."""
    return InputFileError(f"{path} can't be written ({error.strerror}): choose another place")
