"""The paper's figures of gradient descent, of Perlin noise, and of sounds as one transform."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import StrMethodFormatter
from numpy.typing import NDArray

from noizenet.errors import SoundFileError, UsageError
from noizenet.perlin import perlin_noise
from noizenet.sound_file import read
from noizenet_training.pictures.descent import (
    cliff,
    cliff_gradient,
    clip_by_norm,
    clip_by_value,
    descend,
    sines,
    sines_gradient,
)
from noizenet_training.pictures.plots import COLUMNS, MOST_SOUNDS, Sound, draw_wave, sound_figure

Array = NDArray[Any]

START = (1.4, 0.5)  # near the summit at (pi / 2, pi / 2)
RATE = 0.15
MOMENTUM = 0.8
STEPS = 60

CLIFF_START = (4.6, -2.9)  # on the plateau, before the cliff
CLIFF_RATE = 0.5
CLIFF_UPDATES = 16
CLIP = 0.3

PERLIN_HZ = 440.0  # lattice cells of the first octave in a second
PERLIN_OCTAVES = 4
PERLIN_RATE = 22_050
PERLIN_S = 5.0
PERLIN_PEAK = 0.7

LOWEST_HZ = 10.0
FAINTEST = 1e-7


def descent_figure() -> Figure:
    """Returns f(x, y) = sin x + sin y as a surface, the paths of descent on it, and f along them."""
    paths = {
        "without momentum": descend(sines_gradient, START, RATE, STEPS),
        f"momentum {MOMENTUM:g}": descend(sines_gradient, START, RATE, STEPS, MOMENTUM),
    }
    figure = Figure(figsize=(13, 6), layout="constrained")
    surface: Any = figure.add_subplot(1, 2, 1, projection="3d")
    losses = figure.add_subplot(1, 2, 2)
    x, y = np.meshgrid(np.linspace(-4.0, 3.0, 80), np.linspace(-4.0, 3.0, 80))
    surface.plot_surface(x, y, sines(x, y), cmap="viridis", alpha=0.6, linewidth=0)
    for (label, path), color in zip(paths.items(), ("tab:red", "black"), strict=True):
        heights = sines(*path.T)
        surface.plot(*path.T, heights + 0.03, ".-", color=color, label=label, markersize=5, zorder=10)
        losses.plot(heights, ".-", color=color, label=label)
    surface.set(title=f"sin x + sin y, steps of {RATE:g}", xlabel="x", ylabel="y", zlabel="f(x, y)")
    surface.view_init(elev=40, azim=-120)
    losses.set(title="the same steps", xlabel="step", ylabel="f(x, y)")
    losses.grid(alpha=0.3)
    losses.legend()
    return figure


def clipping_figure() -> Figure:
    """Returns descent over a cliff of the loss: from above, and the length of each step."""
    paths = {
        "not clipped": descend(cliff_gradient, CLIFF_START, CLIFF_RATE, CLIFF_UPDATES),
        f"each component at most {CLIP:g}": descend(
            cliff_gradient, CLIFF_START, CLIFF_RATE, CLIFF_UPDATES, clip=clip_by_value(CLIP)
        ),
        f"norm at most {CLIP:g}": descend(
            cliff_gradient, CLIFF_START, CLIFF_RATE, CLIFF_UPDATES, clip=clip_by_norm(CLIP)
        ),
    }
    figure = Figure(figsize=(13, 6), layout="constrained")
    above, lengths = figure.subplots(1, 2)
    w, b = np.meshgrid(np.linspace(4.2, 5.6, 200), np.linspace(-3.0, -1.2, 200))
    shown = above.contourf(w, b, cliff(w, b), 30, cmap="viridis")
    figure.colorbar(shown, ax=above, label="loss")
    for (label, path), style in zip(paths.items(), ("o-", "s-", "^-"), strict=True):
        color = ("white", "tab:red", "tab:orange")[len(lengths.lines)]
        above.plot(*path.T, style, color=color, markersize=4, linewidth=1, label=label)
        steps = np.hypot(*np.diff(path, axis=0).T)
        lengths.semilogy(np.arange(1, len(steps) + 1), steps, style, markersize=4, linewidth=1, label=label)
        lengths.lines[-1].set_color("black" if color == "white" else color)
    above.set(title="a network of one unit, from above", xlabel="w", ylabel="b", xlim=(4.2, 5.6), ylim=(-3.0, -1.2))
    above.legend(facecolor="gray", labelcolor="white")
    lengths.axhline(CLIFF_RATE * CLIP, color="gray", linestyle="--", label=f"{CLIP:g} times the learning rate")
    lengths.set(title=f"learning rate {CLIFF_RATE:g}", xlabel="update", ylabel="length of the step")
    lengths.grid(alpha=0.3)
    lengths.legend()
    return figure


def perlin_figure(seed: int = 0) -> Figure:
    """Returns Perlin noise as a sound is drawn: it can be a prime, as in the paper."""
    noise = perlin_noise(round(PERLIN_S * PERLIN_RATE), PERLIN_HZ, PERLIN_RATE, PERLIN_OCTAVES, seed)
    title = f"Perlin noise: {PERLIN_HZ:g} cells a second, {PERLIN_OCTAVES} octaves, seed {seed}"
    return sound_figure([Sound(title, PERLIN_PEAK * noise / np.abs(noise).max(), PERLIN_RATE)], "log")


def fourier_figure(files: Sequence[Path]) -> Figure:
    """Returns sounds side by side: in time, and as one transform of the whole: its two parts, and its magnitude.

    The two parts, real and imaginary, are what the paper's frequency-domain model reads, along frequency.

    Frequencies are drawn from 10 Hz on.

    Raises:
        SoundFileError: a file can't be read, or has one sample.
        UsageError: there are too many to be seen.
    """
    if len(files) > MOST_SOUNDS:
        raise UsageError(f"{len(files)} sounds are too many for one picture: {MOST_SOUNDS} at most")
    figure = Figure(figsize=(max(12.0, 6.0 * len(files)), 9), layout="constrained")
    grid = figure.subplots(3, len(files), squeeze=False, sharex="row", sharey="row")
    heard = [read(file) for file in files]
    highest_hz = max(sample_rate for _, sample_rate in heard) / 2
    for (wave, parts, magnitude), file, (samples, sample_rate) in zip(grid.T, files, heard, strict=True):
        if len(samples) < 2:
            raise SoundFileError(f"{file} is too short for a transform: it has one sample")
        mono = samples.mean(axis=1)
        transform = np.fft.rfft(mono) / len(mono)
        frequencies = np.fft.rfftfreq(len(mono), 1.0 / sample_rate)
        draw_wave(wave, Sound(file.name, mono, sample_rate))
        _draw_columns(parts, magnitude, frequencies, transform)
        wave.set(title=file.name, xlabel="time, s")
        parts.legend(loc="upper right")
        for axes in (parts, magnitude):
            axes.set(xscale="log", xlim=(LOWEST_HZ, highest_hz))
            axes.set_xlabel("frequency, Hz")
            axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    for axes, label in zip(grid[:, 0], ("amplitude", "part of the transform", "magnitude, dB"), strict=True):
        axes.set_ylabel(label)
    return figure


def _draw_columns(parts: Axes, magnitude: Axes, frequencies: Array, transform: Array) -> None:
    """Draws the least and the greatest of each part, and the greatest magnitude, in columns of a logarithmic axis."""
    first, count = int(np.searchsorted(frequencies, LOWEST_HZ)), len(frequencies)
    starts = np.unique(np.geomspace(max(first, 1), count, COLUMNS).astype(int))[:-1]
    starts = starts if len(starts) else np.array([count - 1])  # of a clip of very few samples
    for label, part in (("real part", transform.real), ("imaginary part", transform.imag)):
        lows, highs = np.minimum.reduceat(part, starts), np.maximum.reduceat(part, starts)
        parts.fill_between(frequencies[starts], lows, highs, linewidth=0.3, alpha=0.7, label=label)
    peaks = np.maximum(np.maximum.reduceat(np.abs(transform), starts), FAINTEST)
    magnitude.plot(frequencies[starts], 20.0 * np.log10(peaks), linewidth=0.7)
