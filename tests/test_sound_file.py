"""Reading sound files: every format, and one sentence for every fault."""

import builtins
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
import soundfile

from making import melody, tone, write_sound
from noizenet.errors import SoundFileError
from noizenet.sound_file import read, read_mono


def write_m4a(path: Path, samples: Any, sample_rate: int) -> Path:
    """Encodes samples (frames,) as AAC in an MP4 container."""
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=sample_rate, layout="mono")
        for first in range(0, len(samples) - 1023, 1024):
            frame = av.AudioFrame.from_ndarray(samples[None, first : first + 1024], format="fltp", layout="mono")
            frame.sample_rate = sample_rate
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


@pytest.mark.parametrize("ending", ["wav", "flac", "ogg", "mp3", "aiff"])
def test_what_libsndfile_knows_is_read_with_its_rate_and_channels(tmp_path: Path, ending: str) -> None:
    stereo = np.stack([tone(1.0, 22050, 440.0), tone(1.0, 22050, 660.0)], axis=1)
    samples, sample_rate = read(write_sound(tmp_path / f"two.{ending}", stereo))
    assert sample_rate == 22050
    assert samples.dtype == np.float32
    assert samples.shape[1] == 2
    assert abs(len(samples) - 22050) < 2500  # mp3 pads
    assert 0.3 < samples.std() < 0.4


def test_an_m4a_is_read_through_ffmpeg(tmp_path: Path) -> None:
    samples, sample_rate = read(write_m4a(tmp_path / "a.m4a", tone(1.0, 44100), 44100))
    assert sample_rate == 44100
    assert samples.shape[1] == 1
    spectrum = np.abs(np.fft.rfft(samples[:44100, 0]))
    assert abs(int(spectrum.argmax()) - 440) <= 1


def test_mono_at_another_rate_keeps_pitch_and_level(tmp_path: Path) -> None:
    left = tone(1.0, 48000, 1000.0, 0.8)
    path = write_sound(tmp_path / "a.wav", np.stack([left, np.zeros_like(left)], axis=1), 48000)
    mono = read_mono(path, 16000)
    assert mono.dtype == np.float32
    assert len(mono) == 16000
    spectrum = np.abs(np.fft.rfft(mono))
    assert spectrum.argmax() == 1000
    assert mono.std() == pytest.approx(0.4 / np.sqrt(2), rel=0.01)


def test_mono_at_its_own_rate_is_the_mean_of_the_channels(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.array([[0.5, 0.25], [0.0, -0.5]]), 8000, subtype="FLOAT")
    assert read_mono(path, 8000).tolist() == [0.375, -0.25]


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("text.wav", b"these are only words, written down\n" * 50, "not a sound file that can be decoded"),
        ("empty.wav", b"", "is empty"),
        ("page.mp3", b"<!doctype html><html><body>404</body></html>", "not a sound file|no audio stream"),
        ("cut.flac", b"fLaC\x00\x00\x00\x22", "not a sound file|no samples"),
    ],
)
def test_a_file_that_is_no_sound_is_named_with_its_fault(tmp_path: Path, name: str, content: bytes, fault: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(SoundFileError, match=fault) as raised:
        read(path)
    assert str(path) in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_missing_file_and_a_folder_are_named(tmp_path: Path) -> None:
    with pytest.raises(SoundFileError, match=r"gone\.wav: No such file"):
        read(tmp_path / "gone.wav")
    with pytest.raises(SoundFileError, match="is a folder, not a sound file"):
        read(tmp_path)


def test_a_wav_without_samples_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SoundFileError, match="holds no samples"):
        read(write_sound(tmp_path / "none.wav", np.zeros(0, np.float32)))


def test_nan_is_refused_unless_asked_for(tmp_path: Path) -> None:
    samples = melody(0.1)
    samples[7] = np.nan
    path = tmp_path / "nan.wav"
    soundfile.write(path, samples, 22050, subtype="FLOAT")
    with pytest.raises(SoundFileError, match="NaN or infinity"):
        read(path)
    assert np.isnan(read(path, finite=False)[0]).sum() == 1


def test_a_video_without_sound_is_said_to_hold_no_audio_stream(tmp_path: Path) -> None:
    path = tmp_path / "silent.mp4"
    with av.open(str(path), "w") as container:
        stream = container.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 16, 16, "yuv420p"
        frame = av.VideoFrame.from_ndarray(np.zeros((16, 16, 3), np.uint8), format="rgb24")
        container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    with pytest.raises(SoundFileError, match="holds no audio stream"):
        read(path)


def test_without_the_second_decoder_the_sentence_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write_m4a(tmp_path / "a.m4a", tone(0.2, 44100), 44100)
    real = builtins.__import__

    def without_av(name: str, *rest: Any, **options: Any) -> Any:
        if name == "av":
            raise ModuleNotFoundError("No module named 'av'", name="av")
        return real(name, *rest, **options)

    monkeypatch.setattr(builtins, "__import__", without_av)
    with pytest.raises(SoundFileError, match="pip install av"):
        read(path)
