"""Networks of two tiers on both engines: the border of a frame may lie anywhere, and noise is heard as it should be."""

import numpy as np
import pytest

from making import Array, tiered_checkpoint
from noizenet.checkpoint import Checkpoint
from noizenet.states import arrays_of
from noizenet_daemon.engine_numba import NumbaEngine, new_network_state
from noizenet_daemon.engine_torch import TorchEngine
from noizenet_daemon.kernels.networks import NetworkState
from noizenet_daemon.kernels.noise import CELL, HIDDEN, INPUT, NORMAL, PERIODIC, PERLIN, UNIFORM, Controls

SHAPES = [(4, 6), (6, 4), (5, 5), (1, 3)]  # frame, reach
CELLS = ["rnn", "lstm", "gru"]
TARGETS = [INPUT, HIDDEN, CELL]
STEPS = 120


def lively(checkpoint: Checkpoint) -> Checkpoint:
    """Returns the checkpoint, so changed that what it hears decides what it says."""
    for name, array in checkpoint.weights.items():
        if not name.startswith("rnn."):
            array *= 3.0
    return checkpoint


def state_of(checkpoint: Checkpoint, seed: int = 7) -> NetworkState:
    """Returns the state that the checkpoint's hidden state makes."""
    state = new_network_state(checkpoint.network, seed)
    start = checkpoint.states["1"]
    state.cells.hidden[:], state.cells.cell[:], state.last[:] = start["hidden"], start["cell"], start["last"]
    state.tiers.recent[:] = start["recent"]
    return state


def run(
    engine: NumbaEngine | TorchEngine, state: NetworkState, controls: Controls, count: int = STEPS, block: int = STEPS
) -> Array:
    """Returns the next codes, made in blocks."""
    out = np.zeros((count, 1), np.int32)
    for start in range(0, count, block):
        engine.run(state, controls, out[start : start + block])
    return out


def codes(count: int, seed: int = 0) -> Array:
    """Returns codes of a random walk, int32 (count, 1)."""
    walk = np.cumsum(np.random.default_rng(seed).integers(-9, 10, count))
    return np.clip(128 + walk, 0, 255).astype(np.int32)[:, None]


def assert_same(first: NetworkState, second: NetworkState, tolerance: float = 0.0) -> None:
    """Both remember the same; workspaces, too, if nothing is tolerated."""
    named = [(first.cells.hidden, second.cells.hidden), (first.cells.cell, second.cells.cell)]
    named += [(first.tiers.told, second.tiers.told)]
    assert all(np.abs(a - b).max() <= tolerance for a, b in named)
    assert np.array_equal(first.tiers.recent, second.tiers.recent)
    assert np.array_equal(first.tiers.place, second.tiers.place)
    if not tolerance:
        assert all(np.array_equal(a, b) for a, b in zip(arrays_of(first), arrays_of(second), strict=True))


@pytest.mark.parametrize(("frame", "reach"), SHAPES)
@pytest.mark.parametrize("block", [1, 3, 7, 64])
def test_blocks_of_any_length_give_the_same_steps(frame: int, reach: int, block: int) -> None:
    checkpoint = lively(tiered_checkpoint(layers=2, frame=frame, reach=reach))
    engine = NumbaEngine(checkpoint)
    for controls in (Controls(), Controls(noise=0.2, target=CELL, mode=PERIODIC, period=5)):
        whole, pieces = state_of(checkpoint), state_of(checkpoint)
        assert np.array_equal(run(engine, whole, controls), run(engine, pieces, controls, block=block))
        assert_same(whole, pieces)


@pytest.mark.parametrize(("frame", "reach"), SHAPES)
@pytest.mark.parametrize("cell", CELLS)
def test_numba_draws_predicts_and_remembers_as_torch_does(cell: str, frame: int, reach: int) -> None:
    checkpoint = lively(tiered_checkpoint(cell, 2, frame=frame, reach=reach))  # type: ignore[arg-type]
    numba, torch = NumbaEngine(checkpoint), TorchEngine(checkpoint)
    first, second = state_of(checkpoint), state_of(checkpoint)
    for controls in (Controls(), Controls(temperature=0.7), Controls(top_p=0.6)):
        drawn = run(numba, first, controls, 61)
        assert np.array_equal(drawn, run(torch, second, controls, 61, block=7))
        assert len(np.unique(drawn)) > 10
    assert_same(first, second, 1e-5)
    heard = codes(50)
    expected: list[Array] = [np.zeros_like(heard), np.zeros_like(heard)]
    numba.predict(first, heard, expected[0])
    torch.predict(second, heard, expected[1])
    assert np.array_equal(expected[0], expected[1])
    numba.listen(first, heard[:17])
    torch.listen(second, heard[:17])
    assert_same(first, second, 1e-5)


@pytest.mark.parametrize(("frame", "reach"), SHAPES)
def test_hearing_a_prime_in_pieces_is_the_same_as_at_once(frame: int, reach: int) -> None:
    checkpoint = tiered_checkpoint(frame=frame, reach=reach)
    heard = codes(100)
    for engine in (NumbaEngine(checkpoint), TorchEngine(checkpoint)):
        at_once, in_pieces = (new_network_state(checkpoint.network, 3) for _ in range(2))
        engine.listen(at_once, heard)
        for start in range(0, 100, 7):
            engine.listen(in_pieces, heard[start : start + 7])
        assert_same(at_once, in_pieces)
        assert at_once.tiers.recent[-1] == at_once.last[0] == heard[-1, 0]


def test_a_prediction_is_what_the_network_would_play_without_chance() -> None:
    checkpoint = lively(tiered_checkpoint())
    engine = NumbaEngine(checkpoint)
    state, copy = state_of(checkpoint), state_of(checkpoint)
    heard = codes(40)
    predicted = np.zeros_like(heard)
    engine.predict(state, heard, predicted)
    for code, expected in zip(heard, predicted, strict=True):
        assert run(engine, copy, Controls(temperature=1e-9), 1)[0] == expected
        copy.last[:] = copy.tiers.recent[-1] = code[0]
    assert len(np.unique(predicted)) > 5


@pytest.mark.parametrize("target", TARGETS)
@pytest.mark.parametrize("kind", [NORMAL, UNIFORM, PERLIN])
@pytest.mark.parametrize("cell", CELLS)
def test_noise_of_every_kind_disturbs_every_target_alike_on_both_engines(cell: str, kind: int, target: int) -> None:
    checkpoint = lively(tiered_checkpoint(cell, 2))  # type: ignore[arg-type]
    noisy = Controls(noise=1.0, kind=kind, target=target, perlin_step=0.1)
    still, numba = (run(NumbaEngine(checkpoint), state_of(checkpoint), c, 60) for c in (Controls(), noisy))
    assert not np.array_equal(numba, still)
    assert np.array_equal(numba, run(TorchEngine(checkpoint), state_of(checkpoint), noisy, 60))


def test_continuous_noise_on_the_cells_goes_in_once_a_turn_and_that_on_the_input_at_each_step() -> None:
    checkpoint = tiered_checkpoint(frame=4)
    engine = NumbaEngine(checkpoint)
    draws = {}
    for target in (HIDDEN, INPUT):
        state, drawn = state_of(checkpoint), []
        for _ in range(12):
            still = state.rng.copy()
            quiet = state_of(checkpoint)
            quiet.rng[:] = still
            run(engine, quiet, Controls(), 1)  # one draw, of the code
            run(engine, state, Controls(noise=0.1, target=target), 1)
            drawn.append(not np.array_equal(state.rng, quiet.rng))
        draws[target] = drawn
    assert draws[HIDDEN] == [True, False, False, False] * 3
    assert all(draws[INPUT])


@pytest.mark.parametrize("period", [1, 3, 50])
def test_periodic_noise_draws_at_its_period_wherever_the_frame_stands(period: int) -> None:
    checkpoint = tiered_checkpoint(frame=4)
    engine = NumbaEngine(checkpoint)
    state = state_of(checkpoint)
    controls = Controls(noise=0.3, target=HIDDEN, mode=PERIODIC, period=period)
    for step in range(101):
        before = state.rng.copy()
        quiet = state_of(checkpoint)
        quiet.rng[:] = before
        run(engine, quiet, Controls(), 1)
        run(engine, state, controls, 1)
        assert np.array_equal(state.rng, quiet.rng) == (step % period != 0)
