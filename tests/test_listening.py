"""Features heard around a sample: librosa's values, nothing of the future, the same in blocks, refusals."""

from collections.abc import Mapping
from typing import Any

import librosa
import numpy as np
import pytest

from making import Array, listening_codec, melody, tone
from noizenet.codecs.listening import Listening
from noizenet.errors import CheckpointError
from noizenet_training.codecs.amplitude_fitting import new_listening

RATE = 22050
WINDOW, HOP = 2048, 512


@pytest.fixture(scope="module")
def ear() -> Listening:
    listening = new_listening("all", RATE)
    assert listening is not None
    return listening


def heard(listening: Listening, samples: Array) -> Array:
    return listening.listen(listening.new_state(), samples)


def looks(listening: Listening, samples: Array) -> Array:
    """Returns the features after each look whose window is full of sound, (looks, width)."""
    return heard(listening, samples)[WINDOW - 1 :: HOP]


def test_the_window_is_librosa_s_at_its_rate_and_as_long_at_others(ear: Listening) -> None:
    assert (ear.window, ear.hop, ear.width) == (WINDOW, HOP, 14)
    other = new_listening("rms", 44100)
    assert other is not None
    assert (other.window, other.hop, other.width) == (2 * WINDOW, 2 * HOP, 1)
    assert new_listening("none", RATE) is None


@pytest.mark.parametrize("sound", [tone(1.0), melody(1.0), tone(1.0, frequency=261.63, amplitude=0.01)])
def test_the_features_are_librosa_s(ear: Listening, sound: Array) -> None:
    mine = looks(ear, sound)
    rms = librosa.feature.rms(y=sound, frame_length=WINDOW, hop_length=HOP, center=False)[0]
    mel = librosa.feature.melspectrogram(y=sound, sr=RATE, n_fft=WINDOW, hop_length=HOP, center=False)
    loudness = librosa.power_to_db(mel, top_db=None)
    onset = librosa.onset.onset_strength(S=loudness, sr=RATE, center=False)
    chroma = librosa.feature.chroma_stft(y=sound, sr=RATE, n_fft=WINDOW, hop_length=HOP, center=False, tuning=0.0)
    assert len(mine) == len(rms)
    assert np.abs(mine[:, 0] - rms).max() < 1e-6
    assert np.abs(mine[1:, 1] - onset[1:]).max() < 0.02  # of librosa's first there is nothing before it
    assert np.abs(mine[:, 2:] - chroma.T).max() < 1e-4


def test_a_tone_is_as_loud_as_it_is_in_its_own_class_and_begins_but_once(ear: Listening) -> None:
    silent = np.zeros(4 * WINDOW, np.float32)
    found = looks(ear, np.concatenate([silent, tone(1.0, frequency=440.0, amplitude=0.3)]))
    before, after = found[:12], found[17:]
    assert not before.any()
    assert after[:, 0] == pytest.approx(0.3 / np.sqrt(2.0), rel=0.01)
    assert found[:, 1].argmax() == 13  # the first look that holds any of the tone
    assert after[:, 1].max() < 0.2 * found[13, 1]
    assert (after[:, 2:].argmax(axis=1) == 9).all()  # A, counted from C


def test_nothing_of_the_future_is_heard(ear: Listening) -> None:
    one = melody(0.5, RATE)
    other = one.copy()
    other[5000:] = 0.3 * np.random.default_rng(0).standard_normal(len(one) - 5000)
    assert np.array_equal(heard(ear, one)[:5000], heard(ear, other)[:5000])
    assert not np.array_equal(heard(ear, one)[5000:], heard(ear, other)[5000:])


def test_features_change_with_each_look_only(ear: Listening) -> None:
    found = heard(ear, melody(0.5, RATE))
    changed = np.flatnonzero(np.diff(found, axis=0).any(axis=1)) + 1
    assert (changed % HOP == HOP - 1).all()
    assert len(changed) == len(found) // HOP


@pytest.mark.parametrize("block", [1, 7, 511, 512, 513, 3000])
def test_hearing_in_blocks_equals_hearing_at_once(ear: Listening, block: int) -> None:
    samples = melody(0.3, RATE)
    state = ear.new_state()
    parts = [ear.listen(state, samples[first : first + block]) for first in range(0, len(samples), block)]
    assert np.array_equal(np.concatenate(parts), heard(ear, samples))


@pytest.mark.parametrize("feature", ["rms", "onset", "chroma"])
def test_each_feature_alone_is_what_it_is_among_all(ear: Listening, feature: str) -> None:
    alone = new_listening(feature, RATE)
    assert alone is not None
    place = {"rms": slice(0, 1), "onset": slice(1, 2), "chroma": slice(2, 14)}[feature]
    samples = melody(0.3, RATE)
    assert np.array_equal(heard(alone, samples), heard(ear, samples)[:, place])


@pytest.mark.parametrize("sample_rate", [4000, 8000, 48000, 96000])
def test_no_filter_is_empty_at_any_rate(sample_rate: int) -> None:
    listening = new_listening("all", sample_rate)
    assert listening is not None
    assert all(filters.any(axis=1).all() for filters in listening.filters.values())


CODEC = listening_codec()


@pytest.mark.parametrize(
    ("options", "arrays", "sentence"),
    [
        ({"features": "rms"}, {}, "features are 'rms', not some of rms, onset, chroma in this order"),
        ({"features": []}, {}, r"features are \[\]"),
        ({"features": ["chroma", "rms"]}, {}, "in this order"),
        ({"features": ["rms", "rms"]}, {}, "in this order"),
        ({"features": ["rms", "tempo"]}, {}, "in this order"),
        ({"features": [["rms"]]}, {}, "in this order"),
        ({"features": None}, {}, "features are None"),
        ({"window": 127}, {}, "window is 127, not an even number"),
        ({"window": 32}, {}, "window is 32"),
        ({"window": 256}, {}, r"filters.onset are of the shape \(6, 65\), not \(1..1024, 129\)"),
        ({"hop": 0}, {}, "hop is 0"),
        ({"hop": 129}, {}, "hop is 129, not a whole number from 1 to 128"),
        ({}, {"filters.chroma": np.ones((11, 65), np.float32)}, r"\(11, 65\), not \(12, 65\)"),
        ({}, {"filters.onset": np.ones((0, 65), np.float32)}, r"\(0, 65\), not"),
        ({}, {"filters.onset": np.ones(65, np.float32)}, r"\(65,\), not"),
        ({}, {"filters.onset": -np.ones((6, 65), np.float32)}, "filters.onset hold numbers below 0"),
    ],
)
def test_parts_that_hear_nothing_sensible_are_refused(
    options: Mapping[str, Any], arrays: Mapping[str, Array], sentence: str
) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        Listening.from_parts(CODEC.options() | dict(options), CODEC.arrays() | dict(arrays))


def test_missing_filters_are_refused() -> None:
    with pytest.raises(CheckpointError, match=r"filters.onset are missing, not \(1..1024, 65\)"):
        Listening.from_parts(CODEC.options(), {})
