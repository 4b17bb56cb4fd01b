"""Pictures of sounds: wave, envelope, the first milliseconds and spectrogram; several stand side by side."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.collections import QuadMesh
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, NullLocator, StrMethodFormatter
from numpy.typing import NDArray

from noizenet.errors import UsageError
from noizenet.sound_file import read
from noizenet_training.pictures.pictures import save_figure

Array = NDArray[Any]

COLUMNS = 1200  # of the wave and the spectrogram, whatever the sound's length
ROWS = 400  # of the spectrogram
ENVELOPE_S = 0.02
ZOOM_S = 0.01  # as in the paper's wave plots
AUDIBLE = 0.01  # of the peak: the zoomed wave begins here
WINDOW_S = 0.07  # of the spectrogram, rounded to a power of two: 4096 samples at 44,100 Hz
RANGE_DB = 90.0
FAINTEST = 1e-6  # amplitude that silence is drawn as
LOWEST_HZ = 30.0  # of a logarithmic axis
MARKED_HZ = (50, 100, 200, 500, 1000, 2000, 5000, 10_000, 20_000)  # on it
MOST_SOUNDS = 8  # side by side


@dataclass(frozen=True)
class Sound:
    """What is drawn: mono samples, float32 (samples,), full scale ±1."""

    title: str
    samples: Array
    sample_rate: int

    @property
    def seconds(self) -> float:
        """Its length."""
        return len(self.samples) / self.sample_rate


def plot_files(files: Sequence[Path], path: Path, frequency: str = "linear", seconds: float = 0.0) -> None:
    """Writes a picture of sound files side by side; see `sound_figure`.

    Args:
        seconds: of each, from its beginning; 0 = all.

    Raises:
        SoundFileError: a file can't be read.
        UsageError: there are too many to be seen.
        InputFileError: the picture can't be written.
    """
    if len(files) > MOST_SOUNDS:
        raise UsageError(f"{len(files)} sounds are too many for one picture: {MOST_SOUNDS} at most")
    sounds = []
    for file in files:
        samples, sample_rate = read(file)
        shown = samples[: max(1, round(seconds * sample_rate))] if seconds else samples
        sounds.append(Sound(file.name, shown.mean(axis=1), sample_rate))
    save_figure(sound_figure(sounds, frequency), path)


def plot_sound(samples: Array, sample_rate: int, path: Path, title: str) -> None:
    """Writes a picture of one sound, float32 (samples,).

    Raises:
        InputFileError: the picture can't be written.
    """
    save_figure(sound_figure([Sound(title, samples, sample_rate)]), path)


def sound_figure(sounds: Sequence[Sound], frequency: str = "linear") -> Figure:
    """Returns a figure with a column for each sound, all to the same scales of time, level and frequency.

    From above: the wave; the RMS in dBFS; the wave's first 10 ms, after any silence that all begin with; the
    spectrogram, up to 90 dB below the loudest of all.

    Args:
        frequency: "linear" or "log", the axis of the spectrogram.
    """
    figure = Figure(figsize=(max(12.0, 6.0 * len(sounds)), 10), layout="constrained")
    grid = figure.subplots(4, len(sounds), squeeze=False, sharey="row", height_ratios=(1, 1, 1, 2))
    longest_s = max(sound.seconds for sound in sounds)
    edges = _frequency_edges(max(sound.sample_rate for sound in sounds) / 2, frequency)
    spectrograms = [spectrogram(sound, edges) for sound in sounds]
    loudest = max(float(levels.max()) for levels in spectrograms)
    begin_s = min(_beginning_s(sound) for sound in sounds)
    meshes = []
    for column, (sound, levels) in enumerate(zip(sounds, spectrograms, strict=True)):
        wave, envelope, zoom, spectrum = grid[:, column]
        draw_wave(wave, sound)
        _draw_envelope(envelope, sound)
        _draw_zoom(zoom, sound, begin_s)
        meshes.append(_draw_spectrogram(spectrum, sound, levels, edges, loudest))
        if frequency == "log":
            spectrum.set_yscale("log")
            spectrum.yaxis.set_major_locator(FixedLocator(MARKED_HZ))
            spectrum.yaxis.set_minor_locator(NullLocator())
        spectrum.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
        for axes in (wave, envelope, spectrum):
            axes.set_xlim(0, longest_s)
        wave.set_title(sound.title)
        spectrum.set_xlabel("time, s")
    for axes, label in zip(grid[:, 0], ("amplitude", "RMS, dBFS", "amplitude", "frequency, Hz"), strict=True):
        axes.set_ylabel(label)
    figure.colorbar(meshes[0], ax=list(grid[3]), label="dB; a sine of full scale is 0")
    return figure


def spectrogram(sound: Sound, edges: Array) -> Array:
    """Returns levels in dB (rows, columns); a row is the loudest bin between two of the `edges`, in Hz.

    A row that is narrower than a bin shows the bin it lies in; one above the sound's own highest frequency shows
    silence. At most `COLUMNS` windows are measured, evenly spaced.
    """
    window = 1 << max(1, round(np.log2(WINDOW_S * sound.sample_rate)))
    samples = np.pad(sound.samples, (0, max(0, window - len(sound.samples))))
    starts = np.linspace(0, len(samples) - window, min(COLUMNS, 1 + 4 * (len(samples) - window) // window))
    shape = np.hanning(window)
    frames = np.stack([samples[int(start) : int(start) + window] * shape for start in starts])
    magnitudes = np.abs(np.fft.rfft(frames, axis=1)).T / (shape.sum() / 2)  # a sine of full scale is 1, 0 dB
    bins = np.rint(edges * window / sound.sample_rate).astype(int)
    rows = np.full((len(edges) - 1, len(starts)), FAINTEST)
    for row, (first, last) in enumerate(pairwise(bins)):
        if first < len(magnitudes):
            rows[row] = magnitudes[first : max(last, first + 1)].max(axis=0)
    return np.asarray(20.0 * np.log10(np.maximum(rows, FAINTEST)))


def _frequency_edges(highest_hz: float, frequency: str) -> Array:
    """Returns the borders between the spectrogram's rows, (rows + 1,), in Hz."""
    if frequency == "log":
        return np.geomspace(min(LOWEST_HZ, highest_hz / 10), highest_hz, ROWS + 1)
    return np.linspace(0.0, highest_hz, ROWS + 1)


def draw_wave(axes: Axes, sound: Sound) -> None:
    """Draws the least and the greatest sample of each column."""
    parts = np.array_split(sound.samples, min(COLUMNS, len(sound.samples)))
    time = (np.arange(len(parts)) + 0.5) * sound.seconds / len(parts)
    axes.fill_between(time, [part.min() for part in parts], [part.max() for part in parts], linewidth=0.3)


def _draw_envelope(axes: Axes, sound: Sound) -> None:
    pieces = np.array_split(sound.samples, max(1, round(sound.seconds / ENVELOPE_S)))
    levels = [20.0 * np.log10(max(float(np.sqrt(np.mean(np.square(piece)))), FAINTEST)) for piece in pieces]
    axes.plot((np.arange(len(levels)) + 0.5) * sound.seconds / len(levels), levels, linewidth=0.7)
    axes.set_ylim(-RANGE_DB, 0)


def _beginning_s(sound: Sound) -> float:
    """Returns when a sound is no longer silent."""
    levels = np.abs(sound.samples)
    return int(np.argmax(levels >= AUDIBLE * levels.max())) / sound.sample_rate


def _draw_zoom(axes: Axes, sound: Sound, begin_s: float) -> None:
    first = round(begin_s * sound.sample_rate)
    shown = sound.samples[first : first + max(2, round(ZOOM_S * sound.sample_rate))]
    axes.plot(np.arange(len(shown)) * 1000.0 / sound.sample_rate, shown, marker=".", markersize=3, linewidth=0.7)
    begin = f", from {begin_s:.3f} s" if begin_s else ""
    axes.set(xlim=(0, 1000.0 * ZOOM_S), xlabel=f"time, ms{begin}")


def _draw_spectrogram(axes: Axes, sound: Sound, levels: Array, edges: Array, loudest: float) -> QuadMesh:
    time = np.linspace(0.0, sound.seconds, levels.shape[1] + 1)
    lowest = loudest - RANGE_DB
    return axes.pcolormesh(time, edges, levels, cmap="magma", vmin=lowest, vmax=loudest, rasterized=True)
