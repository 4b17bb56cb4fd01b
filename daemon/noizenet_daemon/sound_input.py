"""A sound input, of which only the level is taken: a microphone that drives the noise.

The callback is compiled and never touches Python, as that of the output is. It moves a follower on
(`noizenet_daemon.level`), whose level the engine reads between two blocks; no sound is kept.
"""

from typing import Any

import numpy as np
from numba import carray, cfunc  # type: ignore[attr-defined]
from numpy.typing import NDArray

from noizenet_daemon.level import CELLS, CHANNELS, POWER, follow, level_db, new_follower
from noizenet_daemon.sound_card import SIGNATURE, SoundCardStream

Array = NDArray[Any]
MOST_CHANNELS = 2  # of a device with many, the first two


@cfunc(SIGNATURE, cache=True)
def _callback(heard: Any, _output: Any, frames: Any, _time: Any, _flags: Any, user: Any) -> int:
    follower = carray(user, (CELLS,))
    count: Any = np.int64(frames)  # int() would keep it unsigned, and unsigned with signed makes floats
    follow(follower, carray(heard, (count * np.int64(follower[CHANNELS]),)), count)
    return 0  # paContinue


class SoundCardInput(SoundCardStream):
    """A PortAudio stream whose level is followed."""

    side = "input"
    remedy = "--input, or leave it out"

    def __init__(self, device: int, about: dict[str, Any]) -> None:
        """Opens the device at its own rate; raises as `SoundCardStream` does.

        Args:
            about: what `find_device` says of it.
        """
        rate = round(about["default_samplerate"])
        channels = min(int(about["max_input_channels"]), MOST_CHANNELS)
        self._follower = follower = new_follower(rate, channels)

        def in_python(heard: Array, frames: int, time: Any, status: Any) -> None:  # noqa: ARG001
            follow(follower, heard.reshape(-1), frames)

        super().__init__(
            about["name"],
            follower,
            _callback,
            in_python,
            samplerate=rate,
            blocksize=0,
            device=device,
            channels=channels,
        )

    def level_db(self) -> float:
        """Returns the level of the input now, in dB of full scale. Any thread."""
        return level_db(self._follower)

    def silence(self) -> None:
        """Forgets the level: of a device that went away, the last one would stay for ever."""
        self._follower[POWER] = 0.0
