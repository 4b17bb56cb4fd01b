"""Slices of the corpus, what a classifier tells, how a sound lives, what a codec loses, and the picture of it all."""

from pathlib import Path

import numpy as np
import pytest

from making import Array, amplitude_checkpoint, melody, tokens_checkpoint, tone
from noizenet_training.judging.bands import MEL_BANDS, log_mel
from noizenet_training.judging.codec_loss import codec_loss
from noizenet_training.judging.comparison import Comparison
from noizenet_training.judging.liveliness import PERCENTILES, liveliness
from noizenet_training.judging.reference import Reference
from noizenet_training.judging.score_picture import draw
from noizenet_training.judging.slicing import SLICE_S, slices
from noizenet_training.judging.telling import told

RATE = 16000


def test_slices_are_the_corpus_own_samples_between_seams_of_equal_power() -> None:
    ramp = np.arange(20 * RATE, dtype=np.float32)  # each sample says where it is from
    found = slices([ramp], RATE, 9.0, seed=1)
    assert len(found) == 9 * RATE
    steps = np.diff(found)
    own = np.abs(steps - 1.0) < 0.01
    assert own.mean() > 0.95
    noise = np.random.default_rng(0).standard_normal(60 * RATE).astype(np.float32)
    power = np.square(slices([noise], RATE, 30.0, seed=2)).reshape(-1, 80).mean(axis=1)
    assert power.mean() == pytest.approx(1.0, abs=0.02)
    assert power.min() > 0.4  # of 80 samples of noise each


def test_slices_come_from_all_recordings_and_follow_the_seed() -> None:
    parts = [np.full(10 * RATE, value, np.float32) for value in (1.0, 2.0)]
    found = slices(parts, RATE, 60.0, seed=3)
    middles = found[RATE :: round(SLICE_S * RATE)]
    assert set(np.round(middles)) == {1.0, 2.0}
    assert np.array_equal(found, slices(parts, RATE, 60.0, seed=3))
    assert not np.array_equal(found, slices(parts, RATE, 60.0, seed=4))
    short = slices([np.ones(RATE, np.float32)], RATE, 3.0, seed=0)
    assert short.min() > 0.9


def drawn(mean: float, seed: int, seconds: int = 30) -> Array:
    """Levels of independent frames about a mean."""
    return np.random.default_rng(seed).normal(mean, 5.0, (43 * seconds, MEL_BANDS)).astype(np.float32)


def test_equal_distributions_are_not_told_and_shifted_ones_are() -> None:
    assert told(drawn(-30.0, 0), [drawn(-30.0, 1)], 43.0) < 0.6
    lower_half = np.arange(MEL_BANDS) < MEL_BANDS // 2
    assert told(drawn(-30.0, 0) + lower_half, [drawn(-30.0, 1)], 43.0) > 0.95
    assert np.isnan(told(drawn(-30.0, 0, 20), [drawn(-30.0, 1)], 43.0))
    assert told(drawn(-30.0, 0, 30), [drawn(-30.0, seed, 12) for seed in (1, 2, 3)], 43.0) < 0.7


def sea(calls: int, seed: int) -> Array:
    """A minute of steady noise, and loud calls of a second."""
    rng = np.random.default_rng(seed)
    samples = 0.01 * rng.standard_normal(60 * RATE).astype(np.float32)
    for place in rng.choice(59, calls, replace=False):
        samples[place * RATE :][:RATE] += tone(1.0, RATE, 700.0)
    return samples


def test_a_sound_is_not_told_by_its_gain_nor_by_how_often_its_loudest_passages_come() -> None:
    """Two calls more, and the sea is a dB softer when both are brought to one RMS."""
    known, frame_rate = log_mel(sea(7, 0), RATE)
    for heard in (known + 3.0, log_mel(sea(7, 1), RATE)[0], log_mel(sea(9, 1), RATE)[0]):
        assert told(heard, [known], frame_rate) < 0.7
    brighter = known + np.linspace(0.0, 2.0, MEL_BANDS)
    assert told(brighter, [known], frame_rate) > 0.95


def test_frames_in_random_order_are_told_by_how_they_move() -> None:
    levels, frame_rate = log_mel(melody(30.0, RATE), RATE)
    mixed = levels[np.random.default_rng(0).permutation(len(levels))]
    assert told(mixed, [levels], frame_rate) > 0.95


def test_how_a_sound_lives_is_what_was_put_into_it() -> None:
    clicks = 1e-3 * np.random.default_rng(0).standard_normal(20 * RATE)
    for place in range(RATE // 4, len(clicks), RATE // 2):
        clicks[place : place + 200] += 0.5 * np.sin(np.arange(200))
    samples = clicks.astype(np.float32)
    levels, frame_rate = log_mel(samples, RATE)
    found = liveliness(samples, levels, RATE, frame_rate)
    assert np.median(found.onsets) == pytest.approx(2.0, abs=0.3)
    steady = tone(4.0, RATE, 2000.0)
    lives = liveliness(steady, log_mel(steady, RATE)[0], RATE, frame_rate)
    rms = float(np.sqrt(np.mean(np.square(steady))))
    assert lives.loudness_db == pytest.approx(20.0 * np.log10(rms), abs=0.1)
    assert np.median(lives.centroid_hz) == pytest.approx(2000.0, rel=0.02)
    assert np.median(lives.flux_db) < 0.5 < np.median(found.flux_db)
    told_of_it = lives.percentiles()
    assert all(len(values) == len(PERCENTILES) and values == sorted(values) for values in told_of_it.values())


@pytest.mark.parametrize("count", [100, 3 * RATE], ids=["short", "silent"])
def test_the_life_of_next_to_nothing_is_plain_values(count: int) -> None:
    samples = np.zeros(count, np.float32)
    levels, frame_rate = log_mel(samples, RATE)
    assert set(liveliness(samples, levels, RATE, frame_rate).percentiles()) == {
        *("loudness_db", "onsets", "centroid_hz", "flux_db")
    }


def test_a_codec_that_keeps_samples_loses_nothing_and_one_of_few_codes_does() -> None:
    sound = melody(3.0, 8000)
    kept = codec_loss(amplitude_checkpoint(sample_rate=8000).codec, [sound, sound[:4000]])
    assert kept.codec_log_spectral_distance_db < 0.01
    assert kept.codec_spectral_convergence_db < -80.0
    coded = codec_loss(tokens_checkpoint(sample_rate=8000).codec, [sound])
    assert coded.codec_log_spectral_distance_db > 1.0
    assert coded.codec_spectral_convergence_db > -40.0


def test_the_picture_is_written_also_of_what_has_no_figures(tmp_path: Path) -> None:
    reference = Reference([melody(12.0, RATE)], RATE)
    for seconds in (12.0, 0.01):
        scores = [reference.score(name, melody(seconds, RATE, seed=2)) for name in ("a.wav", "slicer", "noise")]
        path = tmp_path / f"{seconds}.png"
        draw(Comparison([*scores, reference.own_score()], reference.frame_rate, None, 5.0), path)
        assert path.read_bytes().startswith(b"\x89PNG")
