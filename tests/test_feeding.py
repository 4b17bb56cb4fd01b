"""Ways of feeding: in which order the corpus is read, where states begin anew, and what is counted."""

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from making import Array
from noizenet_training.learning.batches import Batch
from noizenet_training.learning.feeding import feed, one_shot, shuffled, windows
from noizenet_training.recipe import Recipe


def stretches_of(*lengths: int) -> list[Array]:
    """Returns stretches whose steps say where they come from: 1000 x stretch + index."""
    return [1000.0 * number + np.arange(length, dtype=np.float32)[:, None] for number, length in enumerate(lengths)]


def check(batch: Batch) -> None:
    """Every counted target follows its input, and shapes belong together."""
    assert batch.inputs.shape == batch.targets.shape
    assert batch.counted.shape == batch.inputs.shape[:2]
    assert (batch.targets[batch.counted] == batch.inputs[batch.counted] + 1).all()


def test_one_shot_reads_song_by_song_each_whole_and_from_a_new_state() -> None:
    batches = list(itertools.islice(one_shot(stretches_of(5, 9, 3), 0), 7))
    assert [batch.song for batch in batches] == [0, 1, 2, 0, 1, 2, 0]
    assert [batch.inputs.shape for batch in batches[:3]] == [(1, 4, 1), (1, 8, 1), (1, 2, 1)]
    assert all(batch.fresh.all() and batch.counted.all() for batch in batches)
    assert sum(batch.share for batch in batches[:3]) == pytest.approx(1.0)
    for batch in batches:
        check(batch)


def test_windows_follow_one_another_by_their_stride_with_the_state_carried_over_all_borders() -> None:
    batches = list(itertools.islice(windows(stretches_of(11, 6), 4, 3, 0), 7))
    places = [(batch.song, int(batch.inputs[0, 0, 0]) % 1000, batch.inputs.shape[1]) for batch in batches]
    once = [(0, 0, 4), (0, 3, 4), (0, 6, 4), (1, 0, 4), (1, 3, 2)]
    assert places == [*once, *once[:2]]
    assert [bool(batch.fresh[0]) for batch in batches] == [True] + 6 * [False]
    assert sum(batch.share for batch in batches[:5]) == pytest.approx(1.0)


@settings(max_examples=100, deadline=None)
@given(
    lengths=st.lists(st.integers(2, 60), min_size=1, max_size=5),
    unroll=st.integers(1, 25),
    stride=st.integers(1, 30),
    number=st.integers(0, 40),
)
def test_windows_reach_every_step_that_their_stride_does_not_jump_over(
    lengths: list[int], unroll: int, stride: int, number: int
) -> None:
    stretches = stretches_of(*lengths)
    count = round(1.0 / next(windows(stretches, unroll, stride, 0)).share)
    batches = list(itertools.islice(windows(stretches, unroll, stride, 0), count))
    for batch in batches:
        check(batch)
        assert 1 <= batch.inputs.shape[1] <= unroll
    seen = {int(step) for batch in batches for step in batch.targets.ravel()}
    expected = {
        int(1000 * song + first + offset + 1)
        for song, length in enumerate(lengths)
        for first in range(0, length - 1, stride)
        for offset in range(min(unroll, length - 1 - first))
    }
    assert seen == expected
    later = next(windows(stretches, unroll, stride, number))
    assert np.array_equal(later.inputs, batches[number % count].inputs)


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(2, 60), min_size=1, max_size=5),
    streams=st.integers(1, 8),
    unroll=st.integers(1, 25),
    seed=st.integers(0, 100),
)
def test_shuffled_windows_lie_within_a_stretch_and_know_nothing_of_each_other(
    lengths: list[int], streams: int, unroll: int, seed: int
) -> None:
    stretches = stretches_of(*lengths)
    for batch in itertools.islice(shuffled(stretches, streams, unroll, np.random.default_rng(seed)), 3):
        check(batch)
        assert batch.inputs.shape == (streams, unroll, 1)
        assert batch.fresh.all()
        assert batch.song is None
        for stream in range(streams):
            song = int(batch.inputs[stream, 0, 0]) // 1000
            assert batch.counted[stream].sum() == min(unroll, lengths[song] - 1)
            assert (batch.inputs[stream][batch.counted[stream]] // 1000 == song).all()


def test_shuffled_windows_begin_everywhere_alike() -> None:
    batches = itertools.islice(shuffled(stretches_of(14, 24), 50, 5, np.random.default_rng(0)), 60)
    firsts = np.concatenate([batch.inputs[:, 0, 0] for batch in batches])
    counts = np.array([(firsts == first).sum() for first in [*range(9), *range(1000, 1019)]])
    assert counts.sum() == len(firsts)
    assert np.abs(counts / len(firsts) - 1 / 28).max() < 0.012  # three deviations of 3,000 draws


@pytest.mark.parametrize(
    ("feeding", "shape"),
    [("streams", (3, 4, 1)), ("one_shot", (1, 29, 1)), ("windows", (1, 4, 1)), ("shuffled", (3, 4, 1))],
)
def test_the_recipe_says_how_the_corpus_is_fed(feeding: str, shape: tuple[int, ...]) -> None:
    recipe = Recipe(codec="amplitude", feeding=feeding, unroll=4, streams=3)
    batch = next(feed(recipe, stretches_of(30, 20), 3, np.random.default_rng(0), 0))
    check(batch)
    assert batch.inputs.shape == shape
    assert (batch.song is None) == (feeding in ("streams", "shuffled"))


def test_windows_without_a_stride_follow_without_overlap() -> None:
    recipe = Recipe(codec="amplitude", feeding="windows", unroll=4)
    batches = itertools.islice(feed(recipe, stretches_of(30), 1, np.random.default_rng(0), 2), 2)
    assert [batch.inputs[0, 0, 0] for batch in batches] == [8.0, 12.0]
