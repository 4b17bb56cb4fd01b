"""A voice: a source with its own knobs, mixed into the output without a click.

Gain, mute and pan glide to their values sample by sample; a new source (another checkpoint, a new prime, a
recalled state) fades in over the old one.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.compiling import kernel
from noizenet.parameter import Value
from noizenet.protocol import PARAMETERS
from noizenet_daemon.source import Source

Array = NDArray[Any]
CROSSFADE_S = 0.05
MUTED_BELOW_DB = -60.0  # the lowest gain is silence

VOICE_DEFAULTS: dict[str, Value] = {
    name: parameter.default for name, parameter in PARAMETERS.items() if parameter.scope == "voice"
}


class Voice:
    """One voice. Used by one thread at a time.

    Attributes:
        values: what its knobs are set to.
        source: what it plays.
        controls: what `source` is told: see `Generator.controls`.
    """

    def __init__(self, source: Source, sample_rate: int, channels: int, most_frames: int) -> None:
        """Args:
        source: gives as many channels.
        most_frames: the longest block that `mix_into` is asked for.
        """
        self.values = dict(VOICE_DEFAULTS)
        self.source = source
        self._heard: Array = np.zeros((most_frames, channels), np.float32)
        self._tail: Array = np.zeros((round(CROSSFADE_S * sample_rate), channels), np.float32)
        self._tail_place = len(self._tail)
        self.controls = source.generator.controls(self.values)
        self._gains: Array = np.zeros(channels, np.float64)
        self._targets: Array = np.zeros(channels, np.float64)
        self._update()
        self.settle()
        self._glide = 1.0 - float(np.exp(-3.0 / (PARAMETERS["gain_db"].smoothing_s * sample_rate)))

    def set(self, name: str, value: Value) -> None:
        """Turns one knob to a value that `Parameter.coerce` returned."""
        self.values[name] = value
        if name != "live_level_db" or self.values["noise_kind"] == "live":  # it comes with each block, and often idly
            self._update()

    def settle(self) -> None:
        """Lets the gains jump to their targets: for knobs turned before the first frame."""
        self._gains[:] = self._targets

    def replace(self, source: Source) -> None:
        """Crossfades to another source; a crossfade that is still going on goes on below it."""
        older = self._tail.copy()
        self.source.pull(self.controls, self._tail)
        crossfade(self._tail, older, self._tail_place)
        self._tail_place = 0
        self.source = source
        self.controls = source.generator.controls(self.values)

    def mix_into(self, block: Array) -> None:
        """Adds the voice's next frames to block, float32 (n, channels)."""
        assert len(block) <= len(self._heard)
        heard = self._heard[: len(block)]
        self.source.pull(self.controls, heard)
        if self._tail_place < len(self._tail):
            self._tail_place = crossfade(heard, self._tail, self._tail_place)
        mix(heard, block, self._gains, self._targets, self._glide)

    def _update(self) -> None:
        self.controls = self.source.generator.controls(self.values)
        gain_db = float(self.values["gain_db"])
        silent = self.values["mute"] or gain_db <= MUTED_BELOW_DB
        gain = 0.0 if silent else 10.0 ** (gain_db / 20.0)
        self._targets[:] = gain
        if len(self._targets) == 2:
            # a balance: the middle leaves both sides as they are, the ends silence one
            pan = float(self.values["pan"])
            self._targets[0] = gain * np.cos(max(pan, 0.0) * np.pi / 2)
            self._targets[1] = gain * np.cos(max(-pan, 0.0) * np.pi / 2)


@kernel
def crossfade(fresh: Any, tail: Any, place: int) -> int:
    """Fades from `tail` (m, channels), `place` frames of it gone, to `fresh`, in place; returns the new place."""
    length = tail.shape[0]
    count = min(fresh.shape[0], length - place)
    for n in range(count):
        angle = 0.5 * np.pi * (place + n + 0.5) / length
        for c in range(fresh.shape[1]):
            fresh[n, c] = np.sin(angle) * fresh[n, c] + np.cos(angle) * tail[place + n, c]
    return int(place + count)


@kernel
def mix(heard: Any, block: Any, gains: Any, targets: Any, glide: float) -> None:
    """Adds heard to block, (n, channels) both, with gains that glide to their targets."""
    for c in range(block.shape[1]):
        gain = gains[c]
        target = targets[c]
        for n in range(heard.shape[0]):
            gain = gain + glide * (target - gain) if abs(gain - target) > 1e-7 else target
            block[n, c] += np.float32(gain * heard[n, c])
        gains[c] = gain
