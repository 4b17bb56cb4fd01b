"""The subcommands `import` and `loops`: the weights of the paper's own program, and the loops it runs them in."""

import argparse
import json
import sys
from pathlib import Path

from noizenet.cli import Subcommand
from noizenet.errors import UsageError
from noizenet_training.arguments import above_zero, whole_above_zero

DEFAULT_RATE = 22_050
RATES = (4000, 96_000)
DEFAULT_STEPS = 2000
DEFAULT_PRIME_S = 1.0


def _configure_import(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("weights", type=Path, metavar="OLD.pt", help="a state dict: lstm.*, rnn.* or gru.*, and fc.*")
    parser.add_argument("--out", required=True, type=Path, metavar="M", help="the checkpoint to write")
    parser.add_argument(
        "--like",
        nargs="+",
        default=[],
        type=Path,
        metavar="AUDIO",
        help="sound like that which it was trained on, files and folders: gives the z-score and the hidden states",
    )
    parser.add_argument(
        "--sample-rate",
        type=whole_above_zero,
        default=DEFAULT_RATE,
        metavar="HZ",
        help=f"at which it was trained; default {DEFAULT_RATE}",
    )
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _import(options: argparse.Namespace) -> None:
    if not RATES[0] <= options.sample_rate <= RATES[1]:
        raise UsageError(f"--sample-rate {options.sample_rate} is outside {RATES[0]} to {RATES[1]} Hz")
    from noizenet_training.author.importing import ASSUMED_DEVIATION, import_weights

    checkpoint = import_weights(options.weights, options.out, options.like, options.sample_rate)
    if not options.like:
        print(
            f"noizenet: without --like AUDIO a mean of 0 and a deviation of {ASSUMED_DEVIATION:g} are assumed of the "
            "sound that it was trained on, and it starts from silence",
            file=sys.stderr,
        )
    shape = checkpoint.network
    if options.json:
        about = {"checkpoint": str(options.out), "network": shape.to_json(), "training": checkpoint.training}
        print(json.dumps(about))
        return
    layers = "1 layer" if shape.layers == 1 else f"{shape.layers} layers"
    print(f"{options.out}: {shape.cell}, {layers} of {shape.hidden}, imported from {options.weights}")


def _configure_loops(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, metavar="M", help="a checkpoint of the codec amplitude")
    parser.add_argument("--prime", required=True, type=Path, metavar="SONG", help="the sound to predict on from")
    parser.add_argument(
        "--seconds",
        type=above_zero,
        default=DEFAULT_PRIME_S,
        metavar="S",
        help=f"of SONG, from its beginning; default {DEFAULT_PRIME_S:g}, the paper's",
    )
    parser.add_argument(
        "--steps", type=whole_above_zero, default=DEFAULT_STEPS, metavar="N", help=f"default {DEFAULT_STEPS}"
    )
    parser.add_argument("--out", type=Path, metavar="F.png", help="draw the outputs below each other; also svg, pdf")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _loops(options: argparse.Namespace) -> None:
    from rich.console import Console
    from rich.progress import Progress

    from noizenet.checkpoint import Checkpoint
    from noizenet.sound_file import read_mono
    from noizenet_training.author.author_loops import LOOPS as NAMES
    from noizenet_training.author.author_loops import network_of, run_loops
    from noizenet_training.author.loop_report import conclusion, draw, table, to_json

    checkpoint = Checkpoint.load(options.checkpoint)
    network = network_of(checkpoint)
    codec = checkpoint.codec
    sound = read_mono(options.prime, codec.sample_rate)[: round(options.seconds * codec.sample_rate)]
    if len(sound) < 2 or not sound.std():
        raise UsageError(
            f"can't prime with {options.prime}: its first {options.seconds:g} s hold nothing but a constant"
        )
    prime = codec.encode(codec.new_encoder_state(), sound)[:, 0]
    with Progress(console=Console(file=sys.stderr), transient=True) as progress:
        bar = progress.add_task("predicting", total=options.steps * len(NAMES))
        runs = run_loops(network, prime, options.steps, codec.sample_rate, lambda: progress.advance(bar))
    if options.out:
        draw(
            runs, options.out, f"{options.checkpoint.name}, primed with {len(prime):,} samples of {options.prime.name}"
        )
    if options.json:
        print(json.dumps(to_json(runs, len(prime))))
        return
    print(table(runs, len(prime)))
    print("\n".join(["", *conclusion(runs, len(prime))]))


IMPORT = Subcommand("Make a checkpoint of the paper's own weights.", _configure_import, _import)
LOOPS = Subcommand("Predict on from a sound in the loops of the paper's program.", _configure_loops, _loops)
