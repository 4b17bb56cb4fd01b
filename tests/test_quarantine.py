"""Quarantine: what is not finite is never played, and the sound comes back."""

from collections.abc import Callable

import numpy as np
import pytest

from making import (
    Array,
    Cell,
    amplitude_checkpoint,
    gaussian_checkpoint,
    memory_checkpoint,
    mulaw_checkpoint,
    stereo_checkpoint,
    tiered_checkpoint,
    tokens_checkpoint,
)
from noizenet.checkpoint import Checkpoint
from noizenet.states import arrays_of, kept_arrays
from noizenet_daemon.generator import EngineName, Generator, GeneratorState
from noizenet_daemon.kernels.noise import INPUT, Controls
from noizenet_daemon.quarantine import FADE_FRAMES, PATIENCE, guarded, quarantine

MAKERS: list[Callable[..., Checkpoint]] = [
    tokens_checkpoint,
    mulaw_checkpoint,
    amplitude_checkpoint,
    gaussian_checkpoint,
    stereo_checkpoint,
]


def play(generator: Generator, state: GeneratorState, blocks: int = 1) -> Array:
    """Returns the next blocks, (frames, channels)."""
    out = np.full((blocks, generator.chunk_frames, generator.channels), np.nan, np.float32)
    for block in out:
        generator.generate(state, Controls(), block)
    return out.reshape(-1, generator.channels)


@pytest.mark.parametrize("engine", ["numba", "torch"])
@pytest.mark.parametrize(
    ("cell", "part", "values"),
    [
        ("rnn", "hidden", [np.nan]),
        ("gru", "hidden", [np.nan]),
        ("lstm", "hidden", [np.nan]),
        ("lstm", "cell", [np.nan]),
        ("lstm", "cell", [np.inf]),
        ("lstm", "cell", [np.inf, -np.inf]),
        ("conv", "cell", [np.nan]),
    ],
)
@pytest.mark.parametrize("make", MAKERS)
def test_what_is_not_finite_in_the_network_is_faded_over_rolled_back_and_counted(
    make: Callable[..., Checkpoint], cell: Cell, part: str, values: list[float], engine: EngineName
) -> None:
    generator = Generator(make(cell), engine)
    state = generator.new_state(1)
    before = play(generator, state, 6 if generator.codec.hop > 1 else 1)
    good = [array.copy() for array in kept_arrays((state.network, state.decoder))]
    getattr(state.network.cells, part)[0, : len(values)] = values
    bad = play(generator, state)
    fade = min(FADE_FRAMES, len(bad))
    assert bad[:fade] == pytest.approx(before[-1] * np.linspace(1.0, 0.0, fade)[:, None], abs=1e-6)
    assert (bad[fade:] == 0.0).all()
    assert state.guard.counts[0] == 1
    for saved, array in zip(good, kept_arrays((state.network, state.decoder)), strict=True):
        if array.dtype != np.uint64:
            assert np.array_equal(array, saved)
    after = play(generator, state, 3)
    assert np.isfinite(after).all()
    assert (after[0] == 0.0).all()
    assert np.abs(after).max() > 1e-3
    assert np.isfinite(state.network.cells.hidden).all()
    assert np.isfinite(state.network.cells.cell).all()
    assert state.guard.counts.tolist() == [1, 0, 0]


def test_a_good_block_goes_through_untouched() -> None:
    state, guard = guarded((np.arange(3.0),), 256, 2)
    block = np.random.default_rng(0).standard_normal((256, 2)).astype(np.float32)
    copy = block.copy()
    quarantine(guard, state, block)
    assert np.array_equal(block, copy)
    assert guard.counts.tolist() == [0, 0, 0]


@pytest.mark.parametrize("frames", [16, 64, 256])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_no_seam_is_a_jump_however_short_the_block(value: float, frames: int) -> None:
    state, guard = guarded((np.arange(3.0),), frames, 2)
    pieces = []
    for bad in (False, True, False, False):
        block = np.full((frames, 2), (0.5, -0.5), np.float32)
        if bad:
            block[frames // 2, 1] = value
        quarantine(guard, state, block)
        pieces.append(block)
    sound = np.concatenate(pieces)
    assert np.isfinite(sound).all()
    assert np.abs(np.diff(sound, axis=0)).max() <= 0.5 / (min(frames, FADE_FRAMES) - 1) + 1e-6
    assert sound[0].tolist() == sound[-1].tolist() == [0.5, -0.5]


def test_the_random_numbers_are_not_rolled_back() -> None:
    state, guard = guarded((np.zeros(2, np.float32), np.array([1, 2], np.uint64)), 64, 1)
    state[0][:], state[1][:] = 9.0, 9
    quarantine(guard, state, np.full((64, 1), np.nan, np.float32))
    assert state[0].tolist() == [0.0, 0.0]
    assert state[1].tolist() == [9, 9]


def test_after_some_bad_blocks_in_a_row_the_voice_begins_anew() -> None:
    state, guard = guarded((np.zeros(1, np.float32),), 64, 1)
    state[0][0] = 1.0
    quarantine(guard, state, np.zeros((64, 1), np.float32))
    places = []
    for _ in range(PATIENCE + 1):
        quarantine(guard, state, np.full((64, 1), np.nan, np.float32))
        places.append(float(state[0][0]))
    assert places == [1.0] * (PATIENCE - 1) + [0.0, 0.0]
    assert guard.counts.tolist() == [PATIENCE + 1, PATIENCE + 1, 1]


def test_a_hidden_state_that_is_bad_from_the_start_is_silent_and_counted() -> None:
    checkpoint = tokens_checkpoint()
    for start in checkpoint.states.values():
        start["cell"][:] = np.nan
    generator = Generator(checkpoint)
    state = generator.new_state(0)
    assert (play(generator, state, 10) == 0.0).all()
    assert state.guard.counts[0] == 10


@pytest.mark.parametrize("make", [*MAKERS, memory_checkpoint, tiered_checkpoint])
def test_what_is_not_saved_is_not_missed(make: Callable[..., Checkpoint]) -> None:
    """All that a block leaves in its workspace is spoilt before the next one: nothing comes of that."""
    generator = Generator(make())
    controls = Controls(stray=1.0, noise=0.05, target=INPUT, top_p=0.9)
    sounds = []
    workspace: set[int] = set()
    for spoils in (False, True):
        state = generator.new_state(1)
        arrays, kept = arrays_of(state[:3]), {id(array) for array in kept_arrays(state[:3])}
        before = [array.copy() for array in arrays]
        out = np.zeros((80, generator.chunk_frames, generator.channels), np.float32)
        for block in out:
            for number in workspace if spoils else ():
                arrays[number].fill(7)
            generator.generate(state, controls, block)
        sounds.append(out)
        for number, (array, old) in enumerate(zip(arrays, before, strict=True)):  # tables stay as they were
            if id(array) not in kept and not np.array_equal(array, old):
                workspace.add(number)
    assert len(workspace) >= 2
    assert np.array_equal(*sounds)
