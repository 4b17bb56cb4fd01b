"""The daemon's configuration: each option declared once, as a field of `DaemonConfig`.

The command-line flags, the keys of the TOML file and the table in docs/configuration.md all come from these
fields. `python -m noizenet_daemon.config` prints that table.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from noizenet.options import Option, declared_options, option
from noizenet.parameter import Value
from noizenet.protocol import AUDIO_PORT, CONTROL_PORT, OSC_PORT, PARAMETERS, TELEMETRY_PORT
from noizenet_daemon.engines import ABOUT_ENGINES, ENGINES
from noizenet_daemon.precision import PRECISION_CHOICES

SHIPPED_CHECKPOINT = Path(__file__).parent / "models" / "orchestra.safetensors"
LATENCY = PARAMETERS["latency_ms"]


def _port(what: str) -> dict[str, Option]:
    return option(f"{what}; -1 = off, 0 = any free one.", minimum=-1, maximum=65535, placeholder="PORT")


@dataclass(frozen=True)
class DaemonConfig:
    """All that a daemon is told at its start. `config_reading.load_config` returns one that has been checked."""

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


def flag_of(name: str) -> str:
    """Returns how an option is given on the command line."""
    return OPTIONS[name][0].flag or "--" + name.replace("_", "-")


def markdown_table() -> str:
    """Returns the table of all options for docs/configuration.md."""
    lines = ["| option | flag | default | values | what it is |", "|---|---|---|---|---|"]
    for name, (about, default) in OPTIONS.items():
        shown = f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
        values = ", ".join(about.choices) or ("text" if isinstance(default, str | Path) else about.range)
        flag = "the first argument" if name == "checkpoint" else f"`{flag_of(name)}`"
        lines.append(f"| `{name}` | {flag} | {about.shown_default or shown} | {values} | {about.doc} |")
    return "\n".join(lines)


if __name__ == "__main__":
    print(markdown_table())
