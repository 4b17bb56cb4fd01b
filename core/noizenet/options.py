"""Options declared as the fields of a dataclass: what each may be, and whether a value fits.

    block_frames: int = field(default=256, metadata=option("Frames made at once.", minimum=16, maximum=8192))

Command-line flags, TOML files and documentation are derived from such fields: an option is written once.
"""

import dataclasses
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noizenet.errors import InputFileError
from noizenet.protocol import suggest


@dataclass(frozen=True)
class Option:
    """What an option means and may be. Its type is that of its field's default.

    Attributes:
        doc: one sentence for `--help` and the documentation.
        unit: of a number, or "".
        minimum: lowest number.
        maximum: highest number; None = no limit.
        zero: whether 0, below the minimum, is taken too and has a meaning of its own.
        choices: the words it may be; empty = any text.
        flag: the command-line flag, where it isn't the option's name.
        placeholder: what stands for the value in `--help`; "" = made from choices, unit or name.
        shown_default: the default in words, where its value says little.
    """

    doc: str
    unit: str = ""
    minimum: float = 0
    maximum: float | None = None
    zero: bool = False
    choices: tuple[str, ...] = ()
    flag: str = ""
    placeholder: str = ""
    shown_default: str = ""

    @property
    def range(self) -> str:
        """The numbers it may be, in words."""
        zero = "0, or " if self.zero else ""
        if self.maximum is None:
            return f"{zero}{self.minimum:.10g} {self.unit}".rstrip() + " and up"
        return f"{zero}{self.minimum:.10g} to {self.maximum:.10g} {self.unit}".rstrip()

    def has_in_range(self, number: float) -> bool:
        """Returns whether a number is one it may be."""
        if self.zero and number == 0:
            return True
        return number >= self.minimum and (self.maximum is None or number <= self.maximum)


def option(doc: str, **more: Any) -> dict[str, Option]:
    """Returns the metadata that makes a dataclass field an option; the arguments are those of `Option`."""
    return {"option": Option(doc, **more)}


def declared_options(configuration: type) -> "dict[str, tuple[Option, Any]]":
    """Returns each option of a dataclass and its default, by name, in the order they are declared."""
    fields = dataclasses.fields(configuration)
    return {item.name: (item.metadata["option"], item.default) for item in fields if "option" in item.metadata}


def from_text(default: object, text: str) -> object:
    """Returns the number that a text means where the default is a number; else the text as it is."""
    if not isinstance(default, int | float):
        return text
    try:
        return int(text) if isinstance(default, int) else float(text)
    except ValueError:
        return text


def check(option: Option, default: object, value: object, shown: str) -> object:
    """Returns a value in the type of its option's default.

    Args:
        shown: what the user calls the option, for the message.

    Raises:
        ValueError: it is of another type, out of range, or not one of the choices; in one sentence.
    """
    if isinstance(default, str | Path):
        if not isinstance(value, str) or not value:
            raise ValueError(f"{shown} is {value!r}, not a text")
        if option.choices and value not in option.choices:
            near = suggest(value, option.choices)
            raise ValueError(f"{shown} is {value!r}: choose one of {', '.join(option.choices)}{near}")
        return Path(value).expanduser() if isinstance(default, Path) else value
    whole = isinstance(default, int)
    kinds = (int,) if whole else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
        raise ValueError(f"{shown} is {value!r}, not a {'whole ' if whole else ''}number")
    if not option.has_in_range(value):
        raise ValueError(f"{shown} is {value:.10g}, outside {option.range}")
    return int(value) if whole else float(value)


def read_toml(path: Path) -> dict[str, Any]:
    """Returns what a TOML file says.

    Raises:
        InputFileError: it can't be read, or isn't TOML.
    """
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise InputFileError(f"can't read {path}: {error.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise InputFileError(f"{path} is not TOML: {error}") from None
