"""The level of a sound as it goes on, frame by frame: what noise of kind `live` follows.

It rises within milliseconds and falls slowly, as a meter does, so that a drum is felt and a note does not flutter. The
follower is one number in a float32 array that also holds its speeds, for the callback of an input sees one pointer only
(`noizenet_daemon.sound_input`); a file goes through the same (`noizenet_daemon.offline`).
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.compiling import kernel

Array = NDArray[Any]

# cells of a follower
POWER, RISE, FALL, CHANNELS = range(4)
CELLS = 4

RISE_S = 0.005
FALL_S = 0.15
SILENT_DB = -60.0  # at and below: nothing
FULL_DB = -6.0  # at and above: all; the level of loud music, where a full-scale sine has -3
INAUDIBLE = np.float32(1e-12)  # numbers that fade on towards the smallest there are slow a processor down
LARGEST = np.float32(1e6)  # beyond this a sample is a fault and counts as silence, as NaN does


def new_follower(sample_rate: float, channels: int) -> Array:
    """Returns a follower that has heard silence, float32 (CELLS,)."""
    speeds = [1.0 - np.exp(-1.0 / (seconds * sample_rate)) for seconds in (RISE_S, FALL_S)]
    return np.array([0.0, *speeds, channels], np.float32)


@kernel
def follow(follower: Any, samples: Any, frames: int) -> None:
    """Takes in frames of interleaved samples, float32 (frames x channels,)."""
    channels = int(follower[CHANNELS])
    power = follower[POWER]
    for n in range(frames):
        now = np.float32(0.0)
        for c in range(channels):
            sample = samples[n * channels + c]
            if abs(sample) < LARGEST:  # false of NaN
                now += sample * sample
        now /= np.float32(channels)
        power += (now - power) * (follower[RISE] if now > power else follower[FALL])
    follower[POWER] = power if power > INAUDIBLE else np.float32(0.0)


def level_db(follower: Array) -> float:
    """Returns the level in dB of full scale, at least `SILENT_DB`."""
    power = float(follower[POWER])
    return max(SILENT_DB, 10.0 * float(np.log10(power))) if power > 0.0 else SILENT_DB


def levels_db(samples: Array, sample_rate: float, stretch_frames: int) -> list[float]:
    """Returns the level at the end of each stretch of a sound, (samples,) float32; the last may be shorter."""
    follower = new_follower(sample_rate, 1)
    levels = []
    for start in range(0, len(samples), stretch_frames):
        stretch = samples[start : start + stretch_frames]
        follow(follower, stretch, len(stretch))
        levels.append(level_db(follower))
    return levels


def share_of(level_db: float) -> float:
    """Returns how much of the noise a level lets through, 0..1, even in dB from `SILENT_DB` to `FULL_DB`."""
    return min(max((level_db - SILENT_DB) / (FULL_DB - SILENT_DB), 0.0), 1.0)
