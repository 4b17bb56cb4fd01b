"""What a listener does with sound: the WAV files it writes, and what waits for the sound card."""

import errno
import os
import struct
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from noizenet.errors import DeviceError, InputFileError
from noizenet.stream import AudioHeader
from noizenet.wave_file import LARGEST_DATA, WaveFile
from noizenet_clients import sound_card
from noizenet_clients.receiving import Arrival
from noizenet_clients.recording import Recording
from noizenet_clients.sound_card import PlayBuffer, SoundCard

RATE = 8000
BLOCK = 64


def arrival(start: int, lost: int = 0) -> Arrival:
    """A block whose samples count up from `start`."""
    samples = np.arange(start, start + BLOCK, dtype=np.float32)[:, None]
    return Arrival(AudioHeader(0, start, 0, RATE, 1, BLOCK, 1), samples, lost, False)


@given(st.lists(st.integers(0, 5000), max_size=8), st.integers(1, 3))
def test_a_file_is_whole_after_every_write(
    tmp_path_factory: pytest.TempPathFactory, sizes: list[int], channels: int
) -> None:
    path = tmp_path_factory.mktemp("waves") / "a.wav"
    file = WaveFile(path, RATE, channels)
    written = 0
    for size in sizes:
        file.write(np.full((size, channels), 0.25, dtype=np.float32))
        written += size
        info = soundfile.info(str(path))
        assert (info.samplerate, info.channels, info.subtype) == (RATE, channels, "FLOAT")
        assert written - RATE // 2 <= info.frames <= written
    file.close()
    samples, _ = soundfile.read(path, always_2d=True)
    assert samples.shape == (written, channels)


def test_a_full_file_is_followed_by_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert WaveFile(tmp_path / "room.wav", RATE, 2).room == LARGEST_DATA // 8
    monkeypatch.setattr("noizenet.wave_file.LARGEST_DATA", 3 * BLOCK * 4)
    recording = Recording(tmp_path / "a.wav")
    for number in range(5):
        recording.play(arrival(number * BLOCK))
    recording.close()
    assert [soundfile.info(str(path)).frames for path in recording.paths] == [3 * BLOCK, 2 * BLOCK]


def test_a_very_long_gap_is_not_written_out(tmp_path: Path) -> None:
    recording = Recording(tmp_path / "a.wav")
    recording.play(arrival(0))
    recording.play(arrival(10**12, lost=10**12))
    recording.close()
    assert soundfile.info(str(tmp_path / "a.wav")).frames == 10 * RATE + 2 * BLOCK


def test_a_place_where_nothing_can_be_written_is_refused(tmp_path: Path) -> None:
    for path, reason in ((tmp_path, "it is a folder"), (tmp_path / "no" / "a.wav", "there is no folder")):
        with pytest.raises(InputFileError, match=reason):
            Recording(path)
    with pytest.raises(InputFileError, match="can't be written"):
        WaveFile(tmp_path, RATE, 1)


def test_a_full_disk_is_an_error_and_the_file_stays_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = WaveFile(tmp_path / "a.wav", RATE, 1)
    file.write(np.ones((RATE, 1), dtype=np.float32))

    def full(*_: object) -> int:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(os, "pwrite", full)
        with pytest.raises(InputFileError, match="No space left"):
            file.write(np.ones((RATE, 1), dtype=np.float32))
    assert soundfile.info(str(tmp_path / "a.wav")).frames == RATE
    file.close()


@given(st.lists(st.tuples(st.booleans(), st.integers(0, 40)), max_size=60))
def test_the_play_buffer_gives_out_what_it_took_in_order(steps: list[tuple[bool, int]]) -> None:
    buffer = PlayBuffer(capacity=100, prefill=20, channels=1)
    waiting: list[float] = []
    number, playing = 1.0, False
    for writes, size in steps:
        if writes:
            block = np.arange(number, number + size, dtype=np.float32)
            number += size
            buffer.write(block[:, None])
            if len(waiting) + size <= 100:
                waiting += block.tolist()
            continue
        out = np.full((size, 1), -1, dtype=np.float32)
        buffer.read(out)
        playing = len(waiting) > 0 if playing else len(waiting) >= 20
        heard = waiting[:size] if playing else []
        del waiting[: len(heard)]
        assert out[:, 0].tolist() == heard + [0.0] * (size - len(heard))


def test_without_a_sound_card_the_way_out_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(DeviceError, match=r"no sound card 'no such card'.*--out F\.wav"):
        SoundCard("no such card")
    monkeypatch.setitem(sys.modules, "sounddevice", None)
    with pytest.raises(DeviceError, match=r"needs the Python package 'sounddevice'.*--out F\.wav"):
        sound_card.SoundCard(None)


def test_the_header_on_disk_is_a_float_wave(tmp_path: Path) -> None:
    file = WaveFile(tmp_path / "a.wav", RATE, 2)
    file.write(np.zeros((3, 2), dtype=np.float32))
    file.close()
    data = (tmp_path / "a.wav").read_bytes()
    assert struct.unpack_from("<4sI4s4sIHHIIHH", data) == (
        *(b"RIFF", len(data) - 8, b"WAVE"),
        *(b"fmt ", 18, 3, 2, RATE, RATE * 8, 8, 32),
    )
