"""A checkpoint's memory: stored and read as it was, and refused where its parts don't fit together."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from making import melody, memory_checkpoint, stereo_checkpoint, stereo_melody, tokens_checkpoint, with_memory
from noizenet.checkpoint import Checkpoint
from noizenet.errors import CheckpointError
from noizenet.memory import Memory, decoded, encoded, frame_places, remembered_frames


def test_a_memory_comes_back_from_a_file_as_it_was(tmp_path: Path) -> None:
    before = memory_checkpoint()
    before.save(tmp_path / "m.safetensors")
    after = Checkpoint.load(tmp_path / "m.safetensors")
    assert before.memory
    assert after.memory
    for name, array in before.memory.arrays().items():
        assert np.array_equal(array, after.memory.arrays()[name]), name
    assert np.array_equal(before.memory.sound, after.memory.sound)
    assert after.memory.pace_s == before.memory.pace_s
    assert after.memory.seconds == pytest.approx(7.0)


def test_its_sound_is_that_of_the_corpus() -> None:
    song = melody(4.0)
    memory = with_memory(tokens_checkpoint(), [song]).memory
    assert memory
    error = np.mean(np.square(memory.sound[:, 0] - song)) / np.mean(np.square(song))
    assert error < 0.01


def test_two_channels_stay_two() -> None:
    memory = with_memory(stereo_checkpoint(), [stereo_melody(4.0)]).memory
    assert memory
    assert memory.channels == 2
    assert np.std(memory.sound[:, 0] - memory.sound[:, 1]) > 0.01


def test_a_long_sound_is_encoded_whole() -> None:
    song = np.tile(melody(10.0), 12)[:, None]
    assert decoded(encoded(song, 22050), 22050).shape == song.shape


def test_each_frame_knows_its_place_and_its_stretch() -> None:
    codec = tokens_checkpoint().codec
    lengths = (1000, 640)
    places, firsts, lasts = frame_places(lengths, codec)
    counts = [remembered_frames(length, codec) for length in lengths]
    assert counts == [12, 7]
    assert list(places[:3]) == [0, 64, 128]
    assert places[12] == 1000
    assert list(np.unique(firsts)) == [0, 12]
    assert list(np.unique(lasts)) == [11, 18]
    assert places[11] + codec.hop * 4 <= 1000  # a whole window, for what fades out after the last frame


def broken(**changes: Any) -> Memory:
    memory = memory_checkpoint().memory
    assert memory
    return replace(memory, **changes)


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"pace_s": 0.0}, "pace_s"),
        ({"codes": np.zeros((3, 2), np.int32)}, "codes have the shape"),
        ({"codes": np.full((2407, 2), 8, np.int32)}, "codes"),
        ({"keys": np.zeros((3, 8), np.float32)}, "keys and axes"),
        ({"centre": np.zeros(3, np.float32)}, "centre"),
        ({"lengths": np.array([10], np.int32)}, "shorter than 256 samples"),
        ({"lengths": np.array([154_350 - 255, 255], np.int32)}, "shorter than 256 samples"),
        ({"ogg": np.zeros(100, np.uint8)}, "can't be decoded"),
    ],
)
def test_parts_that_do_not_fit_are_refused_in_one_sentence(tmp_path: Path, changes: dict[str, Any], fault: str) -> None:
    path = tmp_path / "m.safetensors"
    replace(memory_checkpoint(), memory=broken(**changes)).save(path)
    with pytest.raises(CheckpointError, match=fault) as refused:
        Checkpoint.load(path)
    assert "\n" not in str(refused.value)
    assert str(path) in str(refused.value)


def test_a_checkpoint_without_a_memory_has_none(checkpoint_file: Path) -> None:
    assert Checkpoint.load(checkpoint_file).memory is None
