"""Where the sound goes and, if the daemon listens, comes from: found, opened, and brought back when it went away."""

import logging
import time
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from noizenet.errors import DeviceError
from noizenet_daemon.config import DaemonConfig
from noizenet_daemon.outputs import FileOutput, NullOutput, Output
from noizenet_daemon.ring import Ring
from noizenet_daemon.sound_card import SoundCardOutput, SoundCardStream, find_device
from noizenet_daemon.sound_input import SoundCardInput

RETRY_S = 2.0

_log = logging.getLogger("noizenet.daemon")


class Devices:
    """The output, and the input if one is asked for. Used by the main thread alone.

    Attributes:
        output, input: once `open` has returned; no input if none is asked for or found.
    """

    output: Output
    input: SoundCardInput | None

    def __init__(self, config: DaemonConfig) -> None:
        """Finds the sound device to play to; raises as `find_device` does."""
        self._config = config
        self._retry_at = 0.0
        plays_to_device = config.output != "null" and not config.output.startswith("file:")
        self._found = find_device(config.output) if plays_to_device else None

    @property
    def has_no_sound_card(self) -> bool:
        """Whether a sound card was to be found, if there is one, and there is none."""
        return self._found is None and self._config.output == "auto"

    def sample_rate(self, otherwise: int) -> int:
        """Returns the rate asked for, else the output device's own, or without a device another one, Hz."""
        own: Any = self._found[1]["default_samplerate"] if self._found else otherwise
        return self._config.sample_rate or round(own)

    def open(self, ring: Ring, sample_rate: int, stack: ExitStack) -> None:
        """Opens both, to be stopped at the stack's end.

        Raises:
            DeviceError: a device can't be opened, or the input asked for isn't there.
            InputFileError: the output is a file that can't be written.
        """
        self.output = self._open_output(ring, sample_rate)
        stack.callback(self.output.stop)
        self.input = self._open_input()
        if self.input is not None:
            stack.callback(self.input.stop)

    def _open_output(self, ring: Ring, rate: int) -> Output:
        config = self._config
        if self._found is not None:
            number, about = self._found
            return SoundCardOutput(ring, number, about["name"], rate, config.block_frames)
        if config.output.startswith("file:"):
            most = round(config.for_s * rate) or None
            return FileOutput(ring, rate, config.block_frames, Path(config.output.removeprefix("file:")), most)
        return NullOutput(ring, rate, config.block_frames)

    def _open_input(self) -> SoundCardInput | None:
        wanted = self._config.input
        if wanted == "none":
            return None
        found = find_device(wanted, "input")
        if found is None:
            _log.warning("no sound input was found: noise of kind live follows live_level_db")
            return None
        return SoundCardInput(*found)

    def start(self) -> None:
        """Lets the sound out, and listens."""
        self.output.start()
        if self.input is not None:
            self.input.start()

    def revive(self) -> None:
        """Tries from time to time to open again what went away."""
        if self.input is not None and not self.input.is_alive():
            self.input.silence()
        streams = [one for one in (self.output, self.input) if isinstance(one, SoundCardStream)]
        now = time.monotonic()
        if now < self._retry_at or all(stream.is_alive() for stream in streams):
            return
        self._retry_at = now + RETRY_S
        for stream in streams:
            if stream.is_alive():
                continue
            try:
                stream.restart()
                _log.warning("the sound device %s is back", stream.name)
            except DeviceError as error:
                _log.warning("the sound device went away: %s", error)
