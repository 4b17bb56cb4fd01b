"""Weights of fewer bits: every cell and head plays with them, near what it plays in float32."""

from collections.abc import Callable

import numpy as np
import pytest

from making import (
    Array,
    Cell,
    amplitude_checkpoint,
    broken_checkpoint,
    melody,
    mulaw_checkpoint,
    tiered_checkpoint,
    tokens_checkpoint,
)
from noizenet.checkpoint import Checkpoint
from noizenet.errors import UsageError
from noizenet.network import NetworkShape
from noizenet_daemon.engine_numba import NumbaEngine, new_network_state
from noizenet_daemon.generator import Generator
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.precision import LARGEST_IN_CACHE, Precision, chosen_precision, turned_weights

CELLS: list[Cell] = ["rnn", "lstm", "gru", "conv"]
SIZES = [1, 3, 17, 48, 130]
LOWER: list[Precision] = ["bf16", "int8"]
# of what is predicted, whose deviation is near 1; measured at most: 1.4e-3, 2.9e-3
TOLERANCE = 6e-3


def predicted(checkpoint: Checkpoint, precision: Precision, steps: Array) -> Array:
    """Returns what an engine expects in the place of each step."""
    out = np.zeros_like(steps)
    NumbaEngine(checkpoint, precision).predict(new_network_state(checkpoint.network, 1), steps, out)
    return out


@pytest.mark.parametrize("precision", LOWER)
@pytest.mark.parametrize("hidden", SIZES)
@pytest.mark.parametrize("cell", CELLS)
def test_numbers_are_predicted_near_what_float32_predicts(cell: Cell, hidden: int, precision: Precision) -> None:
    checkpoint = amplitude_checkpoint(cell, 2, hidden)
    heard = melody(0.05, 8000)[:, None] * np.float32(4.0)
    expected, found = predicted(checkpoint, "f32", heard), predicted(checkpoint, precision, heard)
    assert 0.0 < np.abs(found - expected).max() < TOLERANCE


@pytest.mark.parametrize("precision", LOWER)
@pytest.mark.parametrize("make", [tokens_checkpoint, mulaw_checkpoint, tiered_checkpoint])
def test_most_codes_are_predicted_as_float32_predicts_them(
    make: Callable[..., Checkpoint], precision: Precision
) -> None:
    checkpoint = make()
    for name, array in checkpoint.weights.items():
        array *= 1.0 if name.startswith("rnn.") else 4.0  # so that what it hears decides what it says
    codec = checkpoint.codec
    heard = codec.encode(codec.new_encoder_state(), melody(1.0, codec.sample_rate))
    expected = predicted(checkpoint, "f32", heard)
    assert np.mean(predicted(checkpoint, precision, heard) == expected) > 0.97  # measured: 0.993 at least
    assert len(np.unique(expected)) > 1


@pytest.mark.parametrize("precision", LOWER)
@pytest.mark.parametrize("make", [tokens_checkpoint, tiered_checkpoint, amplitude_checkpoint])
def test_blocks_of_any_length_give_the_same_steps(make: Callable[..., Checkpoint], precision: Precision) -> None:
    checkpoint = make("gru", 2)
    engine = NumbaEngine(checkpoint, precision)
    whole, pieces = (new_network_state(checkpoint.network, 1) for _ in range(2))
    first, second = (np.zeros((60, len(whole.last)), whole.last.dtype) for _ in range(2))
    engine.run(whole, Controls(noise=0.1), first)
    for start in range(0, 60, 7):
        engine.run(pieces, Controls(noise=0.1), second[start : start + 7])
    assert np.array_equal(first, second)


@pytest.mark.parametrize("precision", LOWER)
def test_nan_is_found_by_the_quarantine(precision: Precision) -> None:
    generator = Generator(broken_checkpoint(), precision=precision)
    state, block = generator.new_state(1), np.ones((generator.chunk_frames, 1), np.float32)
    generator.generate(state, Controls(), block)
    assert state.guard.counts[0] == 1
    assert np.isfinite(block).all()


def test_auto_is_float32_until_the_weights_fit_no_cache() -> None:
    largest = NetworkShape("lstm", 2, 836, "linear", features=1)
    assert 4 * turned_weights(largest) <= LARGEST_IN_CACHE < 4 * 12 * 837**2
    assert chosen_precision("auto", largest) == "f32"
    assert chosen_precision("auto", NetworkShape("lstm", 2, 837, "linear", features=1)) == "bf16"
    assert chosen_precision("int8", largest) == "int8"


@pytest.mark.parametrize("cell", CELLS)
def test_the_weights_of_a_turn_are_those_between_units(cell: Cell) -> None:
    shape = NetworkShape(cell, 3, 10, "linear", features=1)
    matrices = {name: size for name, size in shape.tensor_shapes().items() if name.startswith("rnn.weight")}
    del matrices["rnn.weight_ih_l0"]
    assert turned_weights(shape) == sum(int(np.prod(size)) for size in matrices.values())


def test_the_engine_torch_refuses_fewer_bits() -> None:
    Generator(amplitude_checkpoint(), "torch", "f32")
    with pytest.raises(UsageError, match="computes in float32: leave out precision int8"):
        Generator(amplitude_checkpoint(), "torch", "int8")
