"""The subcommands `train`, `evaluate` and `plot`."""

import argparse
import json
import math
import os
import sys
from pathlib import Path

from noizenet.cli import Subcommand

DEFAULT_MINUTES = 5.0
DEFAULT_SECONDS = 30.0


def _configure_train(parser: argparse.ArgumentParser) -> None:
    from noizenet_training.recipe_reading import describe_options, recipe_names

    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"options for --set, with their defaults where the recipe says nothing:\n{describe_options()}"
    parser.add_argument("audio", nargs="+", type=Path, metavar="AUDIO", help="sound files, and folders of them")
    parser.add_argument("--out", required=True, type=Path, metavar="M", help="the checkpoint to write")
    parser.add_argument(
        "--recipe",
        default="tokens",
        metavar="R",
        help=f"{', '.join(recipe_names())}, or a file that ends in .toml",
    )
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=_above_zero, metavar="N", help=f"default {DEFAULT_MINUTES:g}")
    length.add_argument("--steps", type=_whole_above_zero, metavar="N", help="updates of the weights, instead")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another value for one option of the recipe",
    )
    parser.add_argument("--seed", type=_whole, default=0, metavar="N", help="of all that is random; default 0")
    parser.add_argument("--resume", action="store_true", help="go on where a killed training stopped")
    parser.add_argument("--licence", default="", metavar="TEXT", help="terms of the corpus, kept in the checkpoint")
    parser.add_argument("--attribution", default="", metavar="TEXT", help="whom to name, kept in the checkpoint")
    parser.add_argument("--half", action="store_true", help="store the checkpoint in 16 bits: half the size")
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def _train(options: argparse.Namespace) -> None:
    from noizenet_training.recipe_reading import load_recipe

    recipe = load_recipe(options.recipe, options.set)  # before the slow imports: its faults show at once
    # Read when PyTorch is loaded. Threads that spin while they wait take the cores from those they wait for:
    # beside one other busy process, two threads on two cores took 4.8 s for an update, like this 0.12 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    from noizenet_training.fitting import Budget
    from noizenet_training.progress import reporter
    from noizenet_training.run import train
    from noizenet_training.task import Task

    minutes = options.minutes or DEFAULT_MINUTES
    budget = Budget(updates=options.steps) if options.steps else Budget(seconds=60.0 * minutes)
    task = Task(
        tuple(options.audio),
        options.out,
        options.recipe,
        recipe,
        budget,
        options.seed,
        options.resume,
        options.licence,
        options.attribution,
        options.half,
    )
    outcome = train(task, reporter(sys.stderr))
    if options.json:
        print(json.dumps(outcome.to_json()))
        return
    preview = f", ten seconds of it in {outcome.preview}" if outcome.preview else ""
    played = f", playing at {outcome.distance:.2f} from the corpus" if outcome.distance is not None else ""
    print(
        f"{outcome.checkpoint}: {outcome.updates:,} updates in {outcome.minutes:.1f} minutes, "
        f"held-out loss {outcome.held_out:.3f}{played}{preview}, losses in {outcome.picture}"
    )


def _configure_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", type=Path, metavar="M|F.wav", help="a checkpoint, or a sound file")
    parser.add_argument("--corpus", required=True, nargs="+", type=Path, metavar="AUDIO", help="what it learnt from")
    parser.add_argument(
        "--seconds",
        type=_above_zero,
        default=DEFAULT_SECONDS,
        metavar="N",
        help=f"to render from a checkpoint; default {DEFAULT_SECONDS:g}",
    )
    parser.add_argument("--seed", type=_whole, default=0, metavar="N", help="of rendering; default 0")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _evaluate(options: argparse.Namespace) -> None:
    from noizenet_training.comparison import compare, table

    scores = compare(options.subject, options.corpus, options.seconds, options.seed)
    if options.json:
        print(json.dumps({entry.name: entry.to_json() for entry in scores}))
    else:
        print(table(scores))


def _configure_plot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("sound", type=Path, metavar="F.wav", help="a sound file")
    parser.add_argument("--out", required=True, type=Path, metavar="F.png", help="the picture to write")


def _plot(options: argparse.Namespace) -> None:
    from noizenet.sound_file import read
    from noizenet_training.plots import plot_sound

    samples, sample_rate = read(options.sound)
    plot_sound(samples.mean(axis=1), sample_rate, options.out, options.sound.name)


def _above_zero(text: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def _whole_above_zero(text: str) -> int:
    number = _whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


def _whole(text: str) -> int:
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if not 0 <= number < 1 << 31:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and {(1 << 31) - 1}")
    return number


TRAIN = Subcommand("Learn from sound files; write a checkpoint to play from.", _configure_train, _train)
EVALUATE = Subcommand("Measure a checkpoint or a sound beside its corpus.", _configure_evaluate, _evaluate)
PLOT = Subcommand("Draw a sound: wave, envelope, spectrogram.", _configure_plot, _plot)
