"""What is found out about a trained network: its training, one step ahead, and how it plays by itself.

snr_db            one step ahead on the unseen song: power of the song over that of the error
gain_db           the same, over that of a network that only repeats the last sample
collapse_steps    until the output is stuck for the rest (see `noizenet_training.judging.collapse`), and collapse_s
collapse_percent  of the length that it was trained on: of a song; of the codec spectrum, of a clip's numbers
level_db          deviation of the output over that of the prime
survival          share of half-second windows that are alive
flatness          spectral flatness of the output before it is stuck: 1 = white noise, music is far below 0.1
loss, first_loss  of training, in the last and in the first round
update_ms         that an update of the weights takes
"""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet_training.paper.plan import Case
from noizenet_training.sweeps.trials import Row

Array = NDArray[Any]

FRAME = 1024  # samples, of the spectral flatness
LEAST_HEARD = 4 * FRAME  # samples, for a flatness that means something


@dataclass(frozen=True)
class Finding:
    """A case, and what was found.

    Attributes:
        figures: by the names above; what couldn't be measured is left out.
        raw: what the network puts out, float32 (samples,); empty if it wasn't played.
        heard: the file as a listener hears it; None if it wasn't made.
        reproduced: the unseen song as predicted one step ahead; None if it wasn't made.
        why: what went wrong, if it did.
    """

    case: Case
    row: Row
    figures: dict[str, float]
    raw: Array
    heard: Path | None = None
    reproduced: Path | None = None
    why: str = ""

    @property
    def trained(self) -> bool:
        """Whether there is a network."""
        return self.row.state == "finished"

    @property
    def played(self) -> bool:
        """Whether the network was played."""
        return len(self.raw) > 0

    @property
    def length_of(self) -> str:
        """What `collapse_percent` is a share of."""
        return "numbers of a clip" if "fft" in self.case.trial.recipe else "song"

    @property
    def collapses(self) -> bool:
        """Whether it got stuck."""
        return "collapse_steps" in self.figures


def training_figures(row: Row) -> dict[str, float]:
    """Returns the figures of training."""
    found: dict[str, float] = {}
    if row.update_s is not None:
        found["update_ms"] = 1000.0 * row.update_s
    if row.losses:
        found |= {"first_loss": row.losses[0], "loss": row.losses[-1]}
    if row.held_out is not None:
        found["held_out"] = row.held_out
    return found


def playing_figures(raw: Array, rate: int, prime_deviation: float, song_s: float, step_rate: float) -> dict[str, float]:
    """Returns the figures of what a network puts out, (samples,).

    Args:
        prime_deviation: of the samples that it was primed with.
        song_s: length of a song that it was trained on.
        step_rate: steps of the network in a second.
    """
    from noizenet_training.judging.collapse import steps_until_collapse
    from noizenet_training.judging.survival import survival

    found = {"survival": survival(raw, rate)}
    deviation = float(np.nan_to_num(raw).std())
    if deviation > 0.0 and prime_deviation > 0.0:
        found["level_db"] = 20.0 * float(np.log10(deviation / prime_deviation))
    place = steps_until_collapse(raw, prime_deviation, rate)
    if place is not None:
        seconds = place / rate
        found |= {
            "collapse_steps": float(int(seconds * step_rate + 1e-6)),
            "collapse_s": seconds,
            "collapse_percent": 100.0 * seconds / song_s,
        }
    alive = raw if place is None else raw[:place]
    if len(alive) >= LEAST_HEARD and np.isfinite(alive).all():
        found["flatness"] = spectral_flatness(alive)
    return found


def spectrum_figures(raw: Array, prime: Array, rate: int, clip: int) -> dict[str, float]:
    """Returns the figures of the codec spectrum, whose steps go along frequency: where they get stuck, if they do.

    They are looked at in the first clip played, up to half the sample rate: what lies above mirrors it. A spectrum that
    stays constant is a click, which comes again with each clip, and so never looks stuck in time.

    Args:
        prime: samples, at least a clip.
        clip: its samples; it has twice as many numbers.
    """
    from noizenet_training.judging.collapse import steps_until_collapse

    if len(raw) < clip:
        return {}
    numbers = np.fft.rfft(raw[:clip]).real
    reference = np.fft.fft(prime[:clip])
    deviation = float(np.concatenate([reference.real, reference.imag]).std())
    place = steps_until_collapse(numbers, deviation, rate)
    if place is None:
        return {}
    return {"collapse_steps": float(place), "collapse_percent": 100.0 * place / (2 * clip)}


def reproduction_figures(told: Path) -> dict[str, float]:
    """Returns the figures that `noizenet reproduce --json` printed into a file; none if it didn't."""
    try:
        values = json.loads(told.read_text(encoding="utf-8"))
        ours, trivial = values["predicted"]["snr_db"], values["last_step_again"]["snr_db"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    if ours is None or trivial is None:
        return {}
    return {"snr_db": ours, "trivial_snr_db": trivial, "gain_db": ours - trivial}


def spectral_flatness(samples: Array) -> float:
    """Returns the geometric over the arithmetic mean of the mean power spectrum of samples (n,), n >= 1024.

    Source: Johnston, "Transform coding of audio signals using perceptual noise criteria", 1988.
    """
    frames = np.lib.stride_tricks.sliding_window_view(samples, FRAME)[:: FRAME // 2]
    power = np.square(np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1))).mean(axis=0)[1:] + 1e-20
    return float(np.exp(np.log(power).mean()) / power.mean())
