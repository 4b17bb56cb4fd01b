"""The engine on tensors, called on the CPU: its parts beside the kernels, its blocks as a graph plays them."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode

from making import (
    Array,
    Cell,
    amplitude_checkpoint,
    gaussian_checkpoint,
    mulaw_checkpoint,
    tiered_checkpoint,
    tokens_checkpoint,
)
from noizenet.checkpoint import Checkpoint
from noizenet.cli import main
from noizenet.errors import DeviceError, MissingExtraError
from noizenet.states import copy_state, kept_arrays
from noizenet_daemon.engine_numba import NumbaEngine, new_network_state
from noizenet_daemon.engine_torch import LENGTHS, TorchEngine
from noizenet_daemon.generator import Generator
from noizenet_daemon.kernels.noise import (
    CELL,
    HIDDEN,
    INPUT,
    LIVE,
    NORMAL,
    OFF,
    ON_COLLAPSE,
    PERIODIC,
    PERLIN,
    PINK,
    UNIFORM,
    Controls,
    add_noise,
)
from noizenet_daemon.kernels.rng import new_rng, normal, uniform
from noizenet_daemon.kernels.stepping import NetworkState
from noizenet_daemon.performance import Performance, initial_states
from noizenet_daemon.tensors.draws import Draws, normals
from noizenet_daemon.tensors.noise import Noise, is_due, knobs_of
from noizenet_daemon.tensors.voices import Buffers, arrays_of_voice
from noizenet_daemon.warming import warm_up

CPU = torch.device("cpu")
TOLERANCE = 1e-4
MAKERS: list[Callable[..., Checkpoint]] = [
    tokens_checkpoint,
    mulaw_checkpoint,
    amplitude_checkpoint,
    gaussian_checkpoint,
    tiered_checkpoint,
]
# knobs that ask for something else in each block
TURNED = [
    Controls(),
    Controls(noise=0.3, kind=PINK, target=HIDDEN),
    Controls(noise=0.2, kind=PERLIN, target=CELL, perlin_step=0.1, temperature=0.8),
    Controls(top_p=0.7),
    Controls(noise=0.5, kind=UNIFORM, target=INPUT, mode=PERIODIC, period=3),
    Controls(noise=0.3, kind=LIVE, target=CELL, mode=ON_COLLAPSE, hold=2),
    Controls(noise=0.3, mode=OFF, temperature=1.3),
]


def state_of(checkpoint: Checkpoint, seed: int) -> NetworkState:
    """Returns a state that begins where the checkpoint's first does, with random numbers of its own."""
    state, start = new_network_state(checkpoint.network, seed), next(iter(checkpoint.states.values()))
    state.cells.hidden[:], state.cells.cell[:], state.last[:] = start["hidden"], start["cell"], start["last"]
    if "recent" in start:
        state.tiers.recent[:] = start["recent"]
    return state


def room(state: NetworkState, count: int) -> Array:
    """Returns room for steps."""
    return np.zeros((count, len(state.last)), state.last.dtype)


def assert_alike(first: Array, second: Array) -> None:
    assert first.dtype == second.dtype
    assert np.array_equal(first, second) if first.dtype == np.int32 else np.abs(first - second).max() < TOLERANCE


def turn_by_turn(engine: NumbaEngine | TorchEngine, state: NetworkState, turned: list[Controls]) -> Array:
    """Returns blocks of 20 steps, each with other knobs."""
    blocks = []
    for controls in turned:
        blocks.append(room(state, 20))
        engine.run(state, controls, blocks[-1])
    return np.concatenate(blocks)


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


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "conv"])
@pytest.mark.parametrize("make", MAKERS)
def test_knobs_turned_from_block_to_block_do_what_they_do_with_the_kernels(
    make: Callable[..., Checkpoint], cell: Cell
) -> None:
    checkpoint = make(cell if cell != "conv" or make is not tiered_checkpoint else "lstm", 2)
    engine = TorchEngine(checkpoint)
    first, second = state_of(checkpoint, 7), state_of(checkpoint, 7)
    expected = turn_by_turn(NumbaEngine(checkpoint), first, TURNED)
    assert_alike(turn_by_turn(engine, second, TURNED), expected)
    for one, other in zip(kept_arrays(first), kept_arrays(second), strict=True):
        assert one.size == 0 or np.abs(one.astype(np.float64) - other.astype(np.float64)).max() < TOLERANCE
    assert np.array_equal(first.rng, second.rng)


@pytest.mark.parametrize("cell", ["lstm", "conv"])
@pytest.mark.parametrize("make", MAKERS)
def test_voices_of_a_batch_are_each_what_they_are_alone(make: Callable[..., Checkpoint], cell: Cell) -> None:
    checkpoint = make(cell if make is not tiered_checkpoint else "gru", 2)
    alone, together = TorchEngine(checkpoint), TorchEngine(checkpoint)
    states = [state_of(checkpoint, seed) for seed in range(len(TURNED))]
    for ahead, state in enumerate(states):  # none stands where another does: in a ring, in a frame
        alone.run(state, Controls(), room(state, ahead))
    batch = [state_of(checkpoint, 0) for _ in TURNED]
    for state, copy in zip(states, batch, strict=True):
        copy_state(state, copy)
    for turn in range(3):
        controls = TURNED[turn:] + TURNED[:turn]
        outs = [room(state, 17) for state in batch]
        together.run_together(batch, controls, outs)
        for state, one, out in zip(states, controls, outs, strict=True):
            expected = room(state, 17)
            alone.run(state, one, expected)
            assert_alike(out, expected)
    for state, copy in zip(states, batch, strict=True):
        assert np.array_equal(state.rng, copy.rng)


@pytest.mark.parametrize("make", MAKERS)
def test_a_state_saved_between_two_blocks_goes_on_the_same_with_either_engine(make: Callable[..., Checkpoint]) -> None:
    checkpoint = make("gru", 2)
    engine = TorchEngine(checkpoint)
    state, saved = state_of(checkpoint, 3), state_of(checkpoint, 9)
    turn_by_turn(engine, state, TURNED[:2])
    copy_state(state, saved)
    rest = turn_by_turn(engine, state, TURNED[2:])
    kept = [array.copy() for array in kept_arrays(saved)]
    assert_alike(turn_by_turn(NumbaEngine(checkpoint), saved, TURNED[2:]), rest)
    for array, before in zip(kept_arrays(saved), kept, strict=True):
        array[...] = before
    assert np.array_equal(turn_by_turn(engine, saved, TURNED[2:]), rest)
    assert all(np.array_equal(a, b) for a, b in zip(kept_arrays(saved), kept_arrays(state), strict=True))


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


def test_a_block_is_made_once_and_its_places_never_move() -> None:
    checkpoint = mulaw_checkpoint()
    engine, state = TorchEngine(checkpoint), state_of(checkpoint, 1)

    def places() -> dict[Any, list[int]]:
        made = {}
        for key, block in engine._blocks.items():
            buffers = block._buffers
            tensors = (buffers._host, buffers._device, buffers.controls, buffers.steps, *buffers.voices)
            made[key] = [tensor.data_ptr() for tensor in tensors]
        return made

    for controls in TURNED[:2]:
        engine.run(state, controls, room(state, sum(LENGTHS)))
    before = places()
    assert set(before) == {(work, 1, length) for work in ("run", "run_fully") for length in LENGTHS}
    for controls in TURNED:
        engine.run(state, controls, room(state, sum(LENGTHS)))
    assert places() == before


def test_warming_up_makes_all_blocks_that_playing_needs() -> None:
    generator = Generator(mulaw_checkpoint(), "torch")
    warm_up(generator, 3)
    assert generator.together == 3
    engine: Any = generator._engine
    before = set(engine._blocks)
    states = initial_states(generator, "corpus", 1, 3)
    performance = Performance(generator, states, sample_rate=8000, channels=1, block_frames=100)
    for name, value in (("noise", 0.5), ("top_p", 0.8), ("noise_kind", "perlin"), ("noise_target", "input")):
        performance.set(name, value)
        performance.render(np.zeros((100, 1), np.float32))
        performance.render(np.zeros((100, 1), np.float32))
    assert set(engine._blocks) == before
    assert ("run_fully", 3, 128) in before


@pytest.mark.parametrize("make", [tokens_checkpoint, mulaw_checkpoint, amplitude_checkpoint])
def test_a_performance_of_a_batch_sounds_as_with_the_kernels(make: Callable[..., Checkpoint]) -> None:
    sounds = []
    for name in ("numba", "torch"):
        generator = Generator(make(), name)  # type: ignore[arg-type]
        warm_up(generator, 3)
        states = initial_states(generator, "corpus", 1, 3)
        made = Performance(
            generator, states, sample_rate=generator.sample_rate, channels=1, block_frames=100, safe=False
        )
        made.set("noise", 0.3, 2)
        made.at(444, lambda made=made: made.set("temperature", 0.5, 1))  # type: ignore[misc]
        out = np.zeros((8, 100, 1), np.float32)
        for block in out:
            made.render(block)
        sounds.append(out)
    assert np.abs(sounds[0] - sounds[1]).max() < TOLERANCE
    assert np.ptp(sounds[0]) > 1e-3


def test_without_a_gpu_the_engine_cuda_is_refused_in_one_sentence(
    checkpoint_file: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    with pytest.raises(DeviceError, match="needs a GPU"):
        Generator(tokens_checkpoint(), "cuda")
    out = tmp_path / "a.wav"
    assert main(["render", str(checkpoint_file), "--out", str(out), "--engine", "cuda"]) == 4
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "choose the engine numba" in said
    assert main(["render", str(checkpoint_file), "--out", str(out), "--engine", "cuda", "--precision", "int8"]) == 2
    assert "the engine cuda computes in float32: leave out precision int8" in capsys.readouterr().err
    assert not out.exists()


def test_without_pytorch_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "noizenet_daemon.engine_torch")
    with pytest.raises(MissingExtraError, match=r"engine torch needs .* 'torch', .* pip install 'noizenet\[cuda\]'"):
        Generator(tokens_checkpoint(), "torch")
