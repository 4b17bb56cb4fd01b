"""The paper's experiments as data: what they ask for, the songs they are run on, and the commands that play them."""

import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile

from making import melody, write_sound
from noizenet.errors import UsageError
from noizenet_training.paper.findings import (
    playing_figures,
    reproduction_figures,
    spectral_flatness,
    spectrum_figures,
)
from noizenet_training.paper.hearing import Command, run_commands
from noizenet_training.paper.plan import Mode, make_experiments, most_songs, read_data, read_scale
from noizenet_training.paper.rule_words import UNITS
from noizenet_training.paper.rules import RULES
from noizenet_training.paper.songs import RATE, Library, Song, gather_songs
from noizenet_training.progress import PlainReporter
from noizenet_training.recipe_reading import load_recipe
from noizenet_training.sounds.corpus import load_corpus

# The table of 5.6, with every value.
CONVERGENCE = {
    "hidden": [10, 50, 256, 512, 1024],
    "layers": [1, 2, 10],
    "loss": ["mse", "mae"],
    "optimiser": ["sgd", "adam", "adadelta"],
    "learning_rate": [1, 0.1, 0.001, 0.0001, 0.00001],
    "songs": [1, 5, 100],
    "seconds": [0.1, 1, 5, 10, 15],
    "prime": [2205, 22050, 110250, 220500, 330750],
    "clip": [0.001, 0.1, 1, 5],
    "dropout": [0.5, 0.2],
    "scaler": ["minmax", "zscore"],
    "unroll": [2205, 11025, 22050, 100000, 110250],
    "stride": [2205, 11025, 22050, 100000, 110250],
    "epochs": [1, 10, 100, 500, 1000],
}


def library(count: int) -> Library:
    """Returns songs that don't exist, five of them for training as a rule."""
    songs = tuple(Song(f"{number}", Path(f"/{number}.flac"), 60.0) for number in range(count))
    return Library(songs, Song("unseen", Path("/unseen.flac"), 50.0), 5, ())


def test_every_row_and_every_value_of_the_table_of_convergence_is_asked_for() -> None:
    entries = {entry["id"]: entry for entry in read_data("experiments.toml")["experiments"]}
    assert {name: entries[name]["full"] for name in CONVERGENCE} == CONVERGENCE
    assert all(len(entries[name]["quick"]) == len(values) for name, values in CONVERGENCE.items())


@pytest.mark.parametrize("mode", ["full", "quick"])
def test_every_training_has_a_recipe_that_can_be_read(mode: Mode) -> None:
    experiments = make_experiments(mode, read_scale(mode), library(120), 7)
    trials = {case.trial for experiment in experiments for case in experiment.cases}
    for trial in trials:
        load_recipe(trial.recipe, trial.overrides)
        assert trial.seed == 7
        assert trial.minutes > 0
    assert len({trial.name for trial in trials}) == len(trials), "unequal trainings have equal names"


def test_the_settings_of_the_papers_table_are_the_ones_that_are_trained_with() -> None:
    experiments = make_experiments("full", read_scale("full"), library(120), 0)
    cells = next(experiment for experiment in experiments if experiment.id == "cells")
    rnn, lstm, _ = (case.trial for case in cells.cases)
    for trial, cell in ((rnn, "rnn"), (lstm, "lstm")):
        recipe = load_recipe(trial.recipe, trial.overrides)
        assert (recipe.cell, recipe.layers, recipe.hidden, recipe.loss, recipe.optimiser) == (
            cell,
            2,
            50,
            "mse",
            "adam",
        )
        assert (recipe.learning_rate, recipe.clip, recipe.clip_by, recipe.dropout) == (1e-4, 1.0, "value", 0.5)
        assert (len(trial.audio), trial.seconds) == (6, 15.0)  # five to train on, and the unseen one


def test_a_value_that_is_the_usual_one_is_not_trained_again() -> None:
    experiments = {each.id: each for each in make_experiments("full", read_scale("full"), library(120), 0)}
    usual = {case.trial for name in CONVERGENCE for case in experiments[name].cases if case.value in ("50", "2", "mse")}
    assert len(usual) == 1
    assert {case.trial for case in experiments["prime"].cases} == usual


@pytest.mark.parametrize("count", [1, 2, 5, 49, 50, 99, 120])
def test_the_unseen_song_is_the_one_that_is_held_out(count: int, tmp_path: Path) -> None:
    songs = tuple(Song(f"{number}", Path(f"/{number}.flac"), 60.0) for number in range(count))
    unseen = Song("unseen", Path("/unseen.flac"), 50.0)
    paths = Library(songs, unseen, count, ()).to_train(count, True)
    loudness = [0.9 if path == unseen.path else 0.1 for path in paths]
    files = [
        write_sound(tmp_path / f"{number:03}.wav", loud * melody(0.6, 4000), 4000)
        for number, loud in enumerate(loudness)
    ]
    held_out = load_corpus(files, load_recipe("paper-lstm", ["sample_rate=4000", "held_out=0.01"])).held_out
    assert len(held_out) == 1
    assert np.abs(held_out[0]).max() > 0.3


def test_the_longest_songs_are_taken_and_the_next_one_stays_unseen(tmp_path: Path) -> None:
    corpus = tmp_path / "corpus"
    corpus.mkdir()
    for number, seconds in enumerate((1.0, 3.0, 2.0, 4.0)):
        write_sound(corpus / f"{number}.wav", melody(seconds, 8000, number), 8000)
    (corpus / "text.wav").write_text("only words")
    write_sound(corpus / "silent.wav", np.zeros(80_000, np.float32), 8000)
    found = gather_songs([corpus], tmp_path / "songs", 2, 100)
    assert [song.name for song in found.songs] == ["3.wav", "1.wav", "0.wav"]
    assert (found.unseen.name, found.usual) == ("2.wav", 2)
    assert len(found.skipped) == 2
    assert soundfile.info(found.unseen.path).samplerate == RATE
    again = gather_songs([corpus], tmp_path / "songs", 2, 100)
    assert again == found


def test_a_song_begins_with_its_first_sound(tmp_path: Path) -> None:
    quiet = np.zeros(RATE, np.float32)
    write_sound(tmp_path / "a.wav", np.concatenate([quiet, melody(2.0)]))
    write_sound(tmp_path / "b.wav", melody(1.0))
    found = gather_songs([tmp_path], tmp_path / "songs", 1, 1)
    assert found.songs[0].seconds == pytest.approx(2.0, abs=0.05)


def test_one_song_is_not_enough(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", melody(1.0))
    with pytest.raises(UsageError, match="at least two"):
        gather_songs([tmp_path], tmp_path / "songs", 5, 100)


def test_every_claim_names_a_rule_figures_and_cases_that_exist() -> None:
    experiments = {each.id: each for each in make_experiments("quick", read_scale("quick"), library(9), 0)}
    for claim in read_data("claims.toml")["claims"]:
        assert claim["rule"] in RULES, claim
        assert claim.get("figure", "loss") in UNITS, claim
        for name in claim["of"]:
            experiment, _, value = name.partition("/")
            values = [case.value for case in experiments[experiment].cases]
            assert not value or value in values, claim


def test_most_songs_is_what_the_row_on_songs_asks_for() -> None:
    assert most_songs("full") == 100


def test_a_constant_collapses_at_once_and_noise_never_does() -> None:
    rng = np.random.default_rng(0)
    still = playing_figures(np.full(RATE, 0.1, np.float32), RATE, 0.1, 2.0, RATE)
    assert (still["collapse_steps"], still["collapse_percent"], still["survival"]) == (0.0, 0.0, 0.0)
    noise = playing_figures(0.1 * rng.standard_normal(2 * RATE).astype(np.float32), RATE, 0.1, 2.0, RATE)
    assert "collapse_steps" not in noise
    assert noise["survival"] == 1.0
    late = np.concatenate([0.1 * rng.standard_normal(RATE // 2), np.zeros(2 * RATE)]).astype(np.float32)
    half = playing_figures(late, RATE, 0.1, 1.0, RATE)
    assert half["collapse_percent"] == pytest.approx(50.0, abs=0.1)


def test_a_spectrum_that_stays_constant_is_found_along_frequency() -> None:
    rng = np.random.default_rng(0)
    clip = 4096
    spectrum = np.full(clip // 2 + 1, 0.5, np.complex128)
    spectrum[:200] += rng.standard_normal(200)
    raw = np.tile(np.fft.irfft(spectrum), 3).astype(np.float32)
    prime = 0.1 * rng.standard_normal(clip).astype(np.float32)
    found = spectrum_figures(raw, prime, RATE, clip)
    assert found["collapse_steps"] == 200
    assert found["collapse_percent"] == pytest.approx(100.0 * 200 / (2 * clip))
    assert spectrum_figures(prime, prime, RATE, clip) == {}
    assert spectrum_figures(raw[:100], prime, RATE, clip) == {}


def test_noise_is_flat_and_music_is_not() -> None:
    rng = np.random.default_rng(0)
    assert spectral_flatness(rng.standard_normal(RATE)) > 0.9
    assert spectral_flatness(melody(1.0)) < 0.01


def test_figures_of_a_reproduction_are_read_or_left_out(tmp_path: Path) -> None:
    told = tmp_path / "a.json"
    told.write_text('{"predicted": {"snr_db": 20.0}, "last_step_again": {"snr_db": 15.0}}')
    assert reproduction_figures(told) == {"snr_db": 20.0, "trivial_snr_db": 15.0, "gain_db": 5.0}
    told.write_text('{"predicted": {"snr_db": null}, "last_step_again": {"snr_db": 15.0}}')
    assert reproduction_figures(told) == {}
    assert reproduction_figures(tmp_path / "gone.json") == {}


def test_commands_run_in_a_few_processes_and_say_why_they_fail(tmp_path: Path) -> None:
    sound = write_sound(tmp_path / "a.wav", melody(1.0))
    picture, kept = tmp_path / "a.png", tmp_path / "a.txt"
    good = Command(("plot", str(sound), "--out", str(picture)), picture, kept)
    bad = Command(("plot", str(tmp_path / "gone.wav"), "--out", str(tmp_path / "b.png")), tmp_path / "b.png")
    faults = run_commands([good, bad, good], PlainReporter(sys.stderr))
    assert good.is_done
    assert list(faults) == [tmp_path / "b.png"]
    assert "gone.wav" in faults[tmp_path / "b.png"]
    before = picture.stat().st_mtime_ns
    assert run_commands([good], PlainReporter(sys.stderr)) == {}
    assert picture.stat().st_mtime_ns == before
