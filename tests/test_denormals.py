"""Denormals are zero while a block is made, in all kernels, and what they were afterwards."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numba import njit

from making import Array, Cell, amplitude_checkpoint, mulaw_checkpoint, tiered_checkpoint
from noizenet.checkpoint import Checkpoint
from noizenet_daemon.engine_numba import NumbaEngine, new_network_state
from noizenet_daemon.kernels.denormals import flush_denormals, restore_denormals
from noizenet_daemon.kernels.noise import Controls

DENORMAL = np.float32(1e-40)
MAKERS: list[Callable[..., Checkpoint]] = [amplitude_checkpoint, mulaw_checkpoint, tiered_checkpoint]


@njit
def halves(values: Any, flushing: bool) -> Any:
    """Returns the sum of half of each value, computed with denormals flushed or not."""
    before = flush_denormals() if flushing else 0
    total = np.float32(0.0)
    for k in range(values.shape[0]):
        total += np.float32(0.5) * values[k]
    if flushing:
        restore_denormals(before)
    return total


def test_denormals_are_zero_between_the_two_and_numbers_again_afterwards() -> None:
    values = np.full(5, DENORMAL)
    assert halves(values, False) > 0.0
    assert halves(values, True) == 0.0
    assert halves(values, False) > 0.0
    tiny = np.full(1, 1.5e-38, np.float32)  # a denormal only once it is halved
    assert halves(tiny, True) == 0.0
    assert DENORMAL * np.float32(0.5) > 0.0


def calls_of(engine: NumbaEngine, checkpoint: Checkpoint) -> list[Callable[[Any], None]]:
    """Returns all ways of stepping a state by a few steps."""
    codes = checkpoint.network.head == "categorical"
    steps: Array = np.full((4, 1), 128, np.int32) if codes else np.zeros((4, 1), np.float32)
    return [
        lambda state: engine.run(state, Controls(), steps.copy()),
        lambda state: engine.listen(state, steps),
        lambda state: engine.predict(state, steps, steps.copy()),
    ]


@pytest.mark.parametrize("make", MAKERS)
def test_a_state_that_dies_away_becomes_zero_on_every_way_of_stepping(make: Callable[..., Checkpoint]) -> None:
    checkpoint = make("lstm")
    for name, array in checkpoint.weights.items():
        if name.startswith("rnn."):
            array[:] = 0.0  # so the cell state halves with each step
    engine = NumbaEngine(checkpoint)
    for call in calls_of(engine, checkpoint):
        state = new_network_state(checkpoint.network, 1)
        state.cells.cell[:] = 1.2e-38  # the least normal number and a little
        call(state)
        assert not state.cells.cell.any()
        assert DENORMAL * np.float32(0.5) > 0.0  # Python's own arithmetic is as it was


@pytest.mark.parametrize("cell", ["rnn", "gru", "conv"])
def test_what_is_written_is_never_a_denormal(cell: Cell) -> None:
    checkpoint = amplitude_checkpoint(cell, 2)
    for array in checkpoint.weights.values():
        array *= 0.0 if array.ndim == 1 else 0.3
    engine, state = NumbaEngine(checkpoint), new_network_state(checkpoint.network, 1)
    state.cells.hidden[:], state.last[:] = 1e-30, 1e-30
    out = np.zeros((400, 1), np.float32)
    engine.run(state, Controls(), out)
    for values in (state.cells.hidden, state.cells.cell, out):
        magnitudes = np.abs(values[values != 0.0])
        assert not (magnitudes < np.finfo(np.float32).tiny).any()
    assert out[-1, 0] == 0.0
