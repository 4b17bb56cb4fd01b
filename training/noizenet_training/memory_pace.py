"""How often a checkpoint leaves one place of its memory for another, found by listening to it.

The slower, the more of the corpus is heard as it is: music flows better, and recites more. The slowest pace is taken at
which little is recited: how slow that is differs from one music to the other, by how much in it comes again. A little
more is allowed where music would not flow otherwise: mostly of several recordings.
"""

import tempfile
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.sound_file import read_mono
from noizenet_training.judging.bands import gain_of, log_mel
from noizenet_training.judging.distances import distance_of_halves, frechet_distance, movements_of
from noizenet_training.judging.recital import recital
from noizenet_training.judging.rendering import render

Array = NDArray[Any]

PACES_S = (0.5, 0.6, 0.7, 0.85, 1.0, 1.1, 1.2, 1.4, 1.7, 2.0, 2.4)
MOST_RECITED = 0.12  # share of the moving sound: below what is called recital, with room for other seeds
FLOWS = 0.9  # coherence
MOST_RECITED_TO_FLOW = 0.16
HEARD_S = 300.0
LEAST_CORPUS_S = 20.0  # of less, there is too little to be recited for two seconds and more


def find_pace(checkpoint: Path, recordings: Sequence[Array], seed: int) -> float | None:
    """Returns the slowest pace at which a checkpoint recites little; None if it has no memory, or its corpus is short.

    Args:
        recordings: the corpus, float32 (samples,) each, at the checkpoint's rate.

    Raises:
        InputFileError: it can't be rendered.
    """
    loaded = Checkpoint.load(checkpoint)
    if loaded.memory is None or sum(map(len, recordings)) < LEAST_CORPUS_S * loaded.sample_rate:
        return None
    gain = gain_of(recordings)
    heard = [log_mel(recording, loaded.sample_rate, gain) for recording in recordings]
    known, frame_rate = [levels for levels, _ in heard], heard[0][1]
    movements = [movements_of(levels) for levels in known]
    moves, own = np.concatenate(movements), distance_of_halves(movements, frame_rate)

    def recites(pace_s: float) -> bool:
        assert loaded.memory is not None
        with tempfile.TemporaryDirectory() as folder:
            trial, sound = Path(folder) / "trial.safetensors", Path(folder) / "trial.wav"
            replace(loaded, memory=replace(loaded.memory, pace_s=pace_s)).save(trial)
            render(trial, sound, HEARD_S, seed)
            levels, _ = log_mel(read_mono(sound, loaded.sample_rate), loaded.sample_rate)
        flows = frechet_distance(movements_of(levels), moves) / own <= FLOWS
        return recital(levels, known, frame_rate).share > (MOST_RECITED if flows else MOST_RECITED_TO_FLOW)

    slowest, fastest = len(PACES_S) - 1, 0
    while fastest < slowest:
        middle = (fastest + slowest + 1) // 2
        if recites(PACES_S[middle]):
            slowest = middle - 1
        else:
            fastest = middle
    return PACES_S[fastest]
