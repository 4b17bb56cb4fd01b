"""The temperature at which a network of two tiers sounds most like its corpus, found by listening.

Cross-entropy is learnt one sample at a time; what is played feeds itself, and where every draw is a little too wide it
becomes a hiss within a second. By how much differs from one training to the next, so training listens, and makes what
it finds the network's own: the knob's 1.

Source: Guo et al., "On calibration of modern neural networks", 2017, who scale logits to fit frequencies of classes.
"""

import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.sound_file import read_mono
from noizenet_training.judging.bands import gain_of, log_mel
from noizenet_training.judging.distances import frechet_distance, seconds_of
from noizenet_training.judging.rendering import render

Array = NDArray[Any]

TEMPERATURES = (1.0, 1.03, 0.98, 0.96, 0.94, 0.91)
HEARD_S, SEEDS = 30.0, 2  # at each of them: one run may stay in one part of its corpus
LEAST_CORPUS_S = 20.0  # of less, too little is known of how its seconds differ


def find_temperature(checkpoint: Path, recordings: Sequence[Array], seed: int) -> float:
    """Returns the temperature that sounds most like the corpus; 1 where there is too little of it, or no tiers.

    Args:
        recordings: the corpus, float32 (samples,) each, at the checkpoint's rate.

    Raises:
        InputFileError: it can't be rendered.
    """
    loaded = Checkpoint.load(checkpoint)
    rate = loaded.sample_rate
    if not loaded.network.frame or sum(map(len, recordings)) < LEAST_CORPUS_S * rate:
        return 1.0
    known = _seconds(recordings, rate)

    def distance(temperature: float) -> float:
        heard = []
        with tempfile.TemporaryDirectory() as folder:
            for number in range(SEEDS):
                sound = Path(folder) / "heard.wav"
                render(checkpoint, sound, HEARD_S, seed + number, settings=[f"temperature={temperature:g}"])
                heard.append(read_mono(sound, rate))
        return frechet_distance(_seconds(heard, rate), known)

    return min(TEMPERATURES, key=distance)


def _seconds(sounds: Sequence[Array], sample_rate: int) -> Array:
    gain = gain_of(sounds)
    return np.concatenate([seconds_of(*log_mel(sound, sample_rate, gain)) for sound in sounds])


def tempered(weights: Mapping[str, Array], temperature: float) -> dict[str, Array]:
    """Returns a network's weights with all logits divided by a temperature."""
    return {
        name: array / np.float32(temperature) if name.startswith("output.") else array
        for name, array in weights.items()
    }
