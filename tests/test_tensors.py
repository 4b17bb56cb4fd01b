"""The parts of the engine on tensors beside the kernels, and that its blocks may be captured."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from making import Cell, amplitude_checkpoint, tiered_checkpoint, tokens_checkpoint
from noizenet.checkpoint import Checkpoint
from noizenet.states import kept_arrays
from noizenet_daemon.engine_numba import new_network_state
from noizenet_daemon.engine_torch import TorchEngine
from noizenet_daemon.kernels.noise import (
    CELL,
    HIDDEN,
    INPUT,
    LIVE,
    NORMAL,
    PERLIN,
    PINK,
    UNIFORM,
    Controls,
    add_noise,
)
from noizenet_daemon.kernels.rng import new_rng, normal, uniform
from noizenet_daemon.tensors.draws import Draws, normals
from noizenet_daemon.tensors.noise import Noise, is_due, knobs_of
from noizenet_daemon.tensors.voices import Buffers, arrays_of_voice
from turning import MAKERS, TURNED, room, state_of

CPU = torch.device("cpu")


@pytest.mark.parametrize("count", [1, 2, 7, 64])
def test_numbers_drawn_at_once_are_those_drawn_one_after_the_other(count: int) -> None:
    draws = Draws(count, [0, 1, count], CPU)
    rngs = np.stack([new_rng(seed) for seed in (0, 1, 2**40, -1)])
    numbers, after = draws(torch.from_numpy(rngs.view(np.int64)))
    for rng, row, states in zip(rngs, numbers.numpy(), after.numpy().view(np.uint64), strict=True):
        assert np.array_equal(states[0], rng[:4])
        expected = []
        for _ in range(count):
            expected.append(uniform(rng))
            if len(expected) == 1:
                assert np.array_equal(states[1], rng[:4])
        assert np.array_equal(row, expected)
        assert np.array_equal(states[2], rng[:4])


def test_normal_numbers_are_those_of_the_kernels() -> None:
    rng = new_rng(3)
    numbers, _ = Draws(200, [0], CPU)(torch.from_numpy(rng[None].view(np.int64)))
    assert normals(numbers)[0].numpy() == pytest.approx([normal(rng) for _ in range(100)], abs=1e-15)


@pytest.mark.parametrize("target", [INPUT, HIDDEN, CELL])
@pytest.mark.parametrize("kind", [NORMAL, UNIFORM, PERLIN, PINK, LIVE])
@pytest.mark.parametrize("make", [tokens_checkpoint, amplitude_checkpoint, tiered_checkpoint])
def test_noise_is_that_of_the_kernels(make: Callable[..., Checkpoint], kind: int, target: int) -> None:
    """Of two voices, the second of which is not disturbed."""
    shape, scale = make("lstm", 2).network, 0.25
    noise = Noise(shape, scale, CPU)
    draws = Draws(2 * noise.units, noise.counts, CPU)
    buffers = Buffers(shape, 2, 1, CPU)
    controls = [Controls(noise=amount, kind=kind, target=target, perlin_step=0.1) for amount in (0.5, 0.0)]
    for step in range(0, 100, 9):
        states = [new_network_state(shape, seed + step) for seed in (1, 2)]
        states[0].steps[0] = step
        buffers.fill(states, controls, [room(state, 1) for state in states])
        buffers.send()
        knobs, voices = knobs_of(buffers.controls), buffers.voices
        due = is_due(knobs, voices)
        uniforms, after = draws(voices.rng)
        count, place = noise.taken(knobs, due)
        made = noise(knobs, due, uniforms, voices)
        units = noise.input_units if target == INPUT else noise.state_units
        expected = np.zeros((2, noise.units), np.float32)
        unit = scale if target == INPUT else 1.0
        add_noise(expected[0, :units], unit, controls[0], step, states[0].rng, states[0].pink, 0)
        # PyTorch's logarithm and cosine may round another way
        assert made.numpy() == pytest.approx(expected, rel=2e-7)
        assert voices.pink.numpy() == pytest.approx(np.stack([state.pink for state in states]), rel=2e-7)
        for voice, state in enumerate(states):
            assert np.array_equal(after[voice, place[voice, 0]].numpy().view(np.uint64), state.rng[:4])
        assert count[:, 0].tolist() == [noise.counts[int(place[0, 0])], 0]


def test_all_that_a_state_is_known_by_goes_to_the_device() -> None:
    for make in MAKERS:
        state = state_of(make(), 1)
        assert {id(array) for array in kept_arrays(state)} <= {
            id(array) for array in (*arrays_of_voice(state), state.rng)
        }


class Recorded(TorchDispatchMode):
    """Notes what is carried out: each operation, and the sizes and kinds of what it works on."""

    FORBIDDEN = ("_local_scalar_dense", "nonzero", "masked_select", "lift_fresh", "is_nonzero", "equal.default", "item")

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Any] = []

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        name = str(func).removeprefix("aten.")
        assert not name.startswith(self.FORBIDDEN), f"{name} fetches a number from the device, or sends one there"
        self.calls.append((name, [self._described(one) for one in args]))
        return func(*args, **(kwargs or {}))

    def _described(self, one: Any) -> Any:
        if isinstance(one, torch.Tensor):
            assert one.device == CPU
            return tuple(one.shape), one.dtype, one.stride()
        return [self._described(each) for each in one] if isinstance(one, list | tuple) else one


@pytest.mark.parametrize("work", ["run", "run_fully", "listen", "predict"])
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "conv"])
@pytest.mark.parametrize("make", MAKERS)
def test_what_is_carried_out_depends_on_no_number(make: Callable[..., Checkpoint], cell: Cell, work: str) -> None:
    """So that what was captured once is right for all that will ever lie in the same places."""
    checkpoint = make(cell if cell != "conv" or make is not tiered_checkpoint else "lstm", 2)
    engine = TorchEngine(checkpoint)
    recorded = []
    for seed, controls in enumerate([*TURNED, Controls(noise=1.0, kind=PINK, temperature=0.1)]):
        state = state_of(checkpoint, seed)
        engine.run(state, Controls(), room(state, seed))
        if seed == 1:
            state.cells.hidden[:] = np.nan
        buffers = Buffers(checkpoint.network, 1, 9, CPU)
        buffers.fill([state], [controls], [room(state, 9)])
        buffers.send()
        with torch.inference_mode(), Recorded() as calls:
            getattr(engine._steps, work)(buffers.voices, buffers.controls, buffers.steps)
        recorded.append(calls.calls)
    assert all(calls == recorded[0] for calls in recorded)
