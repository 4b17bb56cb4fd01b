"""What is to be run: the experiments in experiments.toml, for a corpus, as trials and what they play.

An experiment varies one thing and has a case for each value. `varies` is an option of the recipe, or

    recipe     the whole recipe
    songs, seconds, passes    how many, of each, and how often all of them
    set        several options at once, named in `choices`
    prime      what the trained network hears before it runs free: samples of the unseen song, or a kind of noise
    play       parameters of playing, named in `choices`

The last two train nothing of their own. Equal trainings of several experiments are run once.
"""

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal

from noizenet_training.paper.songs import RATE, Library
from noizenet_training.recipe_reading import load_recipe
from noizenet_training.sweeps.trials import Trial

Mode = Literal["full", "quick"]

RECIPE = "paper-lstm"
DROPPED_SHARE = "held_out=0.01"  # of a corpus whose unseen song stands where this share holds it out


@dataclass(frozen=True)
class Scale:
    """How large everything is.

    Attributes:
        songs, seconds, passes: of a training, as a rule.
        minutes: of a trial, at most.
        play_s: how long a network runs free.
        prime_s: of the unseen song, before that.
        long_s, long_minutes, long_play_s: the same of the mended recipes.
        set: options of every training but of the mended recipes.
    """

    songs: int
    seconds: float
    passes: int
    minutes: float
    play_s: float
    prime_s: float
    long_s: float
    long_minutes: float
    long_play_s: float
    set: tuple[str, ...] = ()


@dataclass(frozen=True)
class Play:
    """How a trained network is played.

    Attributes:
        prime: samples of the unseen song, or a kind of noise.
        settings: `parameter=value`, as given to `noizenet render --set`.
    """

    prime: int | str
    seconds: float
    settings: tuple[str, ...] = ()


@dataclass(frozen=True)
class Case:
    """One value of an experiment.

    Attributes:
        song_s: length of a song as it is trained on.
        wanted_songs: that were asked for; fewer may be there.
    """

    experiment: str
    value: str
    trial: Trial
    play: Play
    song_s: float
    wanted_songs: int


@dataclass(frozen=True)
class Experiment:
    """Cases that differ in one thing.

    Attributes:
        featured: whether the report draws and plays each case, not only its figures.
        reproduced: whether it plays the unseen song as predicted one step ahead, too.
    """

    id: str
    title: str
    note: str
    featured: bool
    reproduced: bool
    cases: tuple[Case, ...]


def read_data(name: str) -> dict[str, Any]:
    """Returns a TOML file of this package."""
    return tomllib.loads((resources.files("noizenet_training.paper") / name).read_text(encoding="utf-8"))


def read_scale(mode: Mode, minutes: float | None = None) -> Scale:
    """Returns the scale; `minutes` replaces those of a trial."""
    told = dict(read_data("experiments.toml")[mode])
    if minutes:
        told |= {"minutes": minutes, "long_minutes": minutes}
    return Scale(**told | {"set": tuple(told.get("set", ()))})


def most_songs(mode: Mode) -> int:
    """Returns how many songs the experiments ask for at most."""
    entries = read_data("experiments.toml")["experiments"]
    return max(int(count) for entry in entries if entry["varies"] == "songs" for count in entry[mode])


def make_experiments(mode: Mode, scale: Scale, library: Library, seed: int) -> list[Experiment]:
    """Returns every experiment with its cases."""
    found = []
    for entry in read_data("experiments.toml")["experiments"]:
        values = entry.get(mode) or list(entry["choices"])
        cases = tuple(_case(entry, value, mode, scale, library, seed) for value in values)
        found.append(
            Experiment(
                entry["id"],
                entry["title"],
                entry.get("note", ""),
                entry.get("featured", False),
                entry.get("reproduced", False),
                cases,
            )
        )
    return found


def _case(entry: Mapping[str, Any], value: Any, mode: Mode, scale: Scale, library: Library, seed: int) -> Case:
    varies, label = entry["varies"], str(value)
    is_long = entry.get("long", False)
    recipe = label if varies == "recipe" else entry.get("recipe", RECIPE)
    wanted = value if varies == "songs" else entry.get("songs", scale.songs)
    songs = min(wanted, len(library.songs)) if varies == "songs" else min(wanted, library.usual)
    usual_s = scale.long_s if is_long else entry.get(f"{mode}_seconds", scale.seconds)
    seconds = float(value) if varies == "seconds" else usual_s
    passes = value if varies == "passes" else entry.get(f"{mode}_passes", scale.passes)
    updates = 0 if is_long else entry.get(f"{mode}_updates", passes * songs)
    settings = [] if is_long else list(scale.set)
    settings += [setting for key in ("set", f"{mode}_set") for setting in entry.get(key, [])]
    settings += [setting for key in ("with", f"{mode}_with") for setting in entry.get(key, {}).get(label, [])]
    if varies == "set":
        settings += entry["choices"][value]
    elif varies not in ("recipe", "songs", "seconds", "passes", "prime", "play"):
        settings.append(f"{varies}={value}")
    kept = _kept(recipe, settings)
    by_file = load_recipe(recipe, kept).split == "file"
    trial = Trial(
        _name(recipe, kept, songs, seconds, updates),
        library.to_train(songs, by_file),
        recipe,
        (*kept, DROPPED_SHARE) if by_file else kept,
        updates,
        scale.long_minutes if is_long else scale.minutes,
        seed,
        seconds=seconds,
    )
    return Case(entry["id"], label, trial, _play(entry, value, scale), seconds, wanted)


def _kept(recipe: str, settings: Sequence[str]) -> tuple[str, ...]:
    """Returns the last setting of each option, without those that say what the recipe says anyway."""
    last = {setting.partition("=")[0]: setting for setting in settings}
    return tuple(setting for setting in last.values() if load_recipe(recipe, [setting]) != load_recipe(recipe))


def _play(entry: Mapping[str, Any], value: Any, scale: Scale) -> Play:
    prime = value if entry["varies"] == "prime" else round(scale.prime_s * RATE)
    settings = tuple(entry["choices"][value]) if entry["varies"] == "play" else ()
    return Play(prime, scale.long_play_s if entry.get("long") else scale.play_s, settings)


def _name(recipe: str, settings: tuple[str, ...], songs: int, seconds: float, updates: int) -> str:
    """Returns a name that is the same for equal trainings."""
    length = [f"{updates} updates"] if updates else []
    return ", ".join([recipe, *settings, f"{songs} x {seconds:g} s", *length])
