"""Random numbers: the published algorithm, and the distributions made from it."""

import numpy as np

from noizenet_daemon.kernels.rng import new_rng, normal, uniform

MASK = (1 << 64) - 1
# The first outputs of xoshiro256++ from the state 1, 2, 3, 4, as its authors' C program prints them.
PUBLISHED = [41943041, 58720359, 3588806011781223, 3591011842654386, 9228616714210784205, 9973669472204895162]
# The first outputs of SplitMix64 from the seed 0.
PUBLISHED_SPLITMIX = [
    0xE220A8397B1DCDAF,
    0x6E789E6AA1B965F4,
    0x06C45D188009454F,
    0xF88BB8A8724C81EC,
    0x1B39896A51A8749B,
]


def rotate(x: int, count: int) -> int:
    return ((x << count) | (x >> (64 - count))) & MASK


def xoshiro(state: list[int]) -> int:
    """Returns the next number of 64 bits, in whole numbers of Python, and moves the state on."""
    result = (rotate((state[0] + state[3]) & MASK, 23) + state[0]) & MASK
    shifted = (state[1] << 17) & MASK
    state[2] ^= state[0]
    state[3] ^= state[1]
    state[1] ^= state[2]
    state[0] ^= state[3]
    state[2] ^= shifted
    state[3] = rotate(state[3], 45)
    return result


def test_the_reference_gives_the_published_numbers() -> None:
    state = [1, 2, 3, 4]
    assert [xoshiro(state) for _ in PUBLISHED] == PUBLISHED


def test_the_kernel_gives_the_reference_s_numbers_and_states() -> None:
    for seed in (0, 1, 12345, -1, 1 << 80):
        rng = new_rng(seed)
        state = [int(word) for word in rng]
        for _ in range(500):
            assert uniform(rng) == (xoshiro(state) >> 11) / (1 << 53)
        assert [int(word) for word in rng] == state


def test_seeds_are_spread_by_splitmix() -> None:
    assert [int(word) for word in new_rng(0)] == PUBLISHED_SPLITMIX


def test_neighbouring_seeds_have_nothing_in_common() -> None:
    rows = []
    for seed in range(20):
        rng = new_rng(seed)
        rows.append([uniform(rng) for _ in range(2000)])
    correlation = np.corrcoef(rows) - np.eye(20)
    assert np.abs(correlation).max() < 0.12  # five standard errors


def test_uniform_numbers_fill_zero_to_one_evenly() -> None:
    rng = new_rng(7)
    values = np.array([uniform(rng) for _ in range(50_000)])
    assert values.min() >= 0.0
    assert values.max() < 1.0
    counts = np.histogram(values, 20, (0.0, 1.0))[0]
    assert ((counts - 2500.0) ** 2 / 2500.0).sum() < 50.0  # chi squared of 19 degrees: 43.8 in one of 1000


def test_normal_numbers_have_the_moments_of_the_normal_distribution() -> None:
    rng = new_rng(8)
    values = np.array([normal(rng) for _ in range(100_000)])
    assert np.isfinite(values).all()
    assert abs(values.mean()) < 0.015
    assert abs(values.std() - 1.0) < 0.01
    assert abs((values**3).mean()) < 0.05
    assert abs((values**4).mean() - 3.0) < 0.15
