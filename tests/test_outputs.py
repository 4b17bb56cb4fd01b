"""The outputs that need no sound card."""

import resource
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from noizenet.errors import InputFileError
from noizenet_daemon.outputs import FileOutput, NullOutput
from noizenet_daemon.ring import Ring
from waiting import wait_until

Array = NDArray[Any]
RATE = 48000
BLOCK = 256


def ring() -> Ring:
    return Ring(RATE, 2, RATE, 1)


def noise(frames: int, seed: int = 0) -> Array:
    return np.random.default_rng(seed).uniform(-1, 1, (frames, 2)).astype(np.float32)


def test_null_takes_blocks_and_counts_underruns_as_a_sound_card_does() -> None:
    source = ring()
    output = NullOutput(source, RATE, BLOCK)
    source.write(noise(2 * BLOCK + 56))
    assert [output.take() for _ in range(4)] == [BLOCK] * 4
    assert (source.read_position, source.underruns, source.missing) == (2 * BLOCK + 56, 1, 200 + BLOCK)


def test_null_plays_on_its_own_until_it_is_stopped() -> None:
    source = ring()
    output = NullOutput(source, RATE, BLOCK)
    source.write(noise(20 * BLOCK))
    assert not output.is_alive()
    output.start()
    wait_until(lambda: source.read_position == 20 * BLOCK and source.underruns == 1)
    assert output.is_alive()
    output.stop()
    assert not output.is_alive()


def test_an_output_that_never_started_can_be_stopped(tmp_path: Path) -> None:
    NullOutput(ring(), RATE, BLOCK).stop()
    FileOutput(ring(), RATE, BLOCK, tmp_path / "a.wav", None).stop()
    assert soundfile.info(tmp_path / "a.wav").frames == 0


def test_a_file_holds_exactly_what_was_in_the_ring(tmp_path: Path) -> None:
    source = ring()
    output = FileOutput(source, RATE, BLOCK, tmp_path / "a.wav", None)
    assert output.name == str(tmp_path / "a.wav")
    pieces = [noise(frames, frames) for frames in (1000, 100, 256, 1, 777)]
    for piece in pieces:
        source.write(piece)
        while source.filled:
            output.take()
        assert output.take() == BLOCK  # nothing is there: time passes, but the file doesn't grow
    output.stop()
    samples, rate = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert rate == RATE
    assert np.array_equal(samples, np.concatenate(pieces))
    assert (source.underruns, source.missing) == (0, 0)


@pytest.mark.parametrize("most", [0, 1, BLOCK, 3 * BLOCK + 1])
def test_a_file_ends_at_its_last_frame_while_the_ring_is_read_on(tmp_path: Path, most: int) -> None:
    source = ring()
    output = FileOutput(source, RATE, BLOCK, tmp_path / "a.wav", most)
    source.write(noise(10 * BLOCK))
    for _ in range(10):
        output.take()
    output.stop()
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="float32", always_2d=True)
    assert np.array_equal(samples, noise(10 * BLOCK)[:most])
    assert source.filled == 0


def test_a_file_is_written_while_it_plays(tmp_path: Path) -> None:
    source = ring()
    output = FileOutput(source, RATE, BLOCK, tmp_path / "a.wav", None)
    source.write(noise(20 * BLOCK))
    output.start()
    wait_until(lambda: source.filled == 0)
    output.stop()
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert np.array_equal(samples, noise(20 * BLOCK))


def test_a_place_where_no_file_can_be_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match="can't be written"):
        FileOutput(ring(), RATE, BLOCK, tmp_path / "none" / "a.wav", None)


def test_a_full_disk_ends_the_file_and_not_the_playing(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    source = ring()
    output = FileOutput(source, RATE, BLOCK, tmp_path / "a.wav", None)
    source.write(noise(20 * BLOCK))
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
        output.start()
        wait_until(lambda: source.filled == 0)
        assert output.is_alive()
        output.stop()
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert caplog.text.count("the file ends: ") == 1
    samples, _ = soundfile.read(tmp_path / "a.wav", dtype="float32")
    assert np.array_equal(samples, noise(20 * BLOCK)[: len(samples)])
    assert len(samples) == 4 * BLOCK
