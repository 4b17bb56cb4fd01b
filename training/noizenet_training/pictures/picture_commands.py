"""The subcommands `plot` and `figure`."""

import argparse
from pathlib import Path

from noizenet.cli import Subcommand
from noizenet.errors import UsageError
from noizenet_training.arguments import above_zero, whole

CHECKPOINT_ENDING = ".safetensors"
ALL = "all"  # in place of a figure's name


def _configure_plot(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "files",
        nargs="+",
        type=Path,
        metavar="F.wav|M",
        help="sound files, or checkpoints, whose losses are drawn; several stand side by side, to the same scales",
    )
    parser.add_argument("--out", required=True, type=Path, metavar="F.png", help="the picture to write; also svg, pdf")
    parser.add_argument(
        "--frequency", choices=("linear", "log"), default="linear", help="axis of the spectrogram; default linear"
    )
    parser.add_argument("--seconds", type=above_zero, default=0.0, metavar="S", help="only the first S of a sound")


def _plot(options: argparse.Namespace) -> None:
    checkpoints = [path for path in options.files if path.suffix == CHECKPOINT_ENDING]
    if not checkpoints:
        from noizenet_training.pictures.plots import plot_files

        plot_files(options.files, options.out, options.frequency, options.seconds)
    elif len(checkpoints) == len(options.files):
        from noizenet_training.pictures.loss_plots import plot_checkpoints

        plot_checkpoints(options.files, options.out)
    else:
        raise UsageError(f"{checkpoints[0]} is a checkpoint beside sounds: draw losses and sounds in two pictures")


def _configure_figure(parser: argparse.ArgumentParser) -> None:
    from noizenet_training.pictures.figures import FIGURES

    listed = "\n".join(f"  {name:<12} {figure.summary}" for name, figure in FIGURES.items())
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.epilog = f"figures:\n{listed}\n  {ALL:<12} each that needs no sound, into the folder --out"
    parser.add_argument("name", metavar="NAME", help="one of those below")
    parser.add_argument("sounds", nargs="*", type=Path, metavar="F.wav", help="the sounds of the figure fourier")
    parser.add_argument(
        "--out", required=True, type=Path, metavar="F.png", help="the picture to write; also svg, pdf; a folder for all"
    )
    parser.add_argument("--seed", type=whole, default=0, metavar="N", help="of Perlin noise; default 0")


def _figure(options: argparse.Namespace) -> None:
    from noizenet_training.pictures.figures import write_all, write_figure

    if options.name == ALL:
        if options.sounds:
            raise UsageError(f"{ALL} is every figure that needs no sound: leave out {options.sounds[0]}")
        write_all(options.out, options.seed)
    else:
        write_figure(options.name, options.sounds, options.out, options.seed)


PLOT = Subcommand("Draw sounds (wave, envelope, spectrogram), or losses.", _configure_plot, _plot)
FIGURE = Subcommand("Draw a figure of the paper again, from its equations.", _configure_figure, _figure)
