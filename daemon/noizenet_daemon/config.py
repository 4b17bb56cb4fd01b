"""The daemon's configuration: each option declared once, as a field of `DaemonConfig`.

The command-line flags, the keys of the TOML file and the table in docs/configuration.md all come from these
fields. `python -m noizenet_daemon.config` prints that table.
"""

import argparse
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from noizenet.errors import ConfigurationError, ControlError
from noizenet.options import Option, check, declared_options, from_text, option, read_toml
from noizenet.protocol import (
    AUDIO_PORT,
    CONTROL_PORT,
    OSC_PORT,
    PARAMETERS,
    TELEMETRY_PORT,
    Value,
    suggest,
)
from noizenet.start_values import checked, start_values
from noizenet_daemon.engines import ABOUT_ENGINES, ENGINES
from noizenet_daemon.precision import PRECISION_CHOICES

SHIPPED_CHECKPOINT = Path(__file__).parent / "models" / "orchestra.safetensors"
LATENCY = PARAMETERS["latency_ms"]


def _port(what: str) -> dict[str, Option]:
    return option(f"{what}; -1 = off, 0 = any free one.", minimum=-1, maximum=65535, placeholder="PORT")


@dataclass(frozen=True)
class DaemonConfig:
    """All that a daemon is told at its start. `load_config` returns one that has been checked."""

    checkpoint: Path = field(
        default=SHIPPED_CHECKPOINT,
        metadata=option("The checkpoint to play.", shown_default="the one that ships"),
    )
    output: str = field(
        default="auto",
        metadata=option(
            "Where the sound goes: auto (the default sound device, or null if there is none), null, "
            "file:F.wav, or a sound device's name or number."
        ),
    )
    input: str = field(
        default="none",
        metadata=option(
            "What noise of kind live listens to: none, auto (the default sound input, if there is one), or a sound "
            "device's name or number."
        ),
    )
    block_frames: int = field(
        default=256,
        metadata=option("How much the engine makes at once.", unit="frames", minimum=16, maximum=8192),
    )
    sample_rate: int = field(
        default=0,
        metadata=option(
            "Rate of the output; 0 = the device's own, or the checkpoint's for null and file.",
            unit="Hz",
            minimum=8000,
            maximum=384_000,
            zero=True,
        ),
    )
    channels: int = field(default=2, metadata=option("1 = mono, 2 = stereo.", minimum=1, maximum=2))
    voices: int = field(
        default=1,
        metadata=option("Voices that play together, each with its own state.", minimum=1, maximum=64),
    )
    threads: int = field(
        default=1,
        metadata=option(
            "Threads that share the voices, each on a core of its own: for many or heavy ones. What is played stays "
            "the same.",
            minimum=1,
            maximum=64,
        ),
    )
    engine: str = field(
        default="numba",
        metadata=option(ABOUT_ENGINES, choices=ENGINES),
    )
    precision: str = field(
        default="auto",
        metadata=option(
            "Weights as numbers of 32, 16 or 8 bits: fewer make large networks faster, and the sound a little another. "
            "auto = f32, but bf16 if the network's weights take more than 32 MiB.",
            choices=PRECISION_CHOICES,
        ),
    )
    seed: int = field(
        default=1,
        metadata=option(
            "Seed of all that is drawn: fixed, so that the same settings play the same sound.",
            maximum=2**32 - 1,
        ),
    )
    latency_ms: float = field(
        default=float(LATENCY.default),
        metadata=option(LATENCY.doc, unit=LATENCY.unit, minimum=LATENCY.minimum, maximum=LATENCY.maximum),
    )
    prime: str = field(
        default="corpus",
        metadata=option("What warms the hidden state: a sound file, or corpus, normal, perlin, silence."),
    )
    host: str = field(
        default="127.0.0.1",
        metadata=option("Address to listen on; 0.0.0.0 lets anybody on the network in, without a password."),
    )
    osc_port: int = field(default=OSC_PORT, metadata=_port("UDP port for OSC"))
    control_port: int = field(default=CONTROL_PORT, metadata=_port("TCP port for requests over ZeroMQ"))
    audio_port: int = field(default=AUDIO_PORT, metadata=_port("TCP port for the sound over ZeroMQ"))
    telemetry_port: int = field(default=TELEMETRY_PORT, metadata=_port("TCP port for telemetry over ZeroMQ"))
    record_dir: Path = field(
        default=Path("."),
        metadata=option("Folder that recordings are written to.", shown_default="the current one"),
    )
    live: str = field(
        default="auto",
        metadata=option(
            "The live line of level, speed and underruns; auto = on a terminal.",
            choices=("auto", "on", "off"),
        ),
    )
    log_level: str = field(
        default="info", metadata=option("How much is logged.", choices=("debug", "info", "warning", "error"))
    )
    for_s: float = field(
        default=0.0,
        metadata=option("Stop after this time; 0 = play for ever.", unit="s", flag="--for", placeholder="SECONDS"),
    )
    parameters: Mapping[str, Value] = field(default_factory=dict)


OPTIONS: Mapping[str, tuple[Option, Any]] = declared_options(DaemonConfig)


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
            parser.add_argument(_flag(name), dest=name, metavar=placeholder, help=text.replace("%", "%%"))
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
        shown = "the checkpoint" if name == "checkpoint" else _flag(name)
        values[name] = _checked(name, from_text(OPTIONS[name][1], text), shown, faults)
    try:
        parameters |= start_values(settings)
    except ConfigurationError as error:
        faults.append(str(error))
    faults += _double_meanings(values, parameters)
    if faults:
        raise ConfigurationError("\n  ".join(faults))
    return DaemonConfig(**values, parameters=parameters)


def _flag(name: str) -> str:
    return OPTIONS[name][0].flag or "--" + name.replace("_", "-")


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
        f"the parameter {name} is an option of its own: give it as {name} or {_flag(name)}"
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


def markdown_table() -> str:
    """Returns the table of all options for docs/configuration.md."""
    lines = ["| option | flag | default | values | what it is |", "|---|---|---|---|---|"]
    for name, (about, default) in OPTIONS.items():
        shown = f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
        values = ", ".join(about.choices) or ("text" if isinstance(default, str | Path) else about.range)
        flag = "the first argument" if name == "checkpoint" else f"`{_flag(name)}`"
        lines.append(f"| `{name}` | {flag} | {about.shown_default or shown} | {values} | {about.doc} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown_table())
