"""Recipes: every option of a training, from a TOML file, with single options overridden by `--set key=value`.

The options are declared once, as the fields of `Recipe`; files, flags and the help text come from that.
"""

import dataclasses
import difflib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any, Literal

from noizenet.errors import ConfigurationError

CODECS = ("tokens", "mulaw", "amplitude")
TOKENS = ("tokens",)
CATEGORICAL = ("tokens", "mulaw")
LINEAR = ("amplitude",)
LOWEST_RATE = 4000  # Hz


def _option(
    default: float | str,
    doc: str,
    low: float = 0,
    high: float = 0,
    *,
    choices: tuple[str, ...] = (),
    codecs: tuple[str, ...] = CODECS,
) -> Any:
    """Returns a field of `Recipe` with its range or choices, and the codecs for which it means something."""
    metadata = {"doc": doc, "low": low, "high": high, "choices": choices, "codecs": codecs}
    return dataclasses.field(default=default, metadata=metadata)


@dataclass(frozen=True)
class Recipe:
    """The options of a training: their meanings are here, sensible values in the files in recipes/."""

    codec: str = _option("tokens", "how sound becomes steps of the network", choices=CODECS)
    sample_rate: int = _option(0, "Hz; 0 = the highest of the corpus, at most 48,000", 0, 96_000)
    level: str = _option(
        "file",
        "file: every file to the same peak; corpus: as they are to one another",
        choices=("file", "corpus"),
    )
    silence_db: float = _option(
        -50.0, "dB below a file's peak; half a second and more of less is cut out", -120.0, -20.0
    )
    split: str = _option("time", "hold out stretches of time, or whole files", choices=("time", "file"))
    held_out: float = _option(0.1, "share of the corpus that is held out", 0.01, 0.5)

    window_s: float = _option(0.093, "s; the spectral window, rounded to a power of two", 0.005, 0.5, codecs=TOKENS)
    overlap: int = _option(4, "windows over each sample; the hop is window / overlap", 4, 16, codecs=TOKENS)
    axes: int = _option(96, "principal axes that describe a spectral frame", 4, 512, codecs=TOKENS)
    stages: int = _option(4, "codes in a step", 1, 12, codecs=TOKENS)
    classes: int = _option(128, "values of a code; fewer if the corpus can't fill them", 2, 4096, codecs=TOKENS)
    floor: float = _option(1e-4, "added to magnitudes before the logarithm", 1e-8, 1e-1, codecs=TOKENS)

    shifts: int = _option(
        4,
        "readings of the corpus, each shifted by a part of the hop: other codes for the same music",
        1,
        64,
        codecs=TOKENS,
    )

    cell: Literal["rnn", "lstm", "gru"] = _option("lstm", "the recurrent cell", choices=("rnn", "lstm", "gru"))
    layers: int = _option(2, "recurrent layers", 1, 8)
    hidden: int = _option(256, "units of each layer", 1, 4096)
    embedding: int = _option(64, "numbers that a code is embedded in", 1, 1024, codecs=CATEGORICAL)
    head_hidden: int = _option(192, "units between the top layer and a code", 1, 4096, codecs=CATEGORICAL)

    streams: int = _option(8, "places of the corpus that are read side by side", 1, 1024)
    unroll: int = _option(128, "steps through which errors are propagated back", 1, 8192)
    learning_rate: float = _option(2e-3, "at the start; it decays to a fiftieth", 1e-6, 1.0)
    weight_decay: float = _option(0.01, "AdamW's", 0.0, 10.0)
    clip: float = _option(1.0, "largest norm of the gradient", 1e-3, 1e3)
    dropout: float = _option(0.3, "share of activations left out in training", 0.0, 0.9)
    corruption: float = _option(
        0.02,
        "chance that an input code is replaced by any other, with clean targets",
        0.0,
        0.9,
        codecs=CATEGORICAL,
    )
    input_noise: float = _option(
        0.0, "deviation of the Gaussian noise on the inputs, with clean targets", 0.0, 10.0, codecs=LINEAR
    )
    round_updates: int = _option(25, "updates between two looks at the held-out part", 1, 100_000)

    def to_json(self) -> dict[str, Any]:
        """Returns the options that mean something for the codec, for the checkpoint's header."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if self.codec in field.metadata["codecs"]
        }


FIELDS = {field.name: field for field in dataclasses.fields(Recipe)}


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
        belongs = FIELDS[key].metadata["codecs"]
        if codec not in belongs:
            faults.append(f"{origins[key]}: {key} means nothing for the codec {codec}, only for {', '.join(belongs)}")
    overlap = checked.get("overlap", 4)
    if overlap & (overlap - 1):
        faults.append(f"{origins['overlap']}: overlap is {overlap}, not a power of two")
    if 0 < checked.get("sample_rate", 0) < LOWEST_RATE:
        faults.append(f"{origins['sample_rate']}: sample_rate is neither 0 nor at least {LOWEST_RATE}")
    if faults:
        raise ConfigurationError("; ".join(faults))
    return Recipe(**checked)


def describe_options() -> str:
    """Returns one line for each option: name, default, range and meaning."""
    lines = []
    for field in FIELDS.values():
        about = field.metadata
        allowed = "|".join(about["choices"]) or f"{about['low']:g}..{about['high']:g}"
        lines.append(f"  {field.name + '=' + str(field.default):<22} {about['doc']} ({allowed})")
    return "\n".join(lines)


def _file_values(name: str) -> dict[str, Any]:
    """Returns what a recipe's file says."""
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
