"""The loops of the paper's program: what is fed at each step, what comes out, and what is concluded from it."""

import contextlib
import io
import json
from itertools import islice
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from making import Array, Cell, amplitude_checkpoint, melody, tokens_checkpoint, write_sound
from noizenet.checkpoint import Checkpoint
from noizenet.cli import main
from noizenet.network import NetworkShape
from noizenet.sound_file import read_mono
from noizenet_daemon.generator import Generator
from noizenet_daemon.performance import Performance, initial_states, render_frames
from noizenet_training.author.author_loops import (
    DESCRIBED,
    LOOPS,
    NOTEBOOK,
    SLIDING,
    SLIDING_SAMPLES,
    WRITTEN,
    LoopRun,
    as_written,
    network_of,
    run_loops,
)
from noizenet_training.author.loop_report import conclusion
from noizenet_training.learning.networks import HiddenState, Network

RATE = 8000


class Deaf(Network):
    """Puts out what it hears, in no time."""

    def __init__(self) -> None:
        super().__init__(NetworkShape("rnn", 1, 1, "linear", features=1))

    def recur(self, steps: torch.Tensor, state: HiddenState) -> tuple[torch.Tensor, HiddenState]:
        return steps, state


def loops(checkpoint: Checkpoint, prime: Array, steps: int) -> dict[str, LoopRun]:
    runs = run_loops(network_of(checkpoint), prime, steps, RATE, lambda: None)
    return {run.name: run for run in runs}


def prime_of(samples: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).standard_normal(samples).astype(np.float32)


def sliced_again(values: list[float], predictions: Array) -> list[list[float]]:
    """Returns the window at each step, sliced as the paper's program slices it."""
    size, newest, windows = len(values), values[-1], []
    for step, prediction in enumerate(predictions):
        values = [*values[step : size - 1 + step], newest]
        windows.append(values)
        newest = float(prediction)
    return windows


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru"])
@pytest.mark.parametrize("name", [WRITTEN, NOTEBOOK])
def test_the_window_is_sliced_again_from_what_was_sliced(name: str, cell: Cell) -> None:
    checkpoint = amplitude_checkpoint(cell, 2, 8)
    network, prime = network_of(checkpoint), prime_of(50)
    run = loops(checkpoint, prime, 20)[name]
    windows = sliced_again(prime.tolist(), run.outputs)
    assert run.fed.tolist() == [len(window) for window in windows]
    assert run.fed[:4].tolist() == [50, 50, 49, 47]
    assert run.one_sample_at == 12
    state = network.new_state(1)
    with torch.inference_mode():
        for window, output in zip(windows, run.outputs, strict=True):
            top, after = network.recur(torch.tensor(window)[None, :, None], state)
            state = after if name == WRITTEN else state
            assert float(network.predict(top)[0, -1, 0]) == pytest.approx(output, abs=1e-5)


def test_of_a_second_one_sample_is_left_at_step_212() -> None:
    fed = [samples for _, samples in islice(as_written(Deaf(), prime_of(22_050), carry=True), 213)]
    assert fed[-3:] == [105, 1, 1]
    assert fed.index(1) + 1 == 212


@pytest.mark.parametrize("cell", ["rnn", "lstm"])
def test_as_described_is_what_the_daemon_plays(cell: Cell, tmp_path: Path) -> None:
    checkpoint = amplitude_checkpoint(cell, 2, 16)
    for array in checkpoint.weights.values():
        array *= 2.0  # livelier
    song = write_sound(tmp_path / "song.wav", melody(0.2, RATE), RATE)
    generator = Generator(checkpoint)
    states = initial_states(generator, str(song), seed=1, voices=1)
    raw = Performance(generator, states, sample_rate=RATE, channels=1, block_frames=128, safe=False)
    played = render_frames(raw, 512, 128)
    prime = checkpoint.codec.encode((), read_mono(song, RATE))
    run = loops(checkpoint, prime[:, 0], 512)[DESCRIBED]
    sound = np.zeros(512, np.float32)
    checkpoint.codec.decode((), run.outputs[:, None].astype(np.float32), sound)
    assert np.abs(sound - played[:, 0]).max() < 1e-5
    assert sound.std() > 1e-4


def test_a_sliding_window_keeps_its_length_and_its_newest_samples() -> None:
    checkpoint = amplitude_checkpoint("gru", 1, 8)
    run = loops(checkpoint, prime_of(SLIDING_SAMPLES + 100), 5)[SLIDING]
    assert (run.fed == SLIDING_SAMPLES).all()
    described = loops(checkpoint, prime_of(SLIDING_SAMPLES + 100), 5)[DESCRIBED]
    assert np.allclose(run.outputs, described.outputs, atol=1e-5)  # what lies 500 samples back is forgotten


def test_a_network_of_zeros_is_constant_at_once_in_every_loop() -> None:
    checkpoint = amplitude_checkpoint("rnn", 1, 4)
    for array in checkpoint.weights.values():
        array[:] = 0.0
    checkpoint.weights["output.0.bias"][:] = 0.5
    for run in loops(checkpoint, prime_of(30), 100).values():
        assert (run.outputs == 0.5).all()
        assert (run.constant_after, run.departs_at) == (0, None)


def test_a_network_that_remembers_one_number_differs_only_where_its_state_is_reset() -> None:
    # h(t) = tanh(x(t) + h(t-1) / 2), and h is predicted: with a carried state x feeds itself and stays; from zeros
    # on one sample, x(t+1) = tanh(x(t)) dies out.
    checkpoint = amplitude_checkpoint("rnn", 1, 1)
    values = {"rnn.weight_ih_l0": 1.0, "rnn.weight_hh_l0": 0.5, "output.0.weight": 1.0}
    for name, array in checkpoint.weights.items():
        array[:] = values.get(name, 0.0)
    runs = loops(checkpoint, np.abs(prime_of(40)) + 0.5, 400)
    fixed = 0.8586  # x = tanh(1.5 x)
    assert runs[DESCRIBED].outputs[-1] == pytest.approx(fixed, abs=1e-3)
    assert runs[WRITTEN].outputs[-1] == pytest.approx(fixed, abs=1e-3)
    assert runs[NOTEBOOK].outputs[-1] < 0.1
    assert runs[NOTEBOOK].departs_at == runs[NOTEBOOK].one_sample_at


def made(name: str, constant: int | None, one: int | None = None, departs: int | None = None) -> LoopRun:
    fed = np.full(1000, 700)
    return LoopRun(name, np.zeros(1000), fed, constant, one, departs)


def test_the_conclusion_says_what_was_the_network_s_and_what_the_loop_s() -> None:
    runs = [made(WRITTEN, 90, 212), made(NOTEBOOK, 230, 212, 213), made(DESCRIBED, 90), made(SLIDING, 90)]
    model, written, notebook = conclusion(runs, 22_050)
    assert "constant after 90 steps, 0.41% of the prime: the collapse is the network's own" in model
    assert "one sample at step 212, 0.96% of the prime, and yet at all 1,000 steps" in written
    assert "departs from there at step 213 and is constant after 230 steps. This change is the loop's own" in notebook


def test_the_conclusion_blames_nobody_without_figures() -> None:
    runs = [made(WRITTEN, None), made(NOTEBOOK, None, 212, 40), made(DESCRIBED, None), made(SLIDING, None)]
    model, written, notebook = conclusion(runs, 22_050)
    assert "not constant within 1,000 steps: the network does not collapse" in model
    assert "its window still holds 700 samples at the end" in written
    assert "at step 40, where 700 samples are fed, and is never constant" in notebook
    assert "own" not in notebook


def noizenet(*arguments: object, status: int = 0) -> SimpleNamespace:
    """Runs the command line in this process; returns what it wrote."""
    stdout, stderr = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(stdout), contextlib.redirect_stderr(stderr):
        found = main([str(argument) for argument in arguments])
    assert found == status, stderr.getvalue()
    return SimpleNamespace(stdout=stdout.getvalue(), stderr=stderr.getvalue())


def test_the_command_prints_the_table_and_draws_the_outputs(tmp_path: Path) -> None:
    amplitude_checkpoint("lstm", 1, 4).save(tmp_path / "m.safetensors")
    song = write_sound(tmp_path / "song.wav", melody(0.5, RATE), RATE)
    command = ["loops", tmp_path / "m.safetensors", "--prime", song, "--seconds", 0.02, "--steps", 60]
    said = noizenet(*command, "--out", tmp_path / "m.png").stdout
    assert [line.split("  ")[0] for line in said.splitlines()[:5]] == ["loop", *LOOPS]
    assert "The loop as written" in said
    assert (tmp_path / "m.png").stat().st_size > 10_000
    about = json.loads(noizenet(*command, "--json").stdout)
    assert (about["prime_samples"], about["steps"]) == (160, 60)
    assert [entry["one_sample_at"] for entry in about["loops"]] == [20, 20, None, None]


def test_what_the_loops_can_t_run_is_refused(tmp_path: Path) -> None:
    tokens_checkpoint().save(tmp_path / "tokens.safetensors")
    amplitude_checkpoint(head="gaussian").save(tmp_path / "gaussian.safetensors")
    amplitude_checkpoint().save(tmp_path / "m.safetensors")
    song = write_sound(tmp_path / "song.wav", melody(0.5, RATE), RATE)
    silence = write_sound(tmp_path / "silence.wav", np.zeros(RATE, np.float32), RATE)
    cases = [("tokens", song, "predict one amplitude"), ("gaussian", song, "the head gaussian")]
    for name, prime, words in [*cases, ("m", silence, "nothing but a constant")]:
        done = noizenet("loops", tmp_path / f"{name}.safetensors", "--prime", prime, status=2)
        assert words in done.stderr
