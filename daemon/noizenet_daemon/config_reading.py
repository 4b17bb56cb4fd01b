"""Reads the daemon's configuration from a TOML file and the command line, and checks it: all faults at once."""

import argparse
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from noizenet.errors import ConfigurationError, ControlError
from noizenet.options import check, from_text, read_toml
from noizenet.parameter import Value
from noizenet.protocol import suggest
from noizenet.start_values import checked, start_values
from noizenet_daemon.config import OPTIONS, DaemonConfig, flag_of


def add_flags(parser: argparse.ArgumentParser) -> None:
    """Adds the checkpoint, `--config`, a flag for every other option, and `--set` to a parser.

    Values stay as they were typed: `load_config` checks them together with the file's.
    """
    parser.add_argument("checkpoint", nargs="?", metavar="M", help="the checkpoint to play (default: the shipped one)")
    parser.add_argument("--config", type=Path, metavar="F.toml", help="read options from a TOML file; flags win")
    for name, (about, default) in OPTIONS.items():
        if name != "checkpoint":
            placeholder = about.placeholder or "|".join(about.choices) or name.upper()
            text = f"{about.doc} (default: {about.shown_default or default})"
            parser.add_argument(flag_of(name), dest=name, metavar=placeholder, help=text.replace("%", "%%"))
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="start value of a parameter, such as temperature=0.9; may be given many times",
    )


def option_reader(name: str) -> Callable[[str], Any]:
    """Returns what reads one option of the daemon from another command's line, with its range: an argument's type."""
    about, default = OPTIONS[name]

    def read(text: str) -> Any:
        try:
            return check(about, default, from_text(default, text), "the value")
        except ValueError as error:
            raise argparse.ArgumentTypeError(str(error)) from None

    return read


def from_flags(arguments: argparse.Namespace) -> DaemonConfig:
    """Returns the configuration that a parser with `add_flags` read; raises as `load_config` does."""
    flags = {name: getattr(arguments, name) for name in OPTIONS if getattr(arguments, name) is not None}
    return load_config(arguments.config, flags, arguments.set)


def load_config(
    path: Path | None = None, flags: Mapping[str, str] | None = None, settings: Iterable[str] = ()
) -> DaemonConfig:
    """Returns the configuration of a TOML file, overridden by flags.

    Args:
        path: the TOML file, or None.
        flags: options as typed on the command line, by option name.
        settings: start values of parameters, as `name=value`.

    Raises:
        ConfigurationError: one or more options are unknown, of the wrong type or out of range; all are named.
        InputFileError: the file can't be read, or isn't TOML.
    """
    table = read_toml(path) if path else {}
    faults: list[str] = []
    parameters = _table_of_parameters(table.pop("parameters", {}), faults)
    values = {}
    for name, value in table.items():
        if name in OPTIONS:
            values[name] = _checked(name, value, name, faults)
        else:
            faults.append(f"there is no option {name}{suggest(name, [*OPTIONS, 'parameters'])}")
    faults = [f"{path}: {fault}" for fault in faults]
    for name, text in (flags or {}).items():
        shown = "the checkpoint" if name == "checkpoint" else flag_of(name)
        values[name] = _checked(name, from_text(OPTIONS[name][1], text), shown, faults)
    try:
        parameters |= start_values(settings)
    except ConfigurationError as error:
        faults.append(str(error))
    faults += _double_meanings(values, parameters)
    if faults:
        raise ConfigurationError("\n  ".join(faults))
    return DaemonConfig(**values, parameters=parameters)


def _checked(name: str, value: object, shown: str, faults: list[str]) -> Any:
    about, default = OPTIONS[name]
    try:
        if name == "output" and value == "file:":
            raise ValueError(f"{shown} is 'file:' without a name: write file:F.wav")
        return check(about, default, value, shown)
    except ValueError as error:
        faults.append(str(error))
        return default


def _table_of_parameters(table: object, faults: list[str]) -> dict[str, Value]:
    values: dict[str, Value] = {}
    if not isinstance(table, dict):
        faults.append(f"parameters is {table!r}, not a table: write [parameters] above its lines")
        return values
    for name, value in table.items():
        try:
            values[name] = checked(name, value)
        except ControlError as error:
            faults.append(f"parameters.{name}: {error}")
    return values


def _double_meanings(values: Mapping[str, Any], parameters: Mapping[str, Value]) -> list[str]:
    """Returns a fault for each thing that is said in two places."""
    faults = [
        f"the parameter {name} is an option of its own: give it as {name} or {flag_of(name)}"
        for name in parameters
        if name in OPTIONS
    ]
    owners: dict[int, str] = {}
    for name in ("control_port", "audio_port", "telemetry_port"):  # OSC's is UDP and may have the same number
        port = values.get(name, OPTIONS[name][1])
        if port > 0 and port in owners:
            faults.append(f"{owners[port]} and {name} are both {port}: give each a port of its own")
        owners[port] = name
    return faults
