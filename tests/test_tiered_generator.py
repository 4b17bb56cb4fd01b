"""A network of two tiers as it is played: alike by both engines, from its states, unharmed by NaN."""

import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

from making import Array, tiered_checkpoint
from noizenet.states import kept_arrays
from noizenet_daemon.generator import EngineName, Generator, GeneratorState
from noizenet_daemon.kernels.noise import Controls


def play(generator: Generator, state: GeneratorState, blocks: int = 1) -> Array:
    """Returns the next blocks."""
    out = np.full((blocks, generator.chunk_frames, 1), np.nan, np.float32)
    for block in out:
        generator.generate(state, Controls(), block)
    return out.reshape(-1)


@pytest.mark.parametrize("frame", [4, 5, 200])  # of which a block holds many, many and a part, less than one
def test_both_engines_play_the_same_sound(frame: int) -> None:
    checkpoint = tiered_checkpoint("gru", 2, frame=frame)
    generators = [Generator(checkpoint, engine) for engine in ("numba", "torch")]
    first, second = (play(generator, generator.new_state(7), 3) for generator in generators)
    assert np.abs(first - second).max() < 1e-6
    assert np.ptp(first) > 0.1


def test_it_starts_with_what_its_state_has_heard() -> None:
    checkpoint = tiered_checkpoint()
    state = Generator(checkpoint).new_state(3)
    assert np.array_equal(state.network.tiers.recent, checkpoint.states["1"]["recent"])
    assert state.network.tiers.place[0] == checkpoint.network.frame


def test_a_copy_plays_on_as_the_original_from_the_middle_of_a_frame() -> None:
    generator = Generator(tiered_checkpoint(frame=7))
    state = generator.new_state(3)
    play(generator, state)
    assert state.network.tiers.place[0] not in (0, 7)
    copy = generator.copy_of(state)
    assert np.array_equal(play(generator, state, 2), play(generator, copy, 2))


@pytest.mark.parametrize("part", ["hidden", "cell"])
@pytest.mark.parametrize("engine", ["numba", "torch"])
def test_what_is_not_finite_is_rolled_back(engine: EngineName, part: str) -> None:
    generator = Generator(tiered_checkpoint(), engine)
    state = generator.new_state(1)
    play(generator, state)
    good = [array.copy() for array in kept_arrays((state.network, state.decoder))]
    getattr(state.network.cells, part)[0, 0] = np.nan
    bad = play(generator, state)
    assert (bad[64:] == 0.0).all()
    for saved, array in zip(good, kept_arrays((state.network, state.decoder)), strict=True):
        assert array.dtype == np.uint64 or np.array_equal(array, saved)
    assert np.isfinite(play(generator, state, 3)).all()
    assert state.guard.counts.tolist() == [1, 0, 0]


def test_the_kernels_allocate_nothing_while_they_step() -> None:
    """What is measured: numba's own count of allocations, the same for 1 step as for 500."""
    generator = Generator(tiered_checkpoint())
    state = generator.new_state(1)
    counts = []
    _nrt_python.memsys_enable_stats()
    try:
        for length in (1, 1, 500):
            steps, out = np.zeros((length, 1), np.int32), np.zeros(length, np.float32)
            before = rtsys.get_allocation_stats().alloc
            generator._engine.run(state.network, Controls(noise=0.1, top_p=0.9), steps)
            generator.codec.decode(state.decoder, steps, out)
            counts.append(rtsys.get_allocation_stats().alloc - before)
    finally:
        _nrt_python.memsys_disable_stats()
    assert counts[1] == counts[2]
