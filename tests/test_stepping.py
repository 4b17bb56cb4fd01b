"""Stepping: blocks of any length give the same, all cells and heads on both engines; noise goes where it should."""

from collections.abc import Callable

import numpy as np
import pytest
from numpy.lib.stride_tricks import sliding_window_view

from making import (
    Array,
    Cell,
    amplitude_checkpoint,
    fft_checkpoint,
    gaussian_checkpoint,
    listening_checkpoint,
    melody,
    mulaw_checkpoint,
    tokens_checkpoint,
)
from noizenet.checkpoint import Checkpoint
from noizenet.states import copy_state
from noizenet_daemon.engine_numba import NumbaEngine, new_network_state
from noizenet_daemon.engine_torch import TorchEngine
from noizenet_daemon.kernels.collapse import TOLERANCE as TOLERANCE_OF_COLLAPSE
from noizenet_daemon.kernels.collapse import is_collapsed
from noizenet_daemon.kernels.networks import NetworkState
from noizenet_daemon.kernels.noise import (
    CELL,
    HIDDEN,
    INPUT,
    NORMAL,
    ON_COLLAPSE,
    PERIODIC,
    PERLIN,
    PINK,
    UNIFORM,
    Controls,
)
from noizenet_daemon.kernels.stepping import inject
from rolling import cell_oldest_first

CELLS: list[Cell] = ["rnn", "lstm", "gru", "conv"]


def drawn_frames(cell: Cell, layers: int) -> Checkpoint:
    """Returns a checkpoint whose network draws all 129 numbers of each spectral frame."""
    return fft_checkpoint(cell, layers, view="magnitude", head="gaussian")


MAKERS: list[Callable[..., Checkpoint]] = [
    tokens_checkpoint,
    mulaw_checkpoint,
    amplitude_checkpoint,
    listening_checkpoint,
    gaussian_checkpoint,
    drawn_frames,
]
KINDS = [NORMAL, UNIFORM, PERLIN, PINK]
TARGETS = [INPUT, HIDDEN, CELL]
STEPS = 200
TOLERANCE = 1e-4  # between the engines, for features: 5e-5 was the most, at the most noise, in frames


def state_of(checkpoint: Checkpoint, seed: int = 7) -> NetworkState:
    """Returns the state that the checkpoint's first hidden state makes."""
    state = new_network_state(checkpoint.network, seed)
    start = next(iter(checkpoint.states.values()))
    state.cells.hidden[:], state.cells.cell[:], state.last[:] = start["hidden"], start["cell"], start["last"]
    return state


def lively(checkpoint: Checkpoint) -> Checkpoint:
    """Returns the checkpoint; one over codes so changed that what it hears decides what it says."""
    for name, array in checkpoint.weights.items():
        if checkpoint.network.head == "categorical" and not name.startswith("rnn."):
            array *= 0.0 if name.endswith("bias") else 8.0
    return checkpoint


def steps_in(checkpoint: Checkpoint, count: int = STEPS) -> Array:
    """Returns the steps of a melody."""
    codec = checkpoint.codec
    samples = melody(count * codec.hop / codec.sample_rate + 0.1, codec.sample_rate)[: count * codec.hop]
    return codec.encode(codec.new_encoder_state(), samples)


def run(
    engine: NumbaEngine | TorchEngine, state: NetworkState, controls: Controls, count: int = STEPS, block: int = STEPS
) -> Array:
    """Returns the next steps, made in blocks."""
    out = np.zeros((count, len(state.last)), state.last.dtype)
    for start in range(0, count, block):
        engine.run(state, controls, out[start : start + block])
    return out


def least_movement(values: Array, window: int) -> float:
    """Returns the least that values move, lowest to highest, in any stretch of `window` steps."""
    return float(np.ptp(sliding_window_view(values, window), axis=1).min())


def assert_same_memory(checkpoint: Checkpoint, first: NetworkState, second: NetworkState, tolerance: float) -> None:
    shape = checkpoint.network
    assert np.abs(first.cells.hidden - second.cells.hidden).max() <= tolerance
    assert np.abs(cell_oldest_first(shape, first.cells) - cell_oldest_first(shape, second.cells)).max() <= tolerance
    assert np.abs(first.last - second.last).max() <= tolerance


@pytest.mark.parametrize("block", [1, 7, 128])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("make", MAKERS)
def test_blocks_of_any_length_give_the_same_steps(make: Callable[..., Checkpoint], cell: Cell, block: int) -> None:
    checkpoint = make(cell, 3)
    engine = NumbaEngine(checkpoint)
    for controls in (
        Controls(),
        Controls(noise=0.2, target=CELL, mode=PERIODIC, period=5),
        Controls(noise=0.2, kind=PINK),
    ):
        whole, pieces = state_of(checkpoint), state_of(checkpoint)
        assert np.array_equal(run(engine, whole, controls), run(engine, pieces, controls, block=block))
        assert_same_memory(checkpoint, whole, pieces, 0.0)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("make", MAKERS)
def test_hearing_a_prime_in_pieces_and_playing_on_is_the_same_as_at_once(
    make: Callable[..., Checkpoint], cell: Cell
) -> None:
    checkpoint = make(cell, 3)
    heard = steps_in(checkpoint, 100)
    for engine in (NumbaEngine(checkpoint), TorchEngine(checkpoint)):
        at_once, in_pieces, stored = (new_network_state(checkpoint.network, 3) for _ in range(3))
        engine.listen(at_once, heard)
        # each piece begins with the step that the one before ended with, which the network has yet to take in
        for start in range(0, 99, 11):
            engine.listen(in_pieces, heard[start : start + 12])
        assert_same_memory(checkpoint, at_once, in_pieces, 0.0)
        # as a checkpoint would hold it
        stored.cells.hidden[:] = at_once.cells.hidden
        stored.cells.cell[:] = cell_oldest_first(checkpoint.network, at_once.cells)
        stored.last[:] = at_once.last
        first, *others = (run(engine, state, Controls(), 40) for state in (at_once, in_pieces, stored))
        assert all(np.array_equal(first, other) for other in others)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("make", MAKERS)
def test_numba_predicts_as_torch_does(make: Callable[..., Checkpoint], cell: Cell) -> None:
    checkpoint = lively(make(cell, 2))
    heard = steps_in(checkpoint)
    found = []
    for engine in (NumbaEngine(checkpoint), TorchEngine(checkpoint)):
        state = state_of(checkpoint)
        found.append(np.zeros_like(heard))
        engine.predict(state, heard, found[-1])
        assert np.array_equal(state.last, heard[-1])
    assert np.abs(found[0] - found[1]).max() < (1 if heard.dtype == np.int32 else TOLERANCE)
    assert len(np.unique(found[0], axis=0)) > 1


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("make", MAKERS)
def test_a_prediction_is_what_the_network_would_play_without_chance(
    make: Callable[..., Checkpoint], cell: Cell
) -> None:
    checkpoint = make(cell, 2)
    engine = NumbaEngine(checkpoint)
    state, copy = state_of(checkpoint), state_of(checkpoint)
    heard = steps_in(checkpoint, 50)
    predicted = np.zeros_like(heard)
    engine.predict(state, heard, predicted)
    for step, expected in zip(heard, predicted, strict=True):
        played = run(engine, copy, Controls(temperature=1e-9), 1)
        assert np.abs(played[0] - expected).max() < (1 if heard.dtype == np.int32 else TOLERANCE)
        copy.last[:] = step
    assert_same_memory(checkpoint, state, copy, 0.0)


@pytest.mark.parametrize("make", MAKERS)
def test_predicting_goes_on_from_block_to_block(make: Callable[..., Checkpoint]) -> None:
    checkpoint = make("conv", 3)
    engine = NumbaEngine(checkpoint)
    heard = steps_in(checkpoint)
    whole, pieces = np.zeros_like(heard), np.zeros_like(heard)
    engine.predict(state_of(checkpoint), heard, whole)
    state = state_of(checkpoint)
    for start in range(0, STEPS, 7):
        engine.predict(state, heard[start : start + 7], pieces[start : start + 7])
    assert np.array_equal(whole, pieces)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("make", MAKERS)
def test_noise_of_every_kind_disturbs_every_target_alike_on_both_engines(
    make: Callable[..., Checkpoint], cell: Cell, kind: int, target: int
) -> None:
    checkpoint = lively(make(cell, 2))
    noisy = Controls(noise=1.0, kind=kind, target=target, perlin_step=0.1)
    still, numba = (run(NumbaEngine(checkpoint), state_of(checkpoint), c, 60) for c in (Controls(), noisy))
    torch = run(TorchEngine(checkpoint), state_of(checkpoint), noisy, 60)
    assert not np.array_equal(numba, still)
    # a GRU that pink noise pushes one way for long says numbers of 60: single precision goes with the size
    tolerance = 1 if numba.dtype == np.int32 else TOLERANCE * max(1.0, 0.1 * float(np.abs(torch).max()))
    assert np.abs(numba - torch).max() < tolerance


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("make", MAKERS)
def test_no_noise_changes_nothing_whatever_its_kind_and_target(make: Callable[..., Checkpoint], cell: Cell) -> None:
    checkpoint = make(cell, 2)
    engine = NumbaEngine(checkpoint)
    still = run(engine, state_of(checkpoint), Controls())
    for kind in KINDS:
        for target in TARGETS:
            assert np.array_equal(run(engine, state_of(checkpoint), Controls(kind=kind, target=target)), still)


@pytest.mark.parametrize(("target", "heard_after"), [(CELL, 0), (HIDDEN, 7)])
def test_noise_on_a_convolution_is_heard_when_the_row_it_went_to_is_read(target: int, heard_after: int) -> None:
    checkpoint = amplitude_checkpoint("conv", 4)
    engine = NumbaEngine(checkpoint)
    quiet, noisy = state_of(checkpoint), state_of(checkpoint)
    inject(engine.weights.layers, noisy, Controls(noise=0.5, target=target), 1.0)
    # of the noise in the fourth layer alone: it reads a row 8 steps after it wrote it
    noisy.cells.cell[:7] = quiet.cells.cell[:7]
    difference = (run(engine, noisy, Controls(), 20) != run(engine, quiet, Controls(), 20))[:, 0]
    assert int(np.flatnonzero(difference)[0]) == heard_after


@pytest.mark.parametrize("period", [1, 3, 50])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("make", MAKERS)
def test_periodic_noise_draws_at_its_period_and_no_more(
    make: Callable[..., Checkpoint], cell: Cell, period: int
) -> None:
    checkpoint = make(cell, 2)
    engine = NumbaEngine(checkpoint)
    disturbed, undisturbed = state_of(checkpoint), state_of(checkpoint)
    controls = Controls(noise=0.3, target=HIDDEN, mode=PERIODIC, period=period)
    for step in range(101):
        copy_state(disturbed, undisturbed)
        noisy, still = run(engine, disturbed, controls, 1), run(engine, undisturbed, Controls(), 1)
        changed = not np.array_equal(disturbed.rng, undisturbed.rng)
        assert changed == (step % period == 0), step
        assert changed or np.array_equal(noisy, still)


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("cell", CELLS)
def test_noise_on_collapse_wakes_what_is_stuck_and_leaves_the_rest_alone(cell: Cell, kind: int, target: int) -> None:
    checkpoint = amplitude_checkpoint(cell, 2)
    engine = NumbaEngine(checkpoint)
    hold = 100
    controls = Controls(noise=0.5, kind=kind, target=target, mode=ON_COLLAPSE, hold=hold, perlin_step=0.05)
    still, stirred = state_of(checkpoint), state_of(checkpoint)
    quiet, woken = run(engine, still, Controls(), 1000)[:, 0], run(engine, stirred, controls, 1000)[:, 0]
    assert is_collapsed(still.runs, hold)
    assert np.ptp(quiet[-hold:]) < 1e-3
    first = int(np.flatnonzero(quiet != woken)[0])
    assert first >= hold  # nothing was disturbed before it was stuck
    assert np.ptp(woken[first : first + 50]) > 2 * TOLERANCE_OF_COLLAPSE
    # what falls asleep again is woken again: never is it stuck for much longer than it takes to notice
    assert least_movement(woken, hold + 50) > TOLERANCE_OF_COLLAPSE
