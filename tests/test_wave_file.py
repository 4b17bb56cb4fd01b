"""WAV files that are whole at any moment."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from noizenet.errors import InputFileError
from noizenet.wave_file import LARGEST_DATA, WaveFile, check_writable


def noise(frames: int, channels: int = 2) -> np.ndarray:
    return np.random.default_rng(0).uniform(-1, 1, (frames, channels)).astype(np.float32)


@pytest.mark.parametrize("channels", [1, 2])
def test_other_programs_read_the_very_samples(tmp_path: Path, channels: int) -> None:
    samples = noise(1000, channels)
    file = WaveFile(tmp_path / "a.wav", 44100, channels)
    for start in range(0, 1000, 300):
        file.write(samples[start : start + 300])
    file.close()
    read, rate = soundfile.read(tmp_path / "a.wav", dtype="float32", always_2d=True)
    about = soundfile.info(tmp_path / "a.wav")
    assert (rate, about.subtype, about.format) == (44100, "FLOAT", "WAV")
    assert np.array_equal(read, samples)


def test_a_file_without_a_frame_is_a_file(tmp_path: Path) -> None:
    WaveFile(tmp_path / "a.wav", 8000, 1).close()
    assert soundfile.info(tmp_path / "a.wav").frames == 0


def test_a_file_that_is_never_closed_holds_all_but_the_last_half_second(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    code = f"""
import os
import numpy as np
from pathlib import Path
from noizenet.wave_file import WaveFile
file = WaveFile(Path({str(path)!r}), 8000, 1)
for n in range(99):
    file.write(np.full((100, 1), n / 100, np.float32))
os.kill(os.getpid(), 9)
"""
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    samples, _ = soundfile.read(path, dtype="float32")
    assert 9900 - 4000 <= len(samples) <= 9900
    assert np.array_equal(samples, np.repeat(np.arange(99) / 100, 100).astype(np.float32)[: len(samples)])


def test_the_room_is_what_the_header_can_count(tmp_path: Path) -> None:
    file = WaveFile(tmp_path / "a.wav", 8000, 2)
    assert file.room == LARGEST_DATA // 8
    file.write(noise(10))
    assert file.room == LARGEST_DATA // 8 - 10
    file.close()


def test_a_place_where_no_file_can_be_is_refused_in_a_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    for path in (tmp_path, tmp_path / "none" / "a.wav", tmp_path / "file" / "a.wav", tmp_path / ("a" * 300 + ".wav")):
        with pytest.raises(InputFileError, match=r"can't be written \(.*\): choose another place"):
            WaveFile(path, 8000, 1)
    for path in (tmp_path, tmp_path / "none" / "a.wav", tmp_path / "file" / "a.wav"):
        with pytest.raises(InputFileError, match="can't be written"):
            check_writable(path)
    check_writable(tmp_path / "a.wav")
    check_writable(tmp_path / "file")


def test_a_full_disk_is_reported_in_a_sentence() -> None:
    with pytest.raises(InputFileError, match=r"/dev/full can't be written \(No space left on device\)"):
        WaveFile(Path("/dev/full"), 8000, 1)
