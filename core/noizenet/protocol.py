"""The control vocabulary, version 1: every parameter and every command, once.

OSC, ZeroMQ, the command line and docs/control.md are all derived from `PARAMETERS` and `COMMANDS`. This
module does no input or output; `noizenet_daemon.console` carries the messages out.

Addresses:

    /noizenet/<parameter> [value]             set it for all voices; without a value: what it is now
    /noizenet/voice/<n>/<parameter> [value]   the same for one voice, counted from 1 (`*` = all)
    /noizenet/norm/<parameter> [0..1]         the same by its place in its range, for automation lanes
    /noizenet/voice/<n>/norm/<parameter>      the same for one voice
    /noizenet/<command> [arguments]           also understood without the prefix: /status, /sync 42
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass

from noizenet.errors import ControlError
from noizenet.parameter import Parameter

VERSION = 1
PREFIX = "/noizenet/"

OSC_PORT = 57190
CONTROL_PORT = 57191
AUDIO_PORT = 57192
TELEMETRY_PORT = 57193

AUDIO_TOPIC = b"audio"


def _choice(name: str, choices: tuple[str, ...], default: str, doc: str) -> Parameter:
    return Parameter(name, "choice", default, doc, maximum=len(choices) - 1, choices=choices)


NOISE_KINDS = ("normal", "uniform", "perlin", "pink", "live")
NOISE_TARGETS = ("input", "hidden", "cell")
NOISE_MODES = ("off", "continuous", "periodic", "on_collapse")

PARAMETERS: dict[str, Parameter] = {
    parameter.name: parameter
    for parameter in (
        Parameter("gain_db", "float", 0.0, "Loudness.", -60.0, 12.0, "dB", 0.02),
        Parameter("mute", "bool", False, "1 fades to silence, 0 fades in again.", smoothing_s=0.02),
        Parameter("pan", "float", 0.0, "Place between left (-1) and right (1).", -1.0, 1.0, "", 0.02),
        Parameter(
            "temperature",
            "float",
            1.0,
            "How freely the next step is drawn: low repeats, high roams.",
            0.1,
            2.0,
        ),
        Parameter("top_p", "float", 1.0, "Draw only from the likeliest codes of this much probability.", 0.05),
        Parameter(
            "stray",
            "float",
            0.5,
            "How far from the corpus: 0 replays it, 0.5 as trained, 1 never stays. Without a memory, nothing.",
        ),
        Parameter("noise", "float", 0.0, "Amount of noise injected into the network: 0 none, 1 extreme."),
        _choice(
            "noise_kind",
            NOISE_KINDS,
            "normal",
            "Shape of the injected noise; live is normal, and as strong as the live level.",
        ),
        _choice("noise_target", NOISE_TARGETS, "hidden", "What the noise is added to."),
        _choice(
            "noise_mode",
            NOISE_MODES,
            "continuous",
            "When: at each step, once a period, or when output is stuck.",
        ),
        Parameter("noise_period_s", "float", 1.0, "Time between two periodic injections.", 0.05, 60.0, "s"),
        Parameter(
            "live_level_db",
            "float",
            -60.0,
            "Level that noise of kind live follows, where no sound input is open: -60 none of it, -6 all of it.",
            -60.0,
            0.0,
            "dB",
        ),
        Parameter(
            "latency_ms",
            "float",
            60.0,
            "How far the engine plays ahead of what is heard.",
            5.0,
            2000.0,
            "ms",
            scope="master",
        ),
        Parameter("limiter_db", "float", -1.0, "Highest peak let out.", -24.0, -1.0, "dB", scope="master"),
    )
}


@dataclass(frozen=True)
class Argument:
    """One argument of a command: its name, whether it may be left out, and what it means."""

    name: str
    doc: str
    optional: bool = False


@dataclass(frozen=True)
class Command:
    """One thing the instrument can be asked to do.

    Attributes:
        synchronous: carried out before it answers; otherwise prepared aside while the sound goes on, and
            answered when it takes effect.
    """

    name: str
    doc: str
    arguments: tuple[Argument, ...] = ()
    synchronous: bool = True

    def check_count(self, arguments: tuple[object, ...]) -> None:
        """Raises ControlError if there are too few or too many arguments."""
        least = sum(not argument.optional for argument in self.arguments)
        if not least <= len(arguments) <= len(self.arguments):
            names = " ".join(f"[{a.name}]" if a.optional else a.name for a in self.arguments)
            raise ControlError(f"{self.name} takes {names or 'no arguments'}, not {len(arguments)} of them")


COMMANDS: dict[str, Command] = {
    command.name: command
    for command in (
        Command("load", "Play another checkpoint.", (Argument("path", "a .safetensors file"),), False),
        Command(
            "prime",
            "Warm the hidden state with a sound, then run free.",
            (Argument("source", "a sound file, or corpus, normal, perlin, silence"),),
            False,
        ),
        Command("reset", "Start the hidden state anew."),
        Command("panic", "Fade to silence now; `mute 0` brings the sound back."),
        Command("state/save", "Remember the hidden state under a name.", (Argument("name", "any name"),)),
        Command("state/recall", "Go back to a remembered state.", (Argument("name", "a name saved before"),)),
        Command(
            "record/start",
            "Record what is heard to a new WAV file in the recordings folder.",
            (Argument("name", "file name"),),
        ),
        Command("record/stop", "Close the recording; answers with its path and seconds."),
        Command("status", "Answers what the instrument is doing."),
        Command(
            "notify",
            "Send the asker telemetry and changes (1), or no longer (0).",
            (Argument("on", "1 or 0"), Argument("port", "UDP port to send to", optional=True)),
        ),
        Command(
            "sync",
            "Answers when everything sent before has been carried out.",
            (Argument("id", "a number that comes back"),),
        ),
        Command("parameters", "Describes every parameter."),
        Command("quit", "Fade out and stop the daemon."),
    )
}

# What each row of `/parameters.reply` carries, in this order.
PARAMETER_FIELDS = ("name", "kind", "minimum", "maximum", "default", "unit", "doc", "choices")

# What `/status.reply` carries, in this order; also the keys of telemetry.
STATUS_FIELDS: dict[str, str] = {
    "position": "frames played since the start",
    "sample_rate": "frames per second",
    "voices": "voices playing",
    "level_db": "peak of the last tenth of a second, in dB of full scale",
    "realtime_factor": "seconds of sound made in a second of work",
    "underruns": "times the output ran dry",
    "missing_frames": "frames of silence it put in for that",
    "latency_ms": "sound made ahead of what is heard",
    "quarantined": "blocks that held NaN or infinity and were not played",
    "checkpoint": "name of the checkpoint playing",
}


def suggest(word: str, known: Iterable[str]) -> str:
    """Returns " (did you mean ...?)" for the closest known word, or ""."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f" (did you mean {close[0]}?)" if close else ""
