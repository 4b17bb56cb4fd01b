"""Reproduction: a sound as a network expects it, step by step, and how near that comes to what it was.

At each step the network has heard the true sound so far, and what it expects next is what is written. It never hears
itself, so it can't lose its way: this is the error that training makes small, made audible, and says nothing of how
the network plays by itself. In the paper it is the reproduction of an unseen song (Watson 2021, section 5.5.2).

The figures mean something beside those of two rivals. *The last step again* is what a network that had learnt nothing
at all could say; samples are so alike from one to the next that it is hard to beat. *The codec alone*, encoded and
decoded with nothing predicted, is as good as a network could be, where the codec loses something. Of two channels, the
figures are those of their mean.
"""

import os
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.codecs.whole import decode_whole, encode_whole
from noizenet.errors import CheckpointError, SoundFileError, UsageError
from noizenet.nearness import Figures, compare
from noizenet.sound_file import mixed, read_channels
from noizenet.wave_file import check_writable
from noizenet_daemon.engines import EngineName
from noizenet_daemon.generator import Generator
from noizenet_daemon.offline import complete_file
from noizenet_daemon.precision import PrecisionChoice
from noizenet_daemon.warming import said_if_slow

Array = NDArray[Any]
LOSSLESS_DB = 100.0  # of the codec alone: what is nearer than this differs by rounding
PHASES_KEPT_DB = 3.0  # of the codec alone: below, its waveform is another one, however alike it sounds


@dataclass(frozen=True)
class Reproduction:
    """What came of a reproduction.

    Attributes:
        seconds, sample_rate: of the sound; the rate is the checkpoint's.
        steps: that were predicted.
        predicted: how near the network comes.
        last_step_again: how near each step comes if the one before is taken for it.
        codec_alone: how near encoding and decoding comes; None of a codec that loses nothing.
    """

    seconds: float
    sample_rate: int
    steps: int
    predicted: Figures
    last_step_again: Figures
    codec_alone: Figures | None

    @property
    def keeps_waveform(self) -> bool:
        """Whether waveforms can be compared at all; otherwise errors and signal-to-noise ratio say little."""
        limit = None if self.codec_alone is None else self.codec_alone.snr_db
        return limit is None or limit >= PHASES_KEPT_DB

    def to_json(self) -> dict[str, Any]:
        """Returns plain values that JSON can hold."""
        return asdict(self) | {"keeps_waveform": self.keeps_waveform}


def reproduce(
    checkpoint: Path,
    sound: Path,
    out: Path,
    *,
    seconds: float | None = None,
    engine: EngineName = "numba",
    precision: PrecisionChoice = "auto",
) -> Reproduction:
    """Writes a sound as the network expects it, step by step: a WAV file of 32-bit floats at the checkpoint's rate, as
    long as the sound and aligned with it. It appears when it is complete.

    Args:
        seconds: how much of the sound, from its beginning; None = all.
        precision: of the weights; see `noizenet_daemon.precision`.

    Raises:
        UsageError: `out` is the sound itself, or the engine doesn't have that precision.
        CheckpointError: the checkpoint is refused, or what it predicts is not finite.
        SoundFileError: the sound can't be read, or is shorter than two steps.
        InputFileError: `out` can't be written.
    """
    check_writable(out)
    if out.exists() and sound.exists() and os.path.samefile(sound, out):
        raise UsageError(f"{out} is the sound to be reproduced and would be lost: choose another name to write")
    with said_if_slow("Preparing the kernels for this processor (the first time only, about a minute) ..."):
        generator = Generator(Checkpoint.load(checkpoint), engine, precision)
        codec = generator.codec
        samples = read_channels(sound, generator.sample_rate, generator.channels)
        if seconds is not None:
            samples = samples[: round(seconds * generator.sample_rate)]
        least = -(-2 * codec.hop // codec.group)
        if len(samples) < least:
            raise SoundFileError(
                f"{sound} gives {len(samples)} samples, and predicting takes at least two steps of this checkpoint, "
                f"{least} samples: choose a longer sound"
            )
        steps = encode_whole(codec, samples)
        generator.expected(steps[: codec.group])
    with said_if_slow(f"Predicting {len(steps)} steps ..."):
        found = decode_whole(codec, generator.expected(steps), len(samples))
    if not np.isfinite(found).all():
        place = float(np.argmin(np.isfinite(mixed(found)))) / generator.sample_rate
        raise CheckpointError(
            f"{checkpoint} is of no use here: what it predicts is not finite from {place:.3f} s on, so that {out} "
            "was not written"
        )
    with complete_file(out, generator.sample_rate, generator.channels) as file:
        file.write(found.reshape(len(found), -1))

    def nearness(sound: Array) -> Figures:
        return compare(mixed(samples), mixed(sound))

    alone = nearness(decode_whole(codec, steps, len(samples)))
    return Reproduction(
        seconds=len(samples) / generator.sample_rate,
        sample_rate=generator.sample_rate,
        steps=len(steps) - 1,
        predicted=nearness(found),
        last_step_again=nearness(decode_whole(codec, _last_step_again(steps), len(samples))),
        codec_alone=alone if alone.snr_db is not None and alone.snr_db < LOSSLESS_DB else None,
    )


def _last_step_again(steps: Array) -> Array:
    """Returns what is expected of each step if nothing ever changes; of the first, that it is as it is."""
    return np.concatenate([steps[:1], steps[:-1]])


def as_text(result: Reproduction, out: Path) -> str:
    """Returns what came of it, for people."""
    rows = [("predicted", result.predicted), ("the last step again", result.last_step_again)]
    if result.codec_alone is not None:
        rows.append(("the codec alone", result.codec_alone))
    lines = [
        f"{out}: {result.seconds:.2f} s at {result.sample_rate} Hz, {result.steps} steps, each predicted from the true "
        "ones before it",
        f"{'':<20}{'mean squared':>14}{'mean absolute':>15}{'signal to':>12}{'log-spectral':>14}",
        f"{'':<20}{'error':>14}{'error':>15}{'noise, dB':>12}{'distance, dB':>14}",
    ]
    for name, figures in rows:
        snr = "-" if figures.snr_db is None else f"{figures.snr_db:.2f}"
        lines.append(
            f"{name:<20}{figures.mean_squared_error:>14.3e}{figures.mean_absolute_error:>15.3e}{snr:>12}"
            f"{figures.log_spectral_distance_db:>14.2f}"
        )
    if not result.keeps_waveform:
        lines.append(
            "The codec does not keep the phases, so waveforms never align: signal to noise means little here, "
            "compare the log-spectral distances"
        )
    return "\n".join(lines)
