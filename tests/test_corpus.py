"""The corpus: what is found, what is skipped and why, levels, and the held-out part."""

from pathlib import Path

import numpy as np
import pytest

from making import melody, stereo_melody, tone, write_sound
from noizenet.errors import SoundFileError, UsageError
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.corpus import FILE_PEAK, load_corpus, load_sources
from noizenet_training.sounds.sources import Source, find_files

RATE = 22050


def test_folders_are_searched_for_known_endings_in_order(tmp_path: Path) -> None:
    for name in ("b.wav", "a.flac", "deep/er/c.ogg"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        write_sound(tmp_path / name, melody(1.0))
    (tmp_path / "notes.txt").write_text("no sound")
    names = [path.name for path in find_files([tmp_path, tmp_path / "b.wav"])]
    assert names == ["a.flac", "b.wav", "c.ogg"]


def test_a_named_file_is_tried_whatever_its_ending(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", melody(1.0)).rename(tmp_path / "a.sound")
    corpus = load_corpus([tmp_path / "a.sound"], Recipe())
    assert corpus.files[0].path.name == "a.sound"


def test_unusable_files_are_named_and_skipped(tmp_path: Path) -> None:
    write_sound(tmp_path / "good.wav", melody(3.0))
    write_sound(tmp_path / "silent.wav", np.zeros(RATE, np.float32))
    write_sound(tmp_path / "offset.wav", np.full(RATE, 0.5, np.float32))
    write_sound(tmp_path / "short.wav", melody(0.1))
    (tmp_path / "text.wav").write_text("only words")
    corpus = load_corpus([tmp_path], Recipe())
    assert [file.path.name for file in corpus.files] == ["good.wav"]
    skipped = "\n".join(corpus.skipped)
    assert len(corpus.skipped) == 4
    for name, fault in [
        ("silent.wav", "silent"),
        ("offset.wav", "silent"),
        ("short.wav", "short"),
        ("text.wav", "decoded"),
    ]:
        assert any(name in line and fault in line for line in corpus.skipped), skipped


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    with pytest.raises(SoundFileError, match=r"no sound file was found in .*known endings") as raised:
        load_corpus([tmp_path], Recipe())
    assert str(tmp_path) in str(raised.value)


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(SoundFileError, match="gone doesn't exist"):
        load_corpus([tmp_path / "gone"], Recipe())


def test_nothing_usable_is_said_in_one_sentence(tmp_path: Path) -> None:
    for number in range(5):
        (tmp_path / f"{number}.wav").write_text("only words")
    with pytest.raises(SoundFileError, match=r"none of 5 files can be used: .*; and 2 more"):
        load_corpus([tmp_path], Recipe())


def test_the_rate_is_the_highest_of_the_corpus_unless_told(tmp_path: Path) -> None:
    write_sound(tmp_path / "low.wav", melody(2.0, 16000), 16000)
    write_sound(tmp_path / "odd.wav", melody(2.0, 30000), 30000)
    assert load_corpus([tmp_path], Recipe()).sample_rate == 32000
    told = load_corpus([tmp_path], Recipe(sample_rate=8000))
    assert told.sample_rate == 8000
    assert all(abs(len(file.samples) - 16000) <= 1 for file in told.files)


def test_rates_above_48000_are_brought_down(tmp_path: Path) -> None:
    write_sound(tmp_path / "high.wav", melody(1.0, 96000), 96000)
    assert load_corpus([tmp_path], Recipe()).sample_rate == 48000


def test_level_file_brings_every_file_to_one_peak(tmp_path: Path) -> None:
    write_sound(tmp_path / "loud.wav", melody(1.0))
    write_sound(tmp_path / "soft.wav", 0.01 * melody(1.0, seed=1))
    for file in load_corpus([tmp_path], Recipe(level="file")).files:
        assert np.abs(file.samples).max() == pytest.approx(FILE_PEAK, rel=1e-3)


def test_level_corpus_keeps_what_the_files_are_to_one_another(tmp_path: Path) -> None:
    write_sound(tmp_path / "loud.wav", melody(1.0))
    write_sound(tmp_path / "soft.wav", 0.1 * melody(1.0))
    loud, soft = load_corpus([tmp_path], Recipe(level="corpus")).files
    assert np.abs(loud.samples).max() / np.abs(soft.samples).max() == pytest.approx(10.0, rel=0.01)


def test_a_constant_offset_is_taken_away(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", 0.1 * melody(1.0) + 0.5)
    assert abs(load_corpus([tmp_path], Recipe()).files[0].samples.mean()) < 1e-4


def test_held_out_stretches_are_spread_and_together_with_the_rest_are_all(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", melody(60.0))
    corpus = load_corpus([path], Recipe())
    held_out = sum(map(len, corpus.held_out))
    assert len(corpus.held_out) == 5
    assert held_out == pytest.approx(0.1 * len(corpus.files[0].samples), rel=0.01)
    assert sum(map(len, corpus.training)) + held_out == len(corpus.files[0].samples)
    joined = [part for pair in zip(corpus.training, [*corpus.held_out, []], strict=True) for part in pair]
    assert np.array_equal(np.concatenate(joined), corpus.files[0].samples)


def test_no_stretch_crosses_a_files_border(tmp_path: Path) -> None:
    for number in range(3):
        write_sound(tmp_path / f"{number}.wav", melody(2.0 + number, seed=number))
    corpus = load_corpus([tmp_path], Recipe())
    for part in corpus.training + corpus.held_out:
        assert any(np.shares_memory(part, file.samples) for file in corpus.files)
    assert sum(map(len, corpus.training + corpus.held_out)) == sum(len(file.samples) for file in corpus.files)


def test_long_silences_are_cut_out_and_rests_stay(tmp_path: Path) -> None:
    music, silence = melody(4.0), np.zeros(RATE, np.float32)
    rest = np.zeros(RATE // 4, np.float32)
    write_sound(tmp_path / "a.wav", np.concatenate([silence, music, silence, music, rest, music, silence]))
    corpus = load_corpus([tmp_path], Recipe())
    kept = sum(map(len, corpus.training + corpus.held_out)) / RATE
    assert kept == pytest.approx(12.25, abs=0.4)
    assert corpus.seconds == pytest.approx(15.25, abs=0.01)


def test_a_split_by_file_holds_out_whole_files(tmp_path: Path) -> None:
    for number in range(4):
        write_sound(tmp_path / f"{number}.wav", melody(1.0, seed=number))
    corpus = load_corpus([tmp_path], Recipe(split="file", held_out=0.25))
    assert len(corpus.training) == 3
    assert len(corpus.held_out) == 1
    with pytest.raises(SoundFileError, match="at least two usable files"):
        load_corpus([tmp_path / "0.wav"], Recipe(split="file"))


def test_at_the_lowest_level_not_even_silence_without_noise_is_cut_out(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", np.concatenate([melody(2.0), np.zeros(2 * RATE, np.float32), melody(2.0)]))
    corpus = load_corpus([path], Recipe(silence_db=-120.0))
    assert sum(map(len, corpus.training + corpus.held_out)) == 6 * RATE
    assert sum(map(len, load_corpus([path], Recipe(silence_db=-119.0)).training)) < 5 * RATE


def test_the_first_files_that_can_be_used_are_taken(tmp_path: Path) -> None:
    for number in range(4):
        write_sound(tmp_path / f"{number}.wav", melody(1.0, seed=number))
    (tmp_path / "1.wav").write_text("only words")
    corpus = load_corpus([tmp_path], Recipe(), songs=2)
    assert [file.path.name for file in corpus.files] == ["0.wav", "2.wav"]
    assert len(corpus.skipped) == 1
    with pytest.raises(UsageError, match=r"--songs 5 is more than there are files: 4"):
        load_corpus([tmp_path], Recipe(), songs=5)
    with pytest.raises(UsageError, match=r"--songs 4 is more than can be used: 3 of 4 files, for .*1\.wav"):
        load_corpus([tmp_path], Recipe(), songs=4)


def test_the_first_seconds_of_each_file_are_taken(tmp_path: Path) -> None:
    write_sound(tmp_path / "long.wav", melody(3.0))
    write_sound(tmp_path / "short.wav", melody(1.0))
    corpus = load_corpus([tmp_path], Recipe(level="corpus"), seconds=1.5)
    assert [file.seconds for file in corpus.files] == [1.5, 1.0]
    whole = load_corpus([tmp_path], Recipe(level="corpus")).files[0].samples
    offset = corpus.files[0].samples - whole[: len(corpus.files[0].samples)]
    assert np.ptp(offset) < 1e-6  # but for a constant: the mean is taken from what is used
    assert corpus.to_json() != load_corpus([tmp_path], Recipe()).to_json()


def test_a_file_shorter_than_is_known_of_it_is_cut_short(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", melody(2.0))
    assert load_sources([Source(path, length_s=2.2)], Recipe()).seconds == 2.0
    assert load_sources([Source(path, length_s=9.0)], Recipe(), seconds=1.0).seconds == 1.0
    with pytest.raises(SoundFileError, match=r"cut short: it holds 2\.0 s of 2\.3 s"):
        load_sources([Source(path, length_s=2.3)], Recipe())


def test_what_is_known_of_a_song_is_listed_with_it(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", tone(1.0))
    about = {"track": "7", "title": "", "artist": "", "licence": "CC0"}
    corpus = load_sources([Source(path, about)], Recipe())
    assert corpus.to_json()[0]["track"] == "7"
    assert corpus.attribution == "untitled by an unknown artist (FMA track 7)"
    assert corpus.licence == "CC0"
    plain = load_corpus([path], Recipe())
    assert (plain.attribution, plain.licence) == ("", "")


def test_the_header_lists_name_seconds_and_hash(tmp_path: Path) -> None:
    path = write_sound(tmp_path / "a.wav", tone(1.5))
    (entry,) = load_corpus([path], Recipe()).to_json()
    assert entry["name"] == "a.wav"
    assert entry["seconds"] == 1.5
    assert len(entry["sha256"]) == 64


def test_a_corpus_with_one_stereo_file_is_stereo_and_its_mono_files_have_two_equal_channels(tmp_path: Path) -> None:
    write_sound(tmp_path / "mono.wav", melody(3.0))
    write_sound(tmp_path / "wide.wav", stereo_melody(3.0, 44100), 44100)
    corpus = load_corpus([tmp_path], Recipe())
    mono, wide = corpus.files
    assert corpus.channels == 2
    assert mono.samples.shape == wide.samples.shape == (3 * 44100, 2)
    assert np.array_equal(mono.samples[:, 0], mono.samples[:, 1])
    assert np.abs(wide.samples).max() == pytest.approx(FILE_PEAK, rel=1e-3)
    assert np.allclose(corpus.heard(60.0)[1], wide.samples.mean(axis=1))
    assert all(part.shape[1] == 2 for part in corpus.training + corpus.held_out)
    assert sum(map(len, corpus.training + corpus.held_out)) == 6 * 44100


@pytest.mark.parametrize("recipe", [Recipe(channels=1), Recipe(codec="mulaw")])
def test_a_recipe_of_one_channel_and_other_codecs_hear_the_mean(recipe: Recipe, tmp_path: Path) -> None:
    sound = stereo_melody(3.0)
    write_sound(tmp_path / "wide.wav", sound)
    corpus = load_corpus([tmp_path], recipe)
    mean = sound.mean(axis=1)
    assert corpus.channels == 1
    mean = mean - mean.mean()
    assert corpus.files[0].samples == pytest.approx(FILE_PEAK * mean / np.abs(mean).max(), abs=1e-3)


def test_a_file_of_two_equal_channels_is_mono_unless_two_are_asked_for(tmp_path: Path) -> None:
    nearly = np.stack([melody(3.0), 0.999 * melody(3.0)], axis=1)
    write_sound(tmp_path / "same.wav", nearly)
    assert load_corpus([tmp_path], Recipe()).channels == 1
    corpus = load_corpus([tmp_path], Recipe(channels=2))
    assert corpus.channels == 2
    assert np.array_equal(corpus.files[0].samples[:, 0], corpus.files[0].samples[:, 1])
    write_sound(tmp_path / "same.wav", nearly * np.array([1.0, 0.99]))
    assert load_corpus([tmp_path], Recipe()).channels == 2


def test_more_than_two_channels_are_mixed_down(tmp_path: Path) -> None:
    write_sound(tmp_path / "four.wav", np.repeat(stereo_melody(2.0), 2, axis=1) * np.array([1.0, 0.5, 1.0, 0.2]))
    assert load_corpus([tmp_path], Recipe()).channels == 1


def test_sound_on_one_side_is_not_silence(tmp_path: Path) -> None:
    sides = np.zeros((6 * RATE, 2), np.float32)
    sides[: 3 * RATE, 0], sides[3 * RATE :, 1] = melody(3.0), melody(3.0, seed=1)
    write_sound(tmp_path / "a.wav", sides)
    corpus = load_corpus([tmp_path], Recipe())
    assert sum(map(len, corpus.training + corpus.held_out)) == 6 * RATE
