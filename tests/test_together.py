"""Voices that step side by side sound, each, bit for bit as alone."""

from collections.abc import Callable

import numpy as np
import pytest

from making import Array, Cell, amplitude_checkpoint, gaussian_checkpoint, mulaw_checkpoint, tokens_checkpoint
from noizenet.checkpoint import Checkpoint
from noizenet_daemon.generator import Generator
from noizenet_daemon.kernels.matrices import pack
from noizenet_daemon.kernels.products import product
from noizenet_daemon.kernels.shared_products import TOGETHER, pack_shared, shared_product
from noizenet_daemon.performance import Performance, initial_states
from noizenet_daemon.precision import Precision
from noizenet_daemon.warming import warm_up

BLOCK = 100  # no divisor of a chunk
SHARED: list[Precision] = ["f32", "bf16"]


def performance(generator: Generator, numbers: list[int]) -> Performance:
    """Returns some of the voices of one seed, each with knobs of its own."""
    states = [generator.primed_state("corpus", 3, number)[0] for number in numbers]
    made = Performance(generator, states, sample_rate=generator.sample_rate, channels=1, block_frames=BLOCK, safe=False)
    for place, number in enumerate(numbers, 1):
        made.set("noise", 0.1 * number, place)
        made.set("noise_kind", ("normal", "pink", "perlin", "uniform")[number % 4], place)
        made.set("noise_target", ("hidden", "cell", "input")[number % 3], place)
        made.set("temperature", 0.8 + 0.1 * number, place)
        made.set("top_p", 0.9 if number == 2 else 1.0, place)
    return made


def sound(made: Performance, blocks: int = 12) -> Array:
    out = np.zeros((blocks, BLOCK, 1), np.float32)
    for block in out:
        made.render(block)
    return out.reshape(-1)


@pytest.mark.parametrize("precision", SHARED)
@pytest.mark.parametrize("outputs", [1, 8, 9, 16, 17, 24, 48, 60, 64, 71, 130, 200])
@pytest.mark.parametrize("inputs", [1, 3, 4, 17, 130])
def test_a_product_of_four_vectors_is_that_of_each(inputs: int, outputs: int, precision: Precision) -> None:
    rng = np.random.default_rng(inputs)
    matrices = [rng.standard_normal((inputs, outputs)).astype(np.float32) for _ in range(2)]
    x, base = (rng.standard_normal((TOGETHER, size)).astype(np.float32) for size in (inputs, outputs))
    found, expected = base.copy(), np.zeros_like(base)
    shared_product(x, pack_shared(matrices, precision), 1, found, found)
    for voice in range(TOGETHER):
        product(x[voice], pack(matrices, precision), 1, base[voice], expected[voice])
    assert np.array_equal(found, expected)


@pytest.mark.parametrize("precision", SHARED)
@pytest.mark.parametrize("cell", ["rnn", "gru", "lstm"])
@pytest.mark.parametrize("make", [amplitude_checkpoint, gaussian_checkpoint, mulaw_checkpoint])
def test_each_voice_is_what_it_is_alone(make: Callable[..., Checkpoint], cell: Cell, precision: Precision) -> None:
    """Six voices, four of which step together: the state of each, which holds all it will ever play, is compared."""
    shared, alone = (Generator(make(cell, 2, 19), precision=precision) for _ in range(2))
    shared.share(6)
    assert shared.together == TOGETHER
    numbers = [1, 2, 3, 4, 5, 6]
    made = performance(shared, numbers)
    sound(made)
    for number, voice in zip(numbers, made.voices, strict=True):
        one = performance(alone, [number])
        sound(one)
        assert np.array_equal(voice.source.state.guard.now, one.voices[0].source.state.guard.now)
        assert np.array_equal(voice.source.state.steps, one.voices[0].source.state.steps)


def test_a_mix_of_voices_is_the_same_side_by_side_and_one_by_one_with_events_and_another_state_in_between() -> None:
    sounds = []
    for shares in (False, True):
        generator = Generator(amplitude_checkpoint("gru"))
        if shares:
            generator.share(5)
        made = performance(generator, [1, 2, 3, 4, 5])
        made.at(333, lambda made=made: made.set("noise", 0.5, 2))  # type: ignore[misc]
        parts = [sound(made, 5)]
        made.replace(generator, initial_states(generator, "corpus", 9, 5))
        sounds.append(np.concatenate([*parts, sound(made, 9)]))
    assert np.array_equal(*sounds)


def test_what_can_t_step_together_plays_one_by_one() -> None:
    for generator in (
        Generator(tokens_checkpoint()),  # a step a block
        Generator(amplitude_checkpoint("conv")),
        Generator(amplitude_checkpoint("lstm"), precision="int8"),
    ):
        warm_up(generator, 5)
        assert generator.together == 1
    tensors = Generator(amplitude_checkpoint("lstm"), "torch")  # it takes all: see test_tensors
    assert tensors.together == 1
    warm_up(tensors, 5)
    assert tensors.together == 5
