"""Eight numbers at once do what NumPy does with as many."""

import numpy as np
import pytest
from numba import njit
from numba.core.errors import TypingError

from making import Array
from noizenet.codecs.lanes import (
    LANES,
    backward,
    load,
    load_columns,
    load_pairs,
    minus_product,
    root,
    store,
    store_pairs,
)
from noizenet.vectors import multiply_add, splat


def numbers(count: int = LANES, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(0.5, 2.0, count).astype(np.float32)


def test_arithmetic_is_numpys() -> None:
    @njit
    def reckon(a, b, out):  # type: ignore[no-untyped-def]
        x, y = load(a, 0), load(b, 0)
        store(out, 0, (x + y) * (x - y) / (y * splat(np.float32(3.0), LANES)))

    a, b, out = numbers(), numbers(seed=1), numbers(seed=2)
    reckon(a, b, out)
    assert np.array_equal(out, (a + b) * (a - b) / (b * np.float32(3.0)))


def test_products_are_added_and_taken_away() -> None:
    @njit
    def reckon(a, b, c, more, less, roots):  # type: ignore[no-untyped-def]
        store(more, 0, multiply_add(load(a, 0), load(b, 0), load(c, 0)))
        store(less, 0, minus_product(load(c, 0), load(a, 0), load(b, 0)))
        store(roots, 0, root(load(a, 0)))

    a, b, c, more, less, roots = (numbers(seed=seed) for seed in range(6))
    reckon(a, b, c, more, less, roots)
    assert more == pytest.approx(c + a * b, rel=1e-6)
    assert less == pytest.approx(c - a * b, abs=1e-6)
    assert np.array_equal(roots, np.sqrt(a))


@pytest.mark.parametrize("first", [0, 1, 5])
def test_lanes_are_read_and_written_from_any_place(first: int) -> None:
    @njit
    def move(x, out, first):  # type: ignore[no-untyped-def]
        store(out, first, backward(load(x, first)))

    x, out = numbers(20), np.zeros(20, np.float32)
    move(x, out, first)
    assert np.array_equal(out[first : first + LANES], x[first : first + LANES][::-1])
    assert not np.delete(out, slice(first, first + LANES)).any()


def test_pairs_are_parted_and_put_together() -> None:
    @njit
    def part(x, even, odd, again):  # type: ignore[no-untyped-def]
        a, b = load_pairs(x, 1)
        store(even, 0, a)
        store(odd, 0, b)
        store_pairs(again, 1, a, b)

    x, even, odd, again = numbers(18), *(np.zeros(size, np.float32) for size in (8, 8, 18))
    part(x, even, odd, again)
    assert np.array_equal(even, x[1:17:2])
    assert np.array_equal(odd, x[2:18:2])
    assert np.array_equal(again[1:17], x[1:17])
    assert again[0] == again[17] == 0.0


def test_columns_are_every_eighth_number() -> None:
    @njit
    def turn(x, out):  # type: ignore[no-untyped-def]
        columns = load_columns(x, 3)
        for column in range(LANES):
            store(out, LANES * column, columns[column])

    x, out = numbers(70), np.zeros(64, np.float32)
    turn(x, out)
    assert np.array_equal(out.reshape(8, 8), x[3:67].reshape(8, 8).T)


@pytest.mark.parametrize("array", [np.zeros(16), np.zeros(32, np.float32)[::2], np.zeros((2, 8), np.float32)])
def test_other_arrays_are_refused(array: Array) -> None:
    @njit
    def move(x):  # type: ignore[no-untyped-def]
        store(x, 0, load(x, 0))

    with pytest.raises(TypingError, match="lanes lie in contiguous float32 arrays of one dimension"):
        move(array)
