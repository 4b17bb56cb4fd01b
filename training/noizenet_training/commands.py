"""The subcommands `train` and `evaluate`."""

import argparse
import json
import os
import sys
import time
from pathlib import Path

from noizenet.cli import Subcommand
from noizenet.errors import UsageError
from noizenet_training.arguments import above_zero, whole, whole_above_zero
from noizenet_training.sounds.fma import SUBSETS, FmaChoice

DEFAULT_MINUTES = 5.0
DEFAULT_SECONDS = 30.0


def _configure_train(parser: argparse.ArgumentParser) -> None:
    from noizenet_training.recipe_reading import describe_options, recipe_names

    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"options for --set, with their defaults where the recipe says nothing:\n{describe_options()}"
    parser.add_argument("audio", nargs="*", type=Path, metavar="AUDIO", help="sound files, and folders of them")
    parser.add_argument("--out", required=True, type=Path, metavar="M", help="the checkpoint to write")
    parser.add_argument(
        "--recipe",
        default="tokens",
        metavar="R",
        help=f"{', '.join(recipe_names())}, or a file that ends in .toml",
    )
    _configure_songs(parser)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=above_zero, metavar="N", help=f"default {DEFAULT_MINUTES:g}")
    length.add_argument("--steps", type=whole_above_zero, metavar="N", help="updates of the weights, instead")
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another value for one option of the recipe",
    )
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of all that is random; default 0")
    parser.add_argument("--resume", action="store_true", help="go on where a killed training stopped")
    parser.add_argument("--licence", default="", metavar="TEXT", help="terms of the corpus, kept in the checkpoint")
    parser.add_argument("--attribution", default="", metavar="TEXT", help="whom to name, kept in the checkpoint")
    parser.add_argument("--half", action="store_true", help="store the checkpoint in 16 bits: half the size")
    parser.add_argument("--json", action="store_true", help="print the outcome as one JSON object")


def _configure_songs(parser: argparse.ArgumentParser) -> None:
    songs = parser.add_argument_group("which songs")
    songs.add_argument(
        "--fma",
        type=Path,
        metavar="DIR",
        help="instead of AUDIO: the data set FMA, with fma_metadata/tracks.csv and fma_small or a larger folder",
    )
    songs.add_argument("--genre", metavar="G", help="of FMA: only the tracks of one genre, such as Instrumental")
    songs.add_argument(
        "--subset", choices=SUBSETS, help="of FMA: each is part of those after it, full is untrimmed; default small"
    )
    songs.add_argument(
        "--songs", type=whole_above_zero, default=0, metavar="N", help="only the first N files that can be used"
    )
    songs.add_argument("--seconds", type=above_zero, default=0.0, metavar="S", help="only the first S of each file")


def _chosen_fma(options: argparse.Namespace) -> FmaChoice | None:
    """Returns what of FMA is asked for, or None if files are named instead.

    Raises:
        UsageError: neither is, or both are.
    """
    if options.fma is None:
        for flag in ("genre", "subset"):
            if getattr(options, flag) is not None:
                raise UsageError(f"--{flag} chooses among the tracks of FMA: say with --fma DIR where they are")
        if not options.audio:
            raise UsageError("there is nothing to learn from: name sound files or folders, or FMA with --fma DIR")
        return None
    if options.audio:
        raise UsageError(f"--fma {options.fma} and {options.audio[0]} are two corpora: leave one out")
    return FmaChoice(options.fma, options.genre or "", options.subset or SUBSETS[0])


def _train(options: argparse.Namespace) -> None:
    from noizenet_training.recipe_reading import load_recipe

    begun = time.monotonic()
    recipe = load_recipe(options.recipe, options.set)  # before the slow imports: its faults show at once
    fma = _chosen_fma(options)
    # Read when PyTorch is loaded. Threads that spin while they wait take the cores from those they wait for:
    # beside one other busy process, two threads on two cores took 4.8 s for an update, like this 0.12 s.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

    from noizenet_training.learning.rounds import Budget
    from noizenet_training.progress import loss_text, reporter
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
        fma,
        options.songs,
        options.seconds,
    )
    outcome = train(task, reporter(sys.stderr), begun=begun)
    if options.json:
        print(json.dumps(outcome.to_json()))
        return
    preview = f", a preview in {outcome.preview}" if outcome.preview else ""
    print(
        f"{outcome.checkpoint}: {outcome.updates:,} updates in {outcome.minutes:.1f} minutes, "
        f"held-out loss {loss_text(outcome.held_out)}{preview}, losses in {outcome.picture} (these took "
        f"{outcome.afterwards_s:.0f} s more)"
    )
    if outcome.verdict:
        print(f"What it plays {outcome.verdict}")


def _configure_evaluate(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("subject", type=Path, metavar="M|F.wav", help="a checkpoint, or a sound file")
    parser.add_argument("--corpus", required=True, nargs="+", type=Path, metavar="AUDIO", help="what it learnt from")
    parser.add_argument(
        "--seconds",
        type=above_zero,
        default=DEFAULT_SECONDS,
        metavar="N",
        help=f"to render from a checkpoint; default {DEFAULT_SECONDS:g}",
    )
    parser.add_argument(
        "--prime",
        default="corpus",
        metavar="SOUND",
        help="what the checkpoint hears before: a sound file, or corpus (default), normal, perlin, silence",
    )
    parser.add_argument(
        "--set",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a parameter that the checkpoint is played with, such as stray=0.7",
    )
    parser.add_argument("--out", type=Path, metavar="F.png", help="draw both, what is recited, and how they live")
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of rendering; default 0")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _evaluate(options: argparse.Namespace) -> None:
    from noizenet_training.judging.comparison import compare, table

    found = compare(options.subject, options.corpus, options.seconds, options.seed, options.prime, options.set)
    print(json.dumps(found.to_json()) if options.json else table(found), flush=True)
    if options.out:  # last: a picture that can't be written costs nobody the figures
        from noizenet_training.judging.score_picture import draw

        draw(found, options.out)


TRAIN = Subcommand("Learn from sound files; write a checkpoint to play from.", _configure_train, _train)
EVALUATE = Subcommand("Measure a checkpoint or a sound beside its corpus.", _configure_evaluate, _evaluate)
