"""How surely a classifier tells a sound from its corpus: the area under the ROC curve; 0.5 or less = it can't.

Excerpts of two seconds are described by what the ear keeps of them, whatever their phases: of each pair of mel bands
the mean level, its deviation, the flux, and how strongly the level is modulated slowly, at the pace of notes, and fast.
A support vector machine and a forest of random trees learn to tell the two; each excerpt is judged by one that has
heard nothing of its block of five seconds. The one that tells them better counts.

A sound isn't told by its gain. RMS alone doesn't take that out: where a few loud calls decide it, one more of them in
five minutes makes all the rest softer by some tenths of a dB, and a steady background is told by that. So both are also
brought together by what lies between their levels in the median of all bands and quantiles, and the gain by which the
sound is harder to tell counts.
"""

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.ensemble import ExtraTreesClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedGroupKFold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC

from noizenet_training.judging.bands import LOWEST_DB, MEL_BANDS

Array = NDArray[Any]

EXCERPT_S = 2.0
STEP_S = 0.5
BLOCK_S = 5.0
FOLDS = 5
REPEATS = 3  # with other folds each time: of so few blocks, one division says little
MOST_EXCERPTS = 420  # of each side: five minutes
MODULATIONS_HZ = (0.4, 2.5, 7.0, 20.0)  # borders: slow, at the pace of notes, fast
TREES = 50  # the area of 150 is the same within 0.005
QUANTILES = np.arange(0.05, 1.0, 0.1)


def told(levels: Array, known: Sequence[Array], frame_rate: float, seed: int = 0) -> float:
    """Returns the area under the ROC curve, 0..1; NaN if either side has less than `FOLDS` blocks of five seconds.

    Args:
        levels: of the sound, (frames, MEL_BANDS) in dB.
        known: the same of each recording of the corpus.
    """
    surest = _told_at(0.0, levels, known, frame_rate, seed)
    if np.isnan(surest):
        return surest
    gain_db = _gain_between(levels, np.concatenate(known))
    return min(surest, _told_at(gain_db, levels, known, frame_rate, seed, enough=surest)) if gain_db else surest


def _gain_between(levels: Array, known: Array) -> float:
    """Returns what brings levels to where known ones lie, in dB. The lowest, which may be any lower, don't count."""
    mine, theirs = np.quantile(levels, QUANTILES, axis=0), np.quantile(known, QUANTILES, axis=0)
    heard = (mine > LOWEST_DB) & (theirs > LOWEST_DB)
    return float(np.median((theirs - mine)[heard])) if heard.any() else 0.0


def _told_at(
    gain_db: float, levels: Array, known: Sequence[Array], frame_rate: float, seed: int, enough: float = 1.0
) -> float:
    """Returns the greater of both classifiers' areas, of a sound with a gain; or the first, if that is enough."""
    lowest = LOWEST_DB + max(0.0, gain_db)  # below, one of the two has nothing
    heard = [np.maximum(levels + np.float32(gain_db), lowest)], [np.maximum(each, lowest) for each in known]
    sides = [_described(each, frame_rate) for each in heard]
    if min(len(np.unique(blocks)) for _, blocks in sides) < FOLDS:
        return float("nan")
    rows = np.concatenate([features for features, _ in sides])
    is_corpus = np.repeat([False, True], [len(features) for features, _ in sides])
    groups = np.concatenate([sides[0][1], sides[0][1].max() + 1 + sides[1][1]])
    folds = [
        fold
        for repeat in range(REPEATS)
        for fold in StratifiedGroupKFold(FOLDS, shuffle=True, random_state=seed + repeat).split(rows, is_corpus, groups)
    ]
    machine = make_pipeline(StandardScaler(), SVC(class_weight="balanced"))
    area = _area(machine, rows, is_corpus, folds)
    if area >= enough:
        return area
    trees = ExtraTreesClassifier(TREES, min_samples_leaf=2, class_weight="balanced", random_state=seed)
    return max(area, _area(trees, rows, is_corpus, folds))


def _area(classifier: Any, rows: Array, is_corpus: Array, folds: list[tuple[Array, Array]]) -> float:
    """Returns the mean over the folds of the area under the curve, each in excerpts that were not learnt from."""
    areas = []
    for learnt, unheard in folds:
        if is_corpus[unheard].all() or not is_corpus[unheard].any():
            continue
        classifier.fit(rows[learnt], is_corpus[learnt])
        sure = (
            classifier.decision_function(rows[unheard])
            if hasattr(classifier, "decision_function")
            else classifier.predict_proba(rows[unheard])[:, 1]
        )
        areas.append(roc_auc_score(is_corpus[unheard], sure))
    return float(np.mean(areas))


def _described(parts: Sequence[Array], frame_rate: float) -> tuple[Array, Array]:
    """Returns the features of excerpts (n, 3 x MEL_BANDS), half a second apart, and the block that each lies in, (n,).

    An excerpt that crosses the border of two blocks is left out: half of it would have been learnt from.
    """
    length, block_length = round(EXCERPT_S * frame_rate), round(BLOCK_S * frame_rate)
    places = [
        (part[block : block + block_length], number, start)
        for number, (part, block) in enumerate((p, b) for p in parts for b in range(0, len(p), block_length))
        for start in np.arange(0, block_length - length + 1, STEP_S * frame_rate).astype(int)
        if block + start + length <= len(part)
    ]
    chosen = np.linspace(0, len(places) - 1, min(MOST_EXCERPTS, len(places))).astype(int)
    rows = [_excerpt(places[n][0][places[n][2] :][:length], frame_rate) for n in chosen]
    return np.array(rows).reshape(len(rows), 3 * MEL_BANDS), np.array([places[n][1] for n in chosen], int)


def _excerpt(levels: Array, frame_rate: float) -> Array:
    """Returns the features of one excerpt (frames, MEL_BANDS), six for each pair of bands, (3 x MEL_BANDS,)."""
    levels = levels.reshape(len(levels), MEL_BANDS // 2, 2).mean(axis=2)
    flux = np.abs(np.diff(levels, axis=0)).mean(axis=0)
    moving = (levels - levels.mean(axis=0)) * np.hanning(len(levels))[:, None]
    power = np.square(np.abs(np.fft.rfft(moving, axis=0)))
    rates = np.fft.rfftfreq(len(levels), 1.0 / frame_rate)
    modulations = [
        10.0 * np.log10(power[(rates >= low) & (rates < high)].mean(axis=0) + 1e-3)
        for low, high in pairwise(MODULATIONS_HZ)
    ]
    return np.concatenate([levels.mean(axis=0), levels.std(axis=0), flux, *modulations])
