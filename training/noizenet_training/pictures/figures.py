"""The paper's figures that are made from equations, by name; each is computed again, none is copied."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from noizenet.errors import InputFileError, UsageError
from noizenet.protocol import suggest

if TYPE_CHECKING:
    from matplotlib.figure import Figure


@dataclass(frozen=True)
class PaperFigure:
    """One figure.

    Attributes:
        summary: what it shows, and the paper's number for it.
        draw: returns it, from the sounds and the seed.
        hears: whether it needs sounds.
    """

    summary: str
    draw: Callable[[Sequence[Path], int], "Figure"]
    hears: bool = False


def _activation(name: str) -> Callable[[Sequence[Path], int], "Figure"]:
    def draw(_sounds: Sequence[Path], _seed: int) -> "Figure":
        from noizenet_training.pictures.activations import activation_figure

        return activation_figure(name)

    return draw


def _descent(_sounds: Sequence[Path], _seed: int) -> "Figure":
    from noizenet_training.pictures.drawings import descent_figure

    return descent_figure()


def _clipping(_sounds: Sequence[Path], _seed: int) -> "Figure":
    from noizenet_training.pictures.drawings import clipping_figure

    return clipping_figure()


def _perlin(_sounds: Sequence[Path], seed: int) -> "Figure":
    from noizenet_training.pictures.drawings import perlin_figure

    return perlin_figure(seed)


def _fourier(sounds: Sequence[Path], _seed: int) -> "Figure":
    from noizenet_training.pictures.drawings import fourier_figure

    return fourier_figure(sounds)


FIGURES = {
    "heaviside": PaperFigure("the binary step (figure 3)", _activation("heaviside")),
    "relu": PaperFigure("the rectified linear unit (figure 4)", _activation("relu")),
    "sigmoid": PaperFigure("the sigmoid (figure 5)", _activation("sigmoid")),
    "tanh": PaperFigure("the hyperbolic tangent (figure 6)", _activation("tanh")),
    "descent": PaperFigure("gradient descent on sin x + sin y, with and without momentum (figure 7)", _descent),
    "fourier": PaperFigure("sounds in time, and as one transform of the whole (figures 13 and 14)", _fourier, True),
    "clipping": PaperFigure("how clipping bounds a step at a cliff (figure 16)", _clipping),
    "perlin": PaperFigure("Perlin noise as a prime (figure 29)", _perlin),
}


def write_figure(name: str, sounds: Sequence[Path], path: Path, seed: int = 0) -> None:
    """Writes a figure.

    Args:
        sounds: files, of a figure that needs any.
        seed: of Perlin noise.

    Raises:
        UsageError: there is no such figure, or it needs sounds, or none.
        SoundFileError: a sound can't be read.
        InputFileError: the picture can't be written.
    """
    from noizenet_training.pictures.pictures import save_figure

    if name not in FIGURES:
        raise UsageError(f"there is no figure {name!r}{suggest(name, FIGURES)}: there are {', '.join(FIGURES)}, or all")
    figure = FIGURES[name]
    if figure.hears and not sounds:
        raise UsageError(f"the figure {name} needs sounds: noizenet figure {name} A.wav B.wav --out F.png")
    if sounds and not figure.hears:
        raise UsageError(f"the figure {name} is made from its equation: leave out {sounds[0]}")
    save_figure(figure.draw(sounds, seed), path)


def write_all(folder: Path, seed: int = 0) -> list[Path]:
    """Writes every figure that needs no sound into a folder, which is made if need be; returns where they lie.

    Raises:
        InputFileError: the folder can't be made, or written to.
    """
    try:
        folder.mkdir(exist_ok=True)
    except OSError as error:
        raise InputFileError(f"can't make the folder {folder}: {error.strerror}") from None
    names = [name for name, figure in FIGURES.items() if not figure.hears]
    paths = [folder / f"{name}.png" for name in names]
    for name, path in zip(names, paths, strict=True):
        write_figure(name, [], path, seed)
    return paths
