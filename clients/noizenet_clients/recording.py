"""Writes a stream to WAV files: one, and another whenever the stream's shape changes or a file is full."""

from pathlib import Path

import numpy as np

from noizenet.wave_file import WaveFile, check_writable
from noizenet_clients.receiving import Arrival

LONGEST_FILL_S = 10.0  # a longer gap is not written out as silence


class Recording:
    """The stream on disk. Lost frames become silence, so that what follows stays in its place in time.

    A daemon that comes back with the same sample rate and channels goes on in the same file; with others, in
    `name-2.wav`, `name-3.wav` and so on, as does a file that has reached the 4 GB that WAV allows.
    """

    def __init__(self, path: Path) -> None:
        """Args:
            path: the first file; nothing is written before the first sound.

        Raises:
            InputFileError: no file can be written there.
        """
        check_writable(path)
        self._path = path
        self._file: WaveFile | None = None
        self._shape = (0, 0)
        self.paths: list[Path] = []

    def play(self, arrival: Arrival) -> None:
        """Appends a message, after silence for what was lost before it."""
        shape = (arrival.header.sample_rate, arrival.header.channels)
        fill = min(arrival.lost, round(LONGEST_FILL_S * shape[0]))
        if self._file is None or shape != self._shape or self._file.room < fill + len(arrival.samples):
            self.close()
            self._file = self._open(*shape)
        if fill:
            self._file.write(np.zeros((fill, shape[1]), dtype=np.float32))
        self._file.write(arrival.samples)

    def close(self) -> None:
        """Completes the file that is being written."""
        if self._file is not None:
            file, self._file = self._file, None
            file.close()

    def _open(self, sample_rate: int, channels: int) -> WaveFile:
        part = len(self.paths) + 1
        path = self._path if part == 1 else self._path.with_stem(f"{self._path.stem}-{part}")
        file = WaveFile(path, sample_rate, channels)
        self.paths.append(path)
        self._shape = (sample_rate, channels)
        return file
