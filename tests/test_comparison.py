"""`noizenet evaluate` on networks whose fate is known: where they get stuck, whatever the safety chain makes of it."""

import contextlib
import io
import json
import math
from pathlib import Path

import numpy as np
import pytest

from making import amplitude_checkpoint, melody, tokens_checkpoint, write_sound
from noizenet.checkpoint import Checkpoint
from noizenet.cli import main
from noizenet.sound_file import read
from noizenet_training.judging.collapse import STILL, WINDOW_S
from noizenet_training.judging.comparison import Comparison, compare, table
from noizenet_training.judging.reference import Score
from noizenet_training.judging.rendering import render

RATE = 8000
SCALE = 0.25  # of the checkpoint's codec
FACTOR = 0.98


@pytest.fixture(scope="module")
def song(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Music that ends in a second and a half of silence."""
    samples = np.concatenate([melody(5.0, RATE), np.zeros(RATE * 3 // 2, np.float32)])
    return write_sound(tmp_path_factory.mktemp("music") / "song.wav", samples, RATE)


@pytest.fixture(scope="module")
def decaying(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network whose output falls by a fiftieth a step to 0.1: tanh is a line for what is small."""
    checkpoint = amplitude_checkpoint("rnn", 1, 1, sample_rate=RATE)
    values = {"rnn.weight_ih_l0": 1e-3, "output.0.weight": 1e3 * FACTOR, "output.0.bias": 0.1 * (1.0 - FACTOR)}
    for name, array in checkpoint.weights.items():
        array[:] = values.get(name, 0.0)
    for state in checkpoint.states.values():
        state["hidden"][:] = 0.0
        state["last"][:] = 1.1
    checkpoint.corpus[:] = [{"name": "made.wav", "seconds": 2.0, "sha256": "ab" * 32}]
    path = tmp_path_factory.mktemp("checkpoint") / "decaying.safetensors"
    checkpoint.save(path)
    return path


def expected_steps(distance: float, deviation: float) -> float:
    """Returns after how many steps a network that begins at a distance from its end, z-scored, is stuck there."""
    window = round(WINDOW_S * RATE)
    above_mean = 1.0 - (1.0 - FACTOR**window) / (window * (1.0 - FACTOR))
    return float(np.log(STILL * deviation / (SCALE * distance * FACTOR * above_mean)) / np.log(FACTOR))


def test_a_raw_render_keeps_a_constant_that_the_safety_chain_takes_out(decaying: Path, tmp_path: Path) -> None:
    render(decaying, tmp_path / "raw.wav", 1.0, 0, raw=True)
    render(decaying, tmp_path / "safe.wav", 1.0, 0)
    raw, safe = (read(tmp_path / f"{name}.wav")[0][:, 0] for name in ("raw", "safe"))
    expected = SCALE * (0.1 + FACTOR ** np.arange(1, RATE + 1))
    assert np.abs(raw - expected).max() < 1e-5
    assert abs(safe[-1]) < 1e-6


def test_a_network_is_stuck_where_its_equation_says(decaying: Path, song: Path) -> None:
    found = compare(decaying, [song], 2.0, 0)
    own, slicer, noise, corpus = found.scores
    samples = read(song)[0][: 5 * RATE, 0]
    assert own.collapse is not None
    assert own.collapse.steps == pytest.approx(expected_steps(1.0, samples.std()), abs=2)
    assert own.collapse.seconds == pytest.approx(own.collapse.steps / RATE)
    assert own.collapse.share == pytest.approx(own.collapse.seconds / 2.0)
    assert noise.collapse is None
    assert corpus.collapse is None  # the silence that the recording ends in is not the music's
    assert slicer.collapse is None
    assert found.codec_loss is not None
    lines = table(found).splitlines()
    assert f"{own.collapse.steps} steps" in lines[1]
    assert [line.split()[0] for line in lines[2:5]] == ["slicer", "white", "corpus"]
    assert lines[3].endswith("never")


def test_a_render_too_short_for_other_figures_has_this_one(decaying: Path, song: Path) -> None:
    said = io.StringIO()
    command = ["evaluate", decaying, "--corpus", song, "--seconds", 0.3, "--prime", song, "--json"]
    with contextlib.redirect_stdout(said):
        assert main([str(argument) for argument in command]) == 0
    own = json.loads(said.getvalue())[decaying.name]
    assert own["survival"] is own["fidelity"] is None
    # after the silence at the song's end, it rises from 0 to its 0.1
    assert own["collapse"]["steps"] == pytest.approx(expected_steps(0.1, read(song)[0].std()), abs=2)
    assert "0.3         -         -" in table(Comparison([Score("short", 0.3, math.nan)], 43.0, None, 5.0))


@pytest.mark.parametrize(("minutes", "is_said"), [(19.0, False), (600.0, True)])
def test_it_is_said_that_pieces_stand_for_a_long_corpus(minutes: float, is_said: bool) -> None:
    said = table(Comparison([Score("sound", 60.0, 1.0)], 43.0, None, 60.0 * minutes))
    assert ("The corpus has 600 minutes: pieces from all over, 20 minutes together" in said) == is_said


def test_steps_of_a_frame_codec_are_frames(song: Path, tmp_path: Path) -> None:
    checkpoint = tokens_checkpoint(sample_rate=RATE)
    checkpoint.codec.mean[:] = -200.0
    checkpoint.codec.components[:] = 0.0
    checkpoint.save(tmp_path / "silent.safetensors")
    sound = compare(tmp_path / "silent.safetensors", [song], 1.0, 0).scores[0]
    assert sound.collapse is not None
    assert (sound.collapse.steps, sound.collapse.seconds) == (0, 0.0)
    assert sound.survival == 0.0


def test_a_sound_file_is_measured_in_samples_and_against_the_corpus_given(song: Path, tmp_path: Path) -> None:
    stuck = np.concatenate([melody(1.0, RATE, seed=4), np.full(RATE, 0.2, np.float32)])
    found = compare(write_sound(tmp_path / "stuck.wav", stuck, RATE), [song], 30.0, 0).scores[0]
    assert found.collapse is not None
    assert found.collapse.steps == RATE
    assert found.collapse.share == pytest.approx(1.0 / 6.5)


def test_a_knob_is_refused_before_anything_is_rendered(
    song: Path, decaying: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["evaluate", str(decaying), "--corpus", str(song), "--set", "stray=2"]) == 2
    assert capsys.readouterr().err == "noizenet: --set stray=2: 2.0 is outside 0 to 1\n"


def test_a_checkpoint_is_judged_as_its_knobs_are_set(song: Path, decaying: Path) -> None:
    still, noisy = (
        compare(decaying, [song], 4.0, 0, settings=settings).scores[0]
        for settings in ((), ("noise=1", "noise_target=input"))
    )
    assert still.collapse is not None
    assert noisy.collapse is None


def test_files_are_as_loud_beside_one_another_as_the_checkpoint_heard_them(decaying: Path, tmp_path: Path) -> None:
    songs = [
        write_sound(tmp_path / f"{gain}.wav", gain * melody(20.0, RATE, seed=number), RATE)
        for number, gain in enumerate((1.0, 0.03))
    ]
    both = np.concatenate([read(song)[0][:, 0] for song in songs])
    as_recorded = write_sound(tmp_path / "both.wav", both, RATE)
    assert compare(as_recorded, songs, 1.0, 0).scores[0].fidelity < 0.1

    def loudness_apart(level: object) -> float:
        """Returns how far apart the loudest and the softest slices are, in dB, beside a checkpoint that says so."""
        checkpoint = Checkpoint.load(decaying)
        checkpoint.training["options"] = {"level": level}
        checkpoint.save(tmp_path / "said.safetensors")
        lives = compare(tmp_path / "said.safetensors", songs, 20.0, 0).scores[1].lives
        assert lives is not None
        softest, _, loudest = lives.percentiles()["loudness_db"]
        return loudest - softest

    assert loudness_apart("corpus") > 25.0
    assert loudness_apart("nonsense") > 25.0
    assert loudness_apart("file") < 15.0
