"""Rendering to a file."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from making import melody, mulaw_checkpoint, stereo_checkpoint, write_sound
from noizenet.checkpoint import Checkpoint
from noizenet.errors import CheckpointError, InputFileError, NoizeNetError, SoundFileError, UsageError
from noizenet.parameter import Value
from noizenet_daemon import offline
from noizenet_daemon.generator import EngineName, Generator
from noizenet_daemon.performance import Performance, initial_states, render_frames


def render(
    checkpoint: Path,
    out: Path,
    *,
    seconds: float = 0.5,
    prime: str = "corpus",
    seed: int = 1,
    values: Mapping[str, Value] | None = None,
    voices: int = 1,
    channels: int = 1,
    sample_rate: int = 0,
    engine: EngineName = "numba",
    block_frames: int = 1024,
    live_input: Path | None = None,
) -> float:
    return offline.render(
        checkpoint,
        out,
        seconds=seconds,
        prime=prime,
        seed=seed,
        values=values or {},
        voices=voices,
        channels=channels,
        sample_rate=sample_rate,
        engine=engine,
        block_frames=block_frames,
        live_input=live_input,
    )


def only_files(folder: Path, *names: str) -> bool:
    return sorted(path.name for path in folder.iterdir()) == sorted(names)


def test_the_same_command_makes_the_same_file(checkpoint_file: Path, tmp_path: Path) -> None:
    for name in ("a", "b"):
        assert render(checkpoint_file, tmp_path / f"{name}.wav", values={"noise": 0.2}, voices=2) > 0
    render(checkpoint_file, tmp_path / "c.wav", values={"noise": 0.2}, voices=2, seed=2)
    render(checkpoint_file, tmp_path / "d.wav", values={"noise": 0.2}, voices=2, block_frames=77)
    first, again, other, smaller = ((tmp_path / f"{name}.wav").read_bytes() for name in "abcd")
    assert first == again == smaller
    assert first != other
    assert only_files(tmp_path, "a.wav", "b.wav", "c.wav", "d.wav")


def test_the_file_holds_what_the_performance_plays(checkpoint_file: Path, tmp_path: Path) -> None:
    render(checkpoint_file, tmp_path / "a.wav", channels=2, values={"pan": 0.5})
    samples, rate = soundfile.read(tmp_path / "a.wav", dtype="float32")
    generator = Generator(Checkpoint.load(checkpoint_file))
    performance = Performance(
        generator,
        initial_states(generator, "corpus", 1, 1),
        sample_rate=generator.sample_rate,
        channels=2,
        block_frames=64,
        values={"pan": 0.5},
    )
    assert (rate, samples.shape) == (22050, (11025, 2))
    assert np.array_equal(samples, render_frames(performance, 11025, 64))
    assert np.abs(samples[:, 1]).max() > np.abs(samples[:, 0]).max() > 0.0


def test_another_rate_keeps_the_length_in_seconds(checkpoint_file: Path, tmp_path: Path) -> None:
    render(checkpoint_file, tmp_path / "a.wav", sample_rate=48000)
    about = soundfile.info(tmp_path / "a.wav")
    assert (about.samplerate, about.frames, about.channels) == (48000, 24000, 1)


@pytest.mark.parametrize("channels", [0, 1])
def test_a_file_has_the_checkpoint_s_channels_unless_told(channels: int, tmp_path: Path) -> None:
    stereo_checkpoint().save(tmp_path / "m.safetensors")
    render(tmp_path / "m.safetensors", tmp_path / "a.wav", channels=channels, sample_rate=48000)
    render(tmp_path / "m.safetensors", tmp_path / "wide.wav", channels=2, sample_rate=48000)
    samples, _ = soundfile.read(tmp_path / "a.wav", always_2d=True)
    wide, _ = soundfile.read(tmp_path / "wide.wav")
    assert np.abs(wide[:, 0] - wide[:, 1]).max() > 1e-3
    expected = wide if channels == 0 else wide.mean(axis=1, keepdims=True)
    assert samples.shape == expected.shape
    assert np.abs(samples - expected).max() < 0.1 * np.abs(wide).max()  # the limiter works on another sum


def test_a_sample_by_sample_checkpoint_renders_at_a_rate_far_above_its_own(tmp_path: Path) -> None:
    mulaw_checkpoint().save(tmp_path / "m.safetensors")
    render(tmp_path / "m.safetensors", tmp_path / "a.wav", sample_rate=384_000, seconds=0.2)
    assert soundfile.info(tmp_path / "a.wav").frames == 76_800


@pytest.mark.parametrize("prime", ["corpus", "normal", "perlin", "silence", "sound.flac"])
def test_every_prime_plays(checkpoint_file: Path, tmp_path: Path, prime: str) -> None:
    if prime.endswith(".flac"):
        prime = str(write_sound(tmp_path / prime, melody(1.0, 44100), 44100))
    render(checkpoint_file, tmp_path / "a.wav", prime=prime)
    assert soundfile.info(tmp_path / "a.wav").frames == 11025


LIVE: dict[str, Value] = {"noise_kind": "live", "noise": 1.0}


@pytest.mark.parametrize("sample_rate", [0, 48000])
def test_noise_follows_the_level_of_a_sound_whatever_the_blocks(
    checkpoint_file: Path, tmp_path: Path, sample_rate: int
) -> None:
    silence, loud = np.zeros(11025, np.float32), melody(0.3, 22050)
    sound = write_sound(tmp_path / "sound.wav", np.concatenate([silence, loud]), 22050)
    found = []
    for block in (1024, 77, 4096):
        out = tmp_path / f"{block}.wav"
        options: dict[str, Any] = {"seconds": 1.2, "sample_rate": sample_rate, "values": LIVE}
        render(checkpoint_file, out, **options, block_frames=block, live_input=sound)
        found.append(out.read_bytes())
    assert found[0] == found[1] == found[2]
    render(checkpoint_file, tmp_path / "still.wav", seconds=1.2, sample_rate=sample_rate)
    noisy, still = (soundfile.read(tmp_path / name, dtype="float32")[0] for name in ("77.wav", "still.wav"))
    first = int(np.flatnonzero(noisy != still)[0]) / len(still) * 1.2
    assert 0.48 < first < 0.56  # a step of the network, its window and the resampler lie between


def test_at_full_level_live_noise_is_normal_noise(checkpoint_file: Path, tmp_path: Path) -> None:
    render(checkpoint_file, tmp_path / "live.wav", values=LIVE | {"live_level_db": -6.0})
    render(checkpoint_file, tmp_path / "normal.wav", values={"noise": 1.0})
    render(checkpoint_file, tmp_path / "silent.wav", values=LIVE)
    render(checkpoint_file, tmp_path / "still.wav")
    assert (tmp_path / "live.wav").read_bytes() == (tmp_path / "normal.wav").read_bytes()
    assert (tmp_path / "silent.wav").read_bytes() == (tmp_path / "still.wav").read_bytes()
    assert (tmp_path / "live.wav").read_bytes() != (tmp_path / "still.wav").read_bytes()


@pytest.mark.parametrize(
    ("error", "said", "options"),
    [
        (SoundFileError, "can't read nowhere.wav: No such file or directory", {"prime": "nowhere.wav"}),
        (UsageError, "--sample-rate 4000 is outside 8000 to 384000 Hz", {"sample_rate": 4000}),
        (UsageError, "latency_ms means nothing in a file", {"values": {"latency_ms": 50.0}}),
        (UsageError, "--live-input drives noise of kind live alone", {"live_input": Path("a.wav")}),
        (
            UsageError,
            "--live-input and live_level_db both give the live level",
            {"live_input": Path("a.wav"), "values": LIVE | {"live_level_db": -20.0}},
        ),
        (SoundFileError, "can't read nowhere.wav", {"live_input": Path("nowhere.wav"), "values": LIVE}),
        (UsageError, "86400 s don't fit into one WAV file of this rate: at most 48695 s do", {"seconds": 86400.0}),
    ],
)
def test_what_can_not_be_rendered_is_refused_and_an_older_file_survives(
    checkpoint_file: Path, tmp_path: Path, error: type[NoizeNetError], said: str, options: dict[str, Any]
) -> None:
    out = tmp_path / "a.wav"
    out.write_bytes(b"older")
    with pytest.raises(error) as caught:
        render(checkpoint_file, out, **options)
    assert str(caught.value).startswith(said)
    assert "\n" not in str(caught.value)
    assert out.read_bytes() == b"older"
    assert only_files(tmp_path, "a.wav")


def test_a_sound_too_short_to_prime_with_is_refused(checkpoint_file: Path, tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "short.wav", melody(0.001))
    with pytest.raises(UsageError, match=r"it has 22 samples, and this checkpoint needs at least 64"):
        render(checkpoint_file, tmp_path / "a.wav", prime=str(sound))


def test_a_bad_checkpoint_or_place_is_refused_before_anything_is_made(checkpoint_file: Path, tmp_path: Path) -> None:
    half = tmp_path / "half.safetensors"
    half.write_bytes(checkpoint_file.read_bytes()[:1000])
    with pytest.raises(CheckpointError, match="cut short or damaged"):
        render(half, tmp_path / "a.wav")
    with pytest.raises(InputFileError, match="it is a folder"):
        render(checkpoint_file, tmp_path)
    with pytest.raises(InputFileError, match="there is no folder"):
        render(checkpoint_file, tmp_path / "none" / "a.wav")
    assert only_files(tmp_path, "half.safetensors")


def test_an_older_file_survives_a_render_that_breaks_off(
    checkpoint_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: Any) -> None:
        raise KeyboardInterrupt

    out = tmp_path / "a.wav"
    out.write_bytes(b"older")
    monkeypatch.setattr(offline.WaveFile, "write", interrupted)
    with pytest.raises(KeyboardInterrupt):
        render(checkpoint_file, out)
    assert out.read_bytes() == b"older"
    assert only_files(tmp_path, "a.wav")
