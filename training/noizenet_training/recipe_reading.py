"""Reading a recipe: a TOML file, with single options overridden by `--set key=value`."""

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping, Sequence
from importlib import resources
from pathlib import Path
from typing import Any

from noizenet.errors import ConfigurationError
from noizenet.network import MOST_CONV_LAYERS
from noizenet_training.recipe import FIELDS, LOWEST_RATE, SHORTEST_SPAN, Recipe


def recipe_names() -> list[str]:
    """Returns the names of the recipes that come with NoizeNet."""
    folder = resources.files("noizenet_training") / "recipes"
    return sorted(entry.name.removesuffix(".toml") for entry in folder.iterdir() if entry.name.endswith(".toml"))


def load_recipe(name: str, overrides: Sequence[str] = ()) -> Recipe:
    """Returns a recipe that comes with NoizeNet, or one in a file whose name ends in .toml.

    Args:
        overrides: `key=value`, as given to `--set`.

    Raises:
        ConfigurationError: there is no such recipe, or options are unknown, ill-typed or out of range; all at
        once.
    """
    values = _file_values(name)
    origins = dict.fromkeys(values, f"recipe {name}")
    faults = []
    for override in overrides:
        key, equals, text = override.partition("=")
        key = key.strip()
        if not equals:
            faults.append(f"--set {override}: write key=value")
            continue
        values[key] = text.strip()
        origins[key] = "--set"
    checked: dict[str, Any] = {}
    for key, value in values.items():
        if key not in FIELDS:
            near = difflib.get_close_matches(key, FIELDS, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(FIELDS)}"
            faults.append(f"{origins[key]}: there is no option {key!r}; {hint}")
            continue
        try:
            checked[key] = _checked(FIELDS[key], value)
        except ValueError as error:
            faults.append(f"{origins[key]}: {error}")
    codec = checked.get("codec", FIELDS["codec"].default)
    for key in checked:
        belongs = _codecs(key)
        if codec not in belongs:
            faults.append(f"{origins[key]}: {key} means nothing for the codec {codec}, only for {', '.join(belongs)}")
    recipe = Recipe(**checked)
    faults += [f"{origins.get(key, 'the default')}: {fault}" for key, fault in _misfits(recipe)]
    if faults:
        raise ConfigurationError("; ".join(faults))
    return recipe


def _misfits(recipe: Recipe) -> list[tuple[str, str]]:
    """Returns the options whose values are possible each, but not beside one another, and what is wrong."""
    found = []
    if recipe.overlap & (recipe.overlap - 1):
        found.append(("overlap", f"overlap is {recipe.overlap}, not a power of two"))
    if 0 < recipe.sample_rate < LOWEST_RATE:
        found.append(("sample_rate", f"sample_rate is neither 0 nor at least {LOWEST_RATE}"))
    if recipe.head == "gaussian" and recipe.loss != "mse":
        found.append(
            ("loss", f"loss={recipe.loss} means nothing for head=gaussian, which has its likelihood; leave it out")
        )
    if recipe.momentum and recipe.optimiser != "sgd":
        found.append(
            ("momentum", f"momentum means nothing for optimiser={recipe.optimiser}, only for sgd: set momentum=0")
        )
    if recipe.stride and recipe.feeding != "windows":
        found.append(("stride", f"stride means nothing for feeding={recipe.feeding}, only for windows: set stride=0"))
    if recipe.cell == "conv" and recipe.layers > MOST_CONV_LAYERS:
        found.append(("layers", f"layers is {recipe.layers}; of cell=conv at most {MOST_CONV_LAYERS}"))
    if recipe.spans and recipe.cell not in ("lstm", "gru"):
        found.append(("spans", f"spans means nothing for cell={recipe.cell}, whose units have no gates: set spans=0"))
    if 0.0 < recipe.spans < SHORTEST_SPAN:
        found.append(("spans", f"spans is {recipe.spans:g}, neither 0 nor at least {SHORTEST_SPAN:g}"))
    return found + (_misfits_of_tiers(recipe) if recipe.frame else [])


def _misfits_of_tiers(recipe: Recipe) -> list[tuple[str, str]]:
    """Returns what doesn't go with a recipe's two tiers."""
    found = []
    if recipe.cell == "conv":
        found.append(
            ("cell", f"cell=conv can't turn every {recipe.frame} samples: choose lstm, gru or rnn, or frame=0")
        )
    if recipe.feeding != "streams":
        found.append(("feeding", f"feeding={recipe.feeding} goes without tiers: set feeding=streams, or frame=0"))
    if recipe.unroll % recipe.frame:
        nearest = max(1, round(recipe.unroll / recipe.frame)) * recipe.frame
        found.append(
            ("unroll", f"unroll is {recipe.unroll}, not a multiple of frame={recipe.frame}: set unroll={nearest}")
        )
    if recipe.draws > recipe.frame:
        found.append(("draws", f"draws is {recipe.draws}, more than frame={recipe.frame} has: set draws=0 for all"))
    return found


def describe_options() -> str:
    """Returns one line for each option: name, default, range and meaning."""
    lines = []
    for field in FIELDS.values():
        about = field.metadata
        allowed = "|".join(about["choices"]) or f"{about['low']:g}..{about['high']:g}"
        lines.append(f"  {field.name + '=' + str(field.default):<22} {about['doc']} ({allowed})")
    return "\n".join(lines)


def _file_values(name: str) -> dict[str, Any]:
    """Returns what a recipe's file says, on top of what the recipe says that it names as its `base`."""
    values = _read(name)
    seen = [name]
    while "base" in values:
        base = values.pop("base")
        if not isinstance(base, str):
            raise ConfigurationError(f"recipe {seen[-1]}: base is {base!r}, not the name of a recipe")
        if base in seen:
            raise ConfigurationError(f"recipe {name}: the bases go round in a circle, {' -> '.join([*seen, base])}")
        seen.append(base)
        inherited = _read(base)
        codec = values.get("codec", inherited.get("codec"))
        # what means nothing for another codec is not passed on to it
        values = {k: v for k, v in inherited.items() if k not in FIELDS or codec in _codecs(k)} | values
    return values


def _codecs(key: str) -> tuple[str, ...]:
    """Returns the codecs for which an option means something."""
    belongs: tuple[str, ...] = FIELDS[key].metadata["codecs"]
    return belongs


def _read(name: str) -> dict[str, Any]:
    """Returns what the file of one recipe says."""
    if name.endswith(".toml"):
        try:
            text = Path(name).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
            raise ConfigurationError(f"can't read the recipe {name}: {reason}") from None
    else:
        known = recipe_names()
        if name not in known:
            near = difflib.get_close_matches(name, known, 1)
            hint = f"did you mean {near[0]}?" if near else f"there are {', '.join(known)}"
            raise ConfigurationError(f"there is no recipe {name!r}; {hint} (a file's name must end in .toml)")
        text = (resources.files("noizenet_training") / "recipes" / f"{name}.toml").read_text(encoding="utf-8")
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ConfigurationError(f"the recipe {name} is not valid TOML: {error}") from None


def _checked(field: "dataclasses.Field[Any]", value: object) -> float | int | str:
    """Returns a value in its field's type; text, as from `--set`, is converted.

    Raises:
        ValueError: it has another type or is out of range.
    """
    about: Mapping[str, Any] = field.metadata
    if about["choices"]:
        if value not in about["choices"]:
            near = difflib.get_close_matches(str(value), about["choices"], 1)
            hint = f"did you mean {near[0]}?" if near else f"choose one of {', '.join(about['choices'])}"
            raise ValueError(f"{field.name} can't be {value!r}; {hint}")
        return str(value)
    kind, words = (int, "a whole number") if field.type is int else (float, "a number")
    if isinstance(value, bool) or not isinstance(value, str | int | kind):
        raise ValueError(f"{field.name} takes {words}, not {value!r}")
    try:
        number: float | int = kind(value)
    except ValueError:
        raise ValueError(f"{field.name} takes {words}, not {value!r}") from None
    if not about["low"] <= number <= about["high"]:
        raise ValueError(f"{field.name} is {number:g}, outside {about['low']:g}..{about['high']:g}")
    return number
