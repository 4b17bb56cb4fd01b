"""FMA: its table and folders as they are published, and what is wrong with them."""

import shutil
from pathlib import Path

import numpy as np
import pytest

from fma_folder import RATE, make_fma, track_path
from making import melody, write_sound
from noizenet.errors import InputFileError, SoundFileError, UsageError
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.corpus import Corpus, load_sources
from noizenet_training.sounds.fma import FmaChoice, fma_sources, read_table

RECIPE = Recipe(sample_rate=RATE)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that is only read."""
    return make_fma(tmp_path_factory.mktemp("fma"))


@pytest.fixture
def fma(published: Path, tmp_path: Path) -> Path:
    """A folder that may be spoilt."""
    return Path(shutil.copytree(published, tmp_path / "fma"))


def numbers(choice: FmaChoice, songs: int = 0) -> list[int]:
    return [int(source.path.stem) for source in fma_sources(choice, songs)]


def load(choice: FmaChoice, songs: int = 0, seconds: float = 0.0) -> Corpus:
    return load_sources(fma_sources(choice, songs), RECIPE, songs, seconds)


def test_the_table_is_read_as_it_is_published(published: Path) -> None:
    table = read_table(published / "fma_metadata" / "tracks.csv")
    assert list(table.index) == [2, 10, 140, 141, 1500, 1501, 2000, 2001]
    assert table.loc[10].to_dict() == {
        "subset": "small",
        "genre": "Instrumental",
        "duration": "3",
        "title": "NA",
        "artist": "AWOL",
        "licence": "Attribution-NonCommercial-ShareAlike 3.0 International",
    }
    assert table.loc[140, "title"] == "Größe"
    assert table.loc[2001, "genre"] == ""


def test_tracks_come_in_the_order_of_their_numbers(published: Path) -> None:
    assert numbers(FmaChoice(published, "Instrumental")) == [10, 140, 141, 1500]
    assert numbers(FmaChoice(published, "instrumental", "medium")) == [10, 140, 141, 1500, 1501]


def test_each_subset_is_part_of_the_larger_ones(published: Path) -> None:
    assert numbers(FmaChoice(published)) == [2, 10, 140, 141, 1500]
    assert numbers(FmaChoice(published, subset="medium")) == [2, 10, 140, 141, 1500, 1501]
    everything = [2, 10, 140, 141, 1500, 1501, 2000, 2001]
    assert numbers(FmaChoice(published, subset="large")) == everything
    assert numbers(FmaChoice(published, subset="full")) == everything


def test_a_track_is_looked_for_in_its_subset_s_folder_then_in_larger_ones(fma: Path) -> None:
    clip = track_path(fma, 10)
    for subfolder in ("fma_medium", "fma_full"):
        shutil.copy(clip, track_path(fma, 10, subfolder))
    (source, *_) = fma_sources(FmaChoice(fma, "Instrumental"))
    assert source.path == clip
    (source, *_) = fma_sources(FmaChoice(fma, "Instrumental", "full"))
    assert source.path == track_path(fma, 10, "fma_full")
    clip.unlink()
    (source, *_) = fma_sources(FmaChoice(fma, "Instrumental"))
    assert source.path == track_path(fma, 10, "fma_medium")


def test_lossless_files_are_taken_and_preferred(fma: Path) -> None:
    write_sound(track_path(fma, 10, ending="flac"), melody(3.0, RATE), RATE)
    track_path(fma, 140).unlink()
    write_sound(track_path(fma, 140, ending="wav"), melody(3.0, RATE), RATE)
    names = [source.path.name for source in fma_sources(FmaChoice(fma, "Instrumental"))]
    assert names == ["000010.flac", "000140.wav", "000141.mp3", "001500.mp3"]


@pytest.mark.parametrize("inner", ["", "fma_metadata/tracks.csv", "tracks.csv"])
def test_the_table_is_found_where_it_may_lie(fma: Path, inner: str) -> None:
    if inner == "tracks.csv":
        (fma / "fma_metadata" / "tracks.csv").rename(fma / inner)
    assert numbers(FmaChoice(fma / inner if inner else fma, "Hip-Hop")) == [2]


def test_corrupt_and_cut_files_are_named_and_the_next_tracks_are_taken(fma: Path, capfd: pytest.CaptureFixture) -> None:
    track_path(fma, 10).write_bytes(np.random.default_rng(0).bytes(20_000))
    whole = track_path(fma, 140).read_bytes()
    track_path(fma, 140).write_bytes(whole[: len(whole) // 3])
    corpus = load(FmaChoice(fma, "Instrumental"), songs=2, seconds=2.0)
    assert [file.path.name for file in corpus.files] == ["000141.mp3", "001500.mp3"]
    assert len(corpus.skipped) == 2
    assert "000010.mp3 is not a sound file" in corpus.skipped[0]
    assert "000140.mp3 is cut short: it holds 0.9 s of 2.0 s" in corpus.skipped[1]
    assert capfd.readouterr().err == ""  # the decoder's own comments are kept from the user


def test_a_cut_file_with_enough_for_the_seconds_asked_for_is_taken(fma: Path) -> None:
    whole = track_path(fma, 10).read_bytes()
    track_path(fma, 10).write_bytes(whole[: len(whole) * 2 // 3])
    corpus = load(FmaChoice(fma, "Instrumental"), songs=1, seconds=1.0)
    assert corpus.files[0].path.name == "000010.mp3"
    assert corpus.seconds == pytest.approx(1.0, abs=1e-4)


def test_whole_tracks_are_as_long_as_the_table_says_and_clips_thirty_seconds(fma: Path) -> None:
    table = fma / "fma_metadata" / "tracks.csv"
    table.write_text(table.read_text().replace("small,3,Hip-Hop", "small,200,Hip-Hop"))
    shutil.copy(track_path(fma, 2), track_path(fma, 2, "fma_full"))
    for subset, length in (("small", 30.0), ("full", 200.0)):
        with pytest.raises(SoundFileError, match=rf"cut short: it holds 3.0 s of {length:.1f} s"):
            load(FmaChoice(fma, "Hip-Hop", subset))


def test_the_header_names_track_title_artist_and_licence(published: Path) -> None:
    corpus = load(FmaChoice(published, "Instrumental"), songs=2)
    first, second = corpus.to_json()
    assert (first["track"], first["title"], first["artist"]) == ("10", "NA", "AWOL")
    assert second["licence"].startswith("Attribution-NonCommercial")
    assert corpus.attribution == "NA by AWOL (FMA track 10); Größe by AWOL (FMA track 140)"
    assert corpus.licence == "Attribution-NonCommercial-ShareAlike 3.0 International"


def test_an_unknown_genre_is_answered_with_those_there_are(published: Path) -> None:
    with pytest.raises(UsageError, match=r"did you mean Instrumental\?.*there are Instrumental \(4\), Hip-Hop \(1\)"):
        fma_sources(FmaChoice(published, "Instrumentl"))
    with pytest.raises(UsageError, match="a larger subset has 1: see --subset"):
        fma_sources(FmaChoice(published, "Jazz"))


def test_more_songs_than_there_are_is_answered_with_their_number(fma: Path) -> None:
    with pytest.raises(UsageError, match=r"--songs 9 is more.* has the sound of 4 tracks of the genre Instrumental"):
        fma_sources(FmaChoice(fma, "instrumental"), 9)
    track_path(fma, 10).write_bytes(b"no sound")
    with pytest.raises(UsageError, match=r"--songs 4 is more than can be used: 3 of 4 files, for .*000010\.mp3"):
        load(FmaChoice(fma, "Instrumental"), songs=4)


def test_a_missing_table_is_answered_with_where_it_was_looked_for_and_where_it_is_described(tmp_path: Path) -> None:
    with pytest.raises(InputFileError) as raised:
        fma_sources(FmaChoice(tmp_path))
    for words in (f"{tmp_path}/fma_metadata/tracks.csv", f"{tmp_path}/tracks.csv", "fma_metadata.zip", "A Dataset"):
        assert words in str(raised.value)
    with pytest.raises(InputFileError, match=r"there is no .*gone"):
        fma_sources(FmaChoice(tmp_path / "gone"))


def test_missing_sound_is_answered_with_the_folders_it_may_be_in(fma: Path) -> None:
    shutil.rmtree(fma / "fma_small")
    with pytest.raises(InputFileError, match=r"there is no sound in .*fma_small, fma_medium, .*unpack fma_small\.zip"):
        fma_sources(FmaChoice(fma))
    write_sound(track_path(fma, 77), melody(1.0), RATE)
    with pytest.raises(InputFileError, match=r"none of the 1 sound files below .* is of a track in .*tracks\.csv"):
        fma_sources(FmaChoice(fma))


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        (b"", "No columns"),
        (b"a,b\n1,2\n", "has no column set subset, track genre_top"),
        (b"\xff\xfe\x00", "utf-8"),
        (b'",\n"', "is not FMA's tracks.csv"),
    ],
)
def test_another_table_is_refused_in_one_sentence(fma: Path, text: bytes, fault: str) -> None:
    (fma / "fma_metadata" / "tracks.csv").write_bytes(text)
    with pytest.raises(InputFileError, match=fault) as raised:
        fma_sources(FmaChoice(fma))
    assert "\n" not in str(raised.value)
