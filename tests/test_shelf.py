"""Long arrays: in memory while there is room, else in files without a name, and the same from there."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from making import melody, write_sound
from noizenet.errors import InputFileError
from noizenet_training.codecs.codec_fitting import fit_codec
from noizenet_training.learning.batches import encode_stretches
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.corpus import load_corpus, load_sources
from noizenet_training.sounds.excerpts import heard_parts, spread_pieces
from noizenet_training.sounds.shelf import Shelf, in_pieces, let_go, peak
from noizenet_training.sounds.sources import named_sources

BLOCKS = [np.full((5, 2), number, np.float32) for number in range(4)]


def is_in_file(array: np.ndarray) -> bool:
    """Returns whether an array, or what it is a view of, is mapped."""
    return type(array).__name__ == "memmap" or (isinstance(array.base, np.ndarray) and is_in_file(array.base))


def test_what_the_memory_has_no_room_for_lies_in_a_file_and_reads_the_same() -> None:
    for most in (0, 100, 200):
        kept = Shelf(most).keep(iter(BLOCKS))
        assert is_in_file(kept) == (most < 160)
        assert np.array_equal(kept, np.concatenate(BLOCKS))
        kept[3] = 9.0
        let_go(kept)
        assert kept[3, 1] == 9.0


def test_room_comes_back_when_an_array_is_gone() -> None:
    shelf = Shelf(200)
    first = shelf.keep(BLOCKS)
    assert is_in_file(shelf.keep(BLOCKS))
    del first
    assert not is_in_file(shelf.keep(BLOCKS))


def test_pieces_make_the_whole() -> None:
    kept = Shelf(0).keep(BLOCKS)
    assert [len(piece) for piece in in_pieces(kept, 8)] == [8, 8, 4]
    assert np.array_equal(np.concatenate(list(in_pieces(kept, 8))), kept)
    assert peak(-kept) == 3.0
    assert [len(piece) for piece in in_pieces(kept[:0])] == [0]


def test_a_disk_without_room_is_named_with_the_remedy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "gone"))
    with pytest.raises(InputFileError, match=r"gone: No such file or directory; let TMPDIR name a folder"):
        Shelf(0).keep(BLOCKS)


@pytest.mark.parametrize("codec", ["tokens", "mulaw", "amplitude", "fft"])
def test_a_corpus_in_files_makes_the_same_codec_and_steps(tmp_path: Path, codec: str) -> None:
    left, right = melody(9.0), melody(9.0, seed=4)
    write_sound(tmp_path / "a.wav", 0.5 * np.stack([left, right], axis=1))
    write_sound(tmp_path / "b.flac", melody(4.0, 16000), 16000)
    recipe = Recipe(codec=codec, axes=8, classes=16)
    found = []
    for shelf in (Shelf(), Shelf(0)):
        corpus = load_sources(named_sources([tmp_path]), recipe, shelf=shelf)
        fitted = fit_codec(recipe, corpus.training, corpus.sample_rate, 1)
        found.append((corpus, fitted, encode_stretches(fitted, corpus.training, shelf=shelf, threads=2)))
    assert is_in_file(found[1][0].files[0].samples)
    assert is_in_file(found[1][2][0])
    for one, other in zip(found[0][0].files, found[1][0].files, strict=True):
        assert np.array_equal(one.samples, other.samples)
    for name, array in found[0][1].arrays().items():
        assert np.array_equal(array, found[1][1].arrays()[name]), name
    for steps, same in zip(found[0][2], found[1][2], strict=True):
        assert np.array_equal(steps, same)


def test_reading_a_long_file_takes_little_memory(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "long.wav", np.tile(melody(10.0, 48000), 36), 48000)
    tracemalloc.start()
    try:
        corpus = load_sources(named_sources([path]), Recipe(sample_rate=44100, codec="mulaw"), shelf=Shelf(0))
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert corpus.seconds == pytest.approx(360.0, abs=0.01)
    size = 4 * len(corpus.files[0].samples)
    assert size > 60e6
    assert most < 0.5 * size


def test_a_long_corpus_is_heard_in_pieces_from_all_over(tmp_path: Path) -> None:
    rate = 100
    hour = np.arange(3600 * rate, dtype=np.float32)
    assert [len(part) for part in heard_parts([hour, hour], [hour, hour], rate, 7200.0)] == [len(hour)] * 2
    (chosen,) = heard_parts([hour, hour], [hour, hour], rate, 200.0)
    assert len(chosen) == 200 * rate
    assert chosen[0] == 0
    assert chosen[-1] == hour[-1]
    assert sum(map(len, spread_pieces([hour], rate, 200.0))) == 200 * rate
    write_sound(tmp_path / "a.wav", melody(30.0))
    assert sum(map(len, load_corpus([tmp_path], Recipe()).heard(20.0))) == 20 * 22050
