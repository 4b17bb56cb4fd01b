"""The engines `torch` and `cuda`: what they play beside the kernels, whatever knobs, voices and threads do."""

import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from making import Array, Cell, amplitude_checkpoint, mulaw_checkpoint, tiered_checkpoint, tokens_checkpoint
from noizenet.checkpoint import Checkpoint
from noizenet.cli import main
from noizenet.errors import DeviceError, MissingExtraError
from noizenet.states import copy_state, kept_arrays
from noizenet_daemon.engine_numba import NumbaEngine
from noizenet_daemon.engine_torch import LENGTHS, TorchEngine
from noizenet_daemon.generator import Generator
from noizenet_daemon.kernels.networks import NetworkState
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.performance import Performance, initial_states
from noizenet_daemon.warming import warm_up
from turning import MAKERS, TURNED, room, state_of

TOLERANCE = 1e-4
GPU = (pytest.mark.gpu, pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device"))
ON_DEVICES = pytest.mark.parametrize("device", ["cpu", pytest.param("cuda", marks=GPU)])
ON_ENGINES = pytest.mark.parametrize("engine_name", ["torch", pytest.param("cuda", marks=GPU)])


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


@ON_DEVICES
@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "conv"])
@pytest.mark.parametrize("make", MAKERS)
def test_knobs_turned_from_block_to_block_do_what_they_do_with_the_kernels(
    make: Callable[..., Checkpoint], cell: Cell, device: Any
) -> None:
    checkpoint = make(cell if cell != "conv" or make is not tiered_checkpoint else "lstm", 2)
    engine = TorchEngine(checkpoint, device)
    first, second = state_of(checkpoint, 7), state_of(checkpoint, 7)
    expected = turn_by_turn(NumbaEngine(checkpoint), first, TURNED)
    assert_alike(turn_by_turn(engine, second, TURNED), expected)
    for one, other in zip(kept_arrays(first), kept_arrays(second), strict=True):
        assert one.size == 0 or np.abs(one.astype(np.float64) - other.astype(np.float64)).max() < TOLERANCE
    assert np.array_equal(first.rng, second.rng)


@ON_DEVICES
@pytest.mark.parametrize("cell", ["lstm", "conv"])
@pytest.mark.parametrize("make", MAKERS)
def test_voices_of_a_batch_are_each_what_they_are_alone(
    make: Callable[..., Checkpoint], cell: Cell, device: Any
) -> None:
    checkpoint = make(cell if make is not tiered_checkpoint else "gru", 2)
    alone, together = TorchEngine(checkpoint, device), TorchEngine(checkpoint, device)
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


@ON_DEVICES
@pytest.mark.parametrize("make", MAKERS)
def test_a_state_saved_between_two_blocks_goes_on_the_same_with_either_engine(
    make: Callable[..., Checkpoint], device: Any
) -> None:
    checkpoint = make("gru", 2)
    engine = TorchEngine(checkpoint, device)
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


@ON_DEVICES
@pytest.mark.parametrize("make", MAKERS)
def test_it_hears_and_expects_what_the_kernels_do(make: Callable[..., Checkpoint], device: Any) -> None:
    checkpoint = make("lstm", 2)
    count = sum(LENGTHS) + 7  # pieces of both lengths
    made = room(state_of(checkpoint, 1), count)
    NumbaEngine(checkpoint).run(state_of(checkpoint, 1), Controls(), made)
    found = []
    for engine in (NumbaEngine(checkpoint), TorchEngine(checkpoint, device)):
        state, expected = state_of(checkpoint, 5), np.zeros_like(made)
        engine.listen(state, made)
        engine.predict(state, made, expected)
        found.append((expected, state.cells.hidden, state.last))
    for first, second in zip(*found, strict=True):
        assert_alike(first, second)


@ON_DEVICES
def test_one_thread_plays_on_while_another_loads_primes_and_plays(device: Any) -> None:
    checkpoint = mulaw_checkpoint()
    engine, state = TorchEngine(checkpoint, device), state_of(checkpoint, 1)
    expected, out = room(state, 1280), room(state, 1280)
    NumbaEngine(checkpoint).run(state_of(checkpoint, 1), Controls(), expected)
    engine.run(state_of(checkpoint, 2), Controls(), room(state, 128))
    failed: list[BaseException] = []
    is_over = threading.Event()

    def work_beside() -> None:
        try:
            while not is_over.is_set():
                loaded, other = TorchEngine(checkpoint, device), state_of(checkpoint, 3)
                for one in (loaded, engine):
                    one.listen(other, expected[:200])
                    one.run(other, TURNED[1], room(other, 10))
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=work_beside)
    thread.start()
    for start in range(0, len(out), 128):
        engine.run(state, Controls(), out[start : start + 128])
    is_over.set()
    thread.join()
    assert not failed
    assert np.array_equal(out, expected)


@ON_DEVICES
def test_a_block_is_made_once_and_its_places_never_move(device: Any) -> None:
    checkpoint = mulaw_checkpoint()
    engine, state = TorchEngine(checkpoint, device), state_of(checkpoint, 1)

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


@ON_ENGINES
def test_warming_up_makes_all_blocks_that_playing_needs(engine_name: Any) -> None:
    generator = Generator(mulaw_checkpoint(), engine_name)
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


@ON_ENGINES
@pytest.mark.parametrize("make", [tokens_checkpoint, mulaw_checkpoint, amplitude_checkpoint])
def test_a_performance_of_a_batch_sounds_as_with_the_kernels(make: Callable[..., Checkpoint], engine_name: Any) -> None:
    sounds = []
    for name in ("numba", engine_name):
        generator = Generator(make(), name)
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
