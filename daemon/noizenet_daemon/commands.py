"""The subcommands `noizenet daemon`, `render` and `reproduce`. Heavy imports stand inside the functions that run."""

import argparse
from pathlib import Path

from noizenet.cli import Subcommand
from noizenet_daemon.config import OPTIONS
from noizenet_daemon.config_reading import add_flags, from_flags, option_reader

RENDER_BLOCK = 4096
LONGEST_S = 24 * 3600.0


def _configure_daemon(parser: argparse.ArgumentParser) -> None:
    add_flags(parser)


def _run_daemon(arguments: argparse.Namespace) -> None:
    import logging

    config = from_flags(arguments)
    logging.basicConfig(level=config.log_level.upper(), format="%(levelname)s %(name)s: %(message)s")
    from noizenet_daemon.quick_start import import_numba_alone, without_collecting

    with without_collecting():
        import_numba_alone()
        from noizenet_daemon.daemon import Daemon

    Daemon(config).run()


def _configure_render(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", metavar="M", type=Path, help="the checkpoint to play")
    parser.add_argument("--out", required=True, type=Path, metavar="F.wav", help="the WAV file to write")
    parser.add_argument("--seconds", type=_seconds, default=30.0, metavar="S", help="how long (default: 30)")
    parser.add_argument(
        "--prime",
        default="corpus",
        metavar="SOUND",
        help="what warms the hidden state: a sound file, or corpus (default), normal, perlin, silence",
    )
    parser.add_argument("--seed", type=_seed, default=1, metavar="N", help="of all that is drawn (default: 1)")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter, such as temperature=0.9",
    )
    parser.add_argument("--voices", type=option_reader("voices"), default=1, metavar="N", help="1 to 64 (default: 1)")
    parser.add_argument(
        "--threads",
        type=option_reader("threads"),
        default=1,
        metavar="N",
        help="threads that share the voices, each on a core; what is played stays the same (default: 1)",
    )
    parser.add_argument(
        "--channels", type=int, choices=(1, 2), default=0, help="mono or stereo (default: as the checkpoint)"
    )
    parser.add_argument(
        "--sample-rate", type=int, default=0, metavar="HZ", help="of the file (default: the checkpoint's own)"
    )
    for name in ("engine", "precision"):
        _add_option(parser, name)
    parser.add_argument(
        "--live-input",
        type=Path,
        metavar="F.wav",
        help="a sound whose level drives noise of kind live, as a sound input drives the daemon's",
    )
    parser.add_argument(
        "--raw",
        action="store_true",
        help="what the network puts out, without the safety chain: to measure, not to hear",
    )


def _run_render(arguments: argparse.Namespace) -> None:
    from noizenet_daemon.quick_start import import_numba_alone

    import_numba_alone()
    from noizenet.start_values import start_values
    from noizenet_daemon.offline import render

    speed = render(
        arguments.checkpoint,
        arguments.out,
        seconds=arguments.seconds,
        prime=arguments.prime,
        seed=arguments.seed,
        values=start_values(arguments.set),
        voices=arguments.voices,
        threads=arguments.threads,
        channels=arguments.channels,
        sample_rate=arguments.sample_rate,
        engine=arguments.engine,
        precision=arguments.precision,
        block_frames=RENDER_BLOCK,
        raw=arguments.raw,
        live_input=arguments.live_input,
    )
    print(f"{arguments.out}: {arguments.seconds:g} s, rendered at {speed:.1f} times real time")


def _configure_reproduce(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", metavar="M", type=Path, help="the checkpoint that predicts")
    parser.add_argument("sound", metavar="IN", type=Path, help="the sound that it hears; any format and rate")
    parser.add_argument("out", metavar="OUT.wav", type=Path, help="the WAV file to write: what it expected")
    parser.add_argument("--seconds", type=_seconds, metavar="S", help="only the first S seconds (default: all)")
    parser.add_argument("--json", action="store_true", help="print one JSON object")
    for name in ("engine", "precision"):
        _add_option(parser, name)


def _run_reproduce(arguments: argparse.Namespace) -> None:
    import json

    from noizenet_daemon.reproduction import as_text, reproduce

    result = reproduce(
        arguments.checkpoint,
        arguments.sound,
        arguments.out,
        seconds=arguments.seconds,
        engine=arguments.engine,
        precision=arguments.precision,
    )
    print(json.dumps(result.to_json(), indent=2) if arguments.json else as_text(result, arguments.out))


def _add_option(parser: argparse.ArgumentParser, name: str) -> None:
    """Adds an option of the daemon that is one of a few words."""
    about, default = OPTIONS[name]
    parser.add_argument(f"--{name}", choices=about.choices, default=default, help=f"{about.doc} (default: {default})")


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 < value <= LONGEST_S:
        raise argparse.ArgumentTypeError(f"{text} is not a number of seconds above 0, up to {LONGEST_S:g}")
    return value


def _seed(text: str) -> int:
    if not text.isdecimal() or int(text) >= 2**32:
        raise argparse.ArgumentTypeError(f"{text} is not a whole number from 0 to {2**32 - 1}")
    return int(text)


DAEMON = Subcommand("Play a checkpoint live, for ever.", _configure_daemon, _run_daemon)
RENDER = Subcommand("Play a checkpoint into a file.", _configure_render, _run_render)
REPRODUCE = Subcommand("Predict a sound, each step from the true ones before it.", _configure_reproduce, _run_reproduce)
