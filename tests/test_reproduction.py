"""Reproduction: aligned with what was heard, and with figures that stand for what they say."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile

from making import (
    Array,
    Cell,
    amplitude_checkpoint,
    fft_checkpoint,
    gaussian_checkpoint,
    listening_checkpoint,
    melody,
    mulaw_checkpoint,
    spectrum_checkpoint,
    stereo_checkpoint,
    stereo_melody,
    tokens_checkpoint,
    write_sound,
)
from noizenet.checkpoint import Checkpoint
from noizenet.codecs.whole import decode_whole, encode_whole
from noizenet.errors import CheckpointError, InputFileError, NoizeNetError, SoundFileError, UsageError
from noizenet.nearness import compare
from noizenet_daemon.generator import EngineName, Generator
from noizenet_daemon.reproduction import as_text, reproduce

CELLS: list[Cell] = ["rnn", "lstm", "gru", "conv"]
RATE = 8000


def tokens(cell: Cell = "lstm", layers: int = 1) -> Checkpoint:
    """Returns a checkpoint of the codec tokens at the others' rate."""
    return tokens_checkpoint(cell, layers, sample_rate=RATE)


MAKERS: list[Callable[..., Checkpoint]] = [
    tokens,
    mulaw_checkpoint,
    amplitude_checkpoint,
    gaussian_checkpoint,
    listening_checkpoint,
    fft_checkpoint,
    spectrum_checkpoint,
]


def saved(checkpoint: Checkpoint, folder: Path) -> Path:
    path = folder / "m.safetensors"
    checkpoint.save(path)
    return path


def sound_file(folder: Path, seconds: float = 0.5, sample_rate: int = RATE) -> Path:
    return write_sound(folder / "in.wav", melody(seconds, sample_rate), sample_rate)


def echoing_checkpoint() -> Checkpoint:
    """Returns a network that expects each sample to be the last one again: tanh of so little that it is a line."""
    checkpoint = amplitude_checkpoint("rnn", hidden=4)
    for array in checkpoint.weights.values():
        array[:] = 0.0
    checkpoint.weights["rnn.weight_ih_l0"][2, 0] = 1e-3
    checkpoint.weights["output.0.weight"][0, 2] = 1e3
    return checkpoint


def read(path: Path) -> Array:
    samples, rate = soundfile.read(path, dtype="float32")
    assert rate == RATE
    return np.asarray(samples)


def test_a_network_that_says_the_same_again_has_the_figures_of_saying_the_same_again(tmp_path: Path) -> None:
    sound, out = sound_file(tmp_path), tmp_path / "out.wav"
    result = reproduce(saved(echoing_checkpoint(), tmp_path), sound, out)
    again = result.last_step_again
    assert result.predicted.mean_squared_error == pytest.approx(again.mean_squared_error, rel=1e-3)
    assert result.predicted.mean_absolute_error == pytest.approx(again.mean_absolute_error, rel=1e-3)
    assert result.predicted.snr_db == pytest.approx(again.snr_db, abs=0.01)
    assert result.codec_alone is None
    samples, written = read(sound), read(out)
    assert written[0] == pytest.approx(samples[0], abs=1e-6)
    assert written[1:] == pytest.approx(samples[:-1], abs=1e-5)
    differences = np.diff(samples.astype(np.float64))
    assert again.mean_squared_error == pytest.approx(np.sum(differences**2) / len(samples), rel=1e-3)


@pytest.mark.parametrize("engine", ["numba", "torch"])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("make", MAKERS)
def test_each_step_is_predicted_from_the_true_ones_before_it(
    make: Callable[..., Checkpoint], cell: Cell, engine: EngineName
) -> None:
    generator = Generator(make(cell, 2), engine)
    steps = encode_whole(generator.codec, melody(0.2, RATE))
    expected = generator.expected(steps)
    assert np.array_equal(expected[0], steps[0])
    # what is yet to come makes no difference, what has been does
    half = len(steps) // 2
    changed = steps.copy()
    changed[half:] = steps[:1]
    assert np.array_equal(generator.expected(changed)[: half + 1], expected[: half + 1])
    if generator.codec.classes == 0:
        assert not np.array_equal(generator.expected(changed)[half + 1 :], expected[half + 1 :])


@pytest.mark.parametrize("make", MAKERS)
def test_the_file_is_as_long_as_the_sound_and_the_same_each_time(
    make: Callable[..., Checkpoint], tmp_path: Path
) -> None:
    checkpoint = saved(make(), tmp_path)
    sound = write_sound(tmp_path / "in.wav", melody(0.5, RATE)[:-37], RATE)
    contents = []
    for name in ("a.wav", "b.wav"):
        result = reproduce(checkpoint, sound, tmp_path / name)
        contents.append((tmp_path / name).read_bytes())
    assert contents[0] == contents[1]
    samples, written = read(sound), read(tmp_path / "a.wav")
    assert len(written) == len(samples)
    assert result.predicted == compare(samples, written)
    assert result.seconds == pytest.approx(len(samples) / RATE)


@pytest.mark.parametrize("make", MAKERS)
def test_what_was_encoded_comes_back_where_it_was(make: Callable[..., Checkpoint]) -> None:
    codec = make().codec
    samples = np.zeros(2000, np.float32)
    samples[1200:1264] = 0.5 * np.hanning(64)
    steps = encode_whole(codec, samples)
    assert len(steps) * codec.hop >= len(samples) + codec.delay
    found = np.square(decode_whole(codec, steps, 2000))
    assert len(found) == 2000
    if codec.classes == 0 or codec.hop == 1:  # the vocabulary of the codec of frames is a random one
        assert abs(int(np.argmax(found)) - 1231) < 3


def test_the_codec_alone_is_told_where_it_loses_something(tmp_path: Path) -> None:
    results = []
    for make in (amplitude_checkpoint, mulaw_checkpoint, tokens):
        checkpoint = saved(make(), tmp_path)
        results.append(reproduce(checkpoint, sound_file(tmp_path), tmp_path / "out.wav"))
    of_samples, of_levels, _ = results
    assert of_samples.codec_alone is None
    assert of_levels.codec_alone is not None
    assert 30.0 < of_levels.codec_alone.snr_db < 45.0  # 38 dB, as G.711 has
    assert [result.keeps_waveform for result in results] == [True, True, False]
    warned = ["means little" in as_text(result, tmp_path) for result in results]
    assert warned == [False, False, True]
    assert ["the codec alone" in as_text(result, tmp_path) for result in results] == [False, True, True]


def test_a_gaussian_head_predicts_its_means(tmp_path: Path) -> None:
    checkpoint = gaussian_checkpoint()
    sound = sound_file(tmp_path)
    for value in (-7.0, 2.0):
        checkpoint.weights["output.0.bias"][1] = value
        reproduce(saved(checkpoint, tmp_path), sound, tmp_path / f"{value}.wav")
    assert (tmp_path / "-7.0.wav").read_bytes() == (tmp_path / "2.0.wav").read_bytes()


def test_another_rate_is_resampled_and_channels_are_mixed(tmp_path: Path) -> None:
    stereo = np.stack([melody(0.5, 16000), melody(0.5, 16000, seed=1)], axis=1)
    sound = write_sound(tmp_path / "in.flac", stereo, 16000)
    reproduce(saved(echoing_checkpoint(), tmp_path), sound, tmp_path / "out.wav")
    written = read(tmp_path / "out.wav")
    assert len(written) == 4000
    assert compare(stereo.mean(axis=1)[::2][:3999], written[1:]).snr_db > 10.0


def test_only_the_seconds_asked_for_are_reproduced(tmp_path: Path) -> None:
    checkpoint = saved(amplitude_checkpoint(), tmp_path)
    result = reproduce(checkpoint, sound_file(tmp_path), tmp_path / "out.wav", seconds=0.25)
    assert result.seconds == 0.25
    assert result.steps == 1999
    assert len(read(tmp_path / "out.wav")) == 2000


@pytest.mark.parametrize("make", [make for make in MAKERS if make is not spectrum_checkpoint])  # a sample is two steps
def test_two_steps_are_enough_and_fewer_are_refused(make: Callable[..., Checkpoint], tmp_path: Path) -> None:
    built = make()
    checkpoint, out = saved(built, tmp_path), tmp_path / "out.wav"
    least = 2 * built.codec.hop
    sound = write_sound(tmp_path / "in.wav", melody(0.5, RATE)[: least - 1], RATE)
    with pytest.raises(SoundFileError, match=f"gives {least - 1} samples.* {least} samples: choose a longer"):
        reproduce(checkpoint, sound, out)
    assert not out.exists()
    write_sound(sound, melody(0.5, RATE)[:least], RATE)
    assert reproduce(checkpoint, sound, out).steps >= 1
    assert len(read(out)) == least


@pytest.mark.parametrize("make", MAKERS)
def test_silence_is_reproduced_without_a_ratio(make: Callable[..., Checkpoint], tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "in.wav", np.zeros(1000, np.float32), RATE)
    result = reproduce(saved(make(), tmp_path), sound, tmp_path / "out.wav")
    assert result.predicted.snr_db is None
    assert "-" in as_text(result, tmp_path).splitlines()[3].split()
    json.dumps(result.to_json(), allow_nan=False)


def refused(error: type[NoizeNetError], match: str, checkpoint: Path, sound: Path, out: Path) -> None:
    with pytest.raises(error, match=match):
        reproduce(checkpoint, sound, out)


def test_what_can_t_be_done_is_refused_and_leaves_nothing_behind(tmp_path: Path) -> None:
    checkpoint, sound = saved(amplitude_checkpoint(), tmp_path), sound_file(tmp_path)
    before = sound.read_bytes()
    damaged, text = tmp_path / "half.safetensors", tmp_path / "text.wav"
    damaged.write_bytes(checkpoint.read_bytes()[:500])
    text.write_text("not a sound")
    out = tmp_path / "out.wav"
    (tmp_path / "link.wav").symlink_to(sound)
    refused(UsageError, "is the sound to be reproduced", checkpoint, sound, sound)
    refused(UsageError, "is the sound to be reproduced", checkpoint, sound, tmp_path / "link.wav")
    refused(CheckpointError, "cut short or damaged", damaged, sound, out)
    refused(SoundFileError, r"text\.wav", checkpoint, text, out)
    refused(SoundFileError, "No such file", checkpoint, tmp_path / "none.wav", out)
    refused(InputFileError, "it is a folder", checkpoint, sound, tmp_path)
    refused(InputFileError, "there is no folder", checkpoint, sound, tmp_path / "none" / "out.wav")
    assert sound.read_bytes() == before
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["half.safetensors", "in.wav", "link.wav", "m.safetensors", "text.wav"]


def test_predictions_that_are_not_finite_are_not_written(tmp_path: Path) -> None:
    checkpoint = echoing_checkpoint()
    checkpoint.weights["output.0.weight"][0, 2] = 3e38
    checkpoint.weights["rnn.weight_ih_l0"][2, 0] = 10.0
    checkpoint.weights["output.0.bias"][0] = 3e38
    out = tmp_path / "out.wav"
    refused(CheckpointError, "not finite from 0.0", saved(checkpoint, tmp_path), sound_file(tmp_path), out)
    assert not out.exists()


def command(*words: str | Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "noizenet", "reproduce", *map(str, words)], capture_output=True, text=True
    )


def test_the_command_writes_the_file_and_says_how_near_it_came(tmp_path: Path) -> None:
    checkpoint, sound, out = saved(echoing_checkpoint(), tmp_path), sound_file(tmp_path), tmp_path / "out.wav"
    done = command(checkpoint, sound, out)
    assert done.returncode == 0, done.stderr
    first, _, _, *rows = done.stdout.splitlines()
    assert first == f"{out}: 0.50 s at 8000 Hz, 3999 steps, each predicted from the true ones before it"
    assert [row[:20].strip() for row in rows] == ["predicted", "the last step again"]
    as_json = command(checkpoint, sound, out, "--json", "--seconds", "0.4", "--engine", "torch")
    values = json.loads(as_json.stdout)
    assert values["seconds"] == 0.4
    assert values["predicted"]["snr_db"] == pytest.approx(values["last_step_again"]["snr_db"], abs=0.01)
    assert values["codec_alone"] is None
    coarse = json.loads(command(checkpoint, sound, out, "--json", "--precision", "int8").stdout)
    fine = json.loads(command(checkpoint, sound, out, "--json", "--precision", "f32").stdout)
    assert coarse["predicted"] != fine["predicted"]
    refused = command(checkpoint, sound, out, "--engine", "torch", "--precision", "int8")
    assert refused.returncode == 2
    assert "leave out precision int8" in refused.stderr


@pytest.mark.parametrize(("words", "status"), [(["m", "in", "in"], 2), (["m", "none", "out"], 3), (["m", "in"], 2)])
def test_the_command_refuses_in_one_sentence(words: list[str], status: int, tmp_path: Path) -> None:
    files = {
        "m": saved(amplitude_checkpoint(), tmp_path),
        "in": sound_file(tmp_path),
        "out": tmp_path / "out.wav",
        "none": tmp_path / "none.wav",
    }
    done = command(*(files[word] for word in words))
    assert done.returncode == status
    assert len(done.stderr.splitlines()) == 1
    assert done.stdout == ""


def test_two_channels_are_predicted_and_written_as_two(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "in.wav", stereo_melody(0.5, RATE), RATE)
    result = reproduce(saved(stereo_checkpoint(sample_rate=RATE), tmp_path), sound, tmp_path / "out.wav")
    written, _ = soundfile.read(tmp_path / "out.wav", dtype="float32")
    assert written.shape == (RATE // 2, 2)
    assert np.abs(written[:, 0] - written[:, 1]).max() > 1e-3
    true = stereo_melody(0.5, RATE).mean(axis=1)
    assert result.predicted.mean_squared_error == pytest.approx(
        float(np.square(true - written.mean(axis=1)).mean()), rel=1e-2
    )
