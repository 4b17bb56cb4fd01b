"""Pictures: a sound as wave, envelope and spectrogram; a training as its losses."""

import io
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from numpy.typing import NDArray

from noizenet.checkpoint import write_atomically
from noizenet.errors import InputFileError
from noizenet_training.fitting import Round

Array = NDArray[Any]

COLUMNS = 1600  # of the wave and the spectrogram, whatever the sound's length
ENVELOPE_S = 0.02
WINDOW = 2048
RANGE_DB = 90.0


def plot_losses(rounds: Sequence[Round], best: Round, path: Path, title: str) -> None:
    """Writes a picture of the loss and the held-out loss of every round, and of how the network played.

    Raises:
        InputFileError: the picture can't be written.
    """
    figure = Figure(figsize=(9, 5), layout="constrained")
    axes = figure.subplots()
    updates = [entry.updates for entry in rounds]
    held_out = [entry.held_out for entry in rounds]
    axes.plot(updates, [entry.loss for entry in rounds], label="training")
    axes.plot(updates, held_out, label="held out")
    played = [entry for entry in rounds if entry.distance is not None]
    if played:
        distances = [math.log(max(entry.distance or 1.0, 1.0)) for entry in played]
        axes.plot([entry.updates for entry in played], distances, label="ln of the playing's distance")
    axes.plot(best.updates, best.held_out, "o", color="black", label=f"kept: {best.held_out:.3f}")
    axes.set(title=title, xlabel="updates", ylabel="loss")
    axes.grid(alpha=0.3)
    axes.legend()
    _save(figure, path)


def plot_sound(samples: Array, sample_rate: int, path: Path, title: str) -> None:
    """Writes a picture of a sound, float32 (samples,): wave, envelope in dBFS, spectrogram up to 90 dB down.

    Raises:
        InputFileError: the picture can't be written.
    """
    figure = Figure(figsize=(12, 8), layout="constrained")
    wave, envelope, spectrogram = figure.subplots(3, 1, sharex=True, height_ratios=(1, 1, 2))
    seconds = len(samples) / sample_rate
    parts = np.array_split(samples, min(COLUMNS, len(samples)))
    time = (np.arange(len(parts)) + 0.5) * seconds / len(parts)
    wave.fill_between(time, [part.min() for part in parts], [part.max() for part in parts], linewidth=0.3)
    wave.set(title=title, ylabel="amplitude", xlim=(0, seconds))
    pieces = np.array_split(samples, max(1, round(seconds / ENVELOPE_S)))
    levels = [20.0 * np.log10(max(float(np.sqrt(np.mean(np.square(piece)))), 1e-6)) for piece in pieces]
    envelope.plot((np.arange(len(levels)) + 0.5) * seconds / len(levels), levels, linewidth=0.7)
    envelope.set(ylabel="RMS, dBFS", ylim=(-RANGE_DB, 0))
    decibels = _spectrogram(samples)
    loudest = decibels.max()
    shown = spectrogram.imshow(
        decibels,
        origin="lower",
        aspect="auto",
        extent=(0, seconds, 0, sample_rate / 2000),
        vmin=loudest - RANGE_DB,
        vmax=loudest,
        cmap="magma",
    )
    spectrogram.set(xlabel="time, s", ylabel="frequency, kHz")
    figure.colorbar(shown, ax=spectrogram, label="dB")
    _save(figure, path)


def _spectrogram(samples: Array) -> Array:
    """Returns levels in dB, (bins, columns); at most `COLUMNS` windows, evenly spaced."""
    padded = np.pad(samples, (0, max(0, WINDOW - len(samples))))
    starts = np.linspace(0, len(padded) - WINDOW, min(COLUMNS, 1 + (len(padded) - WINDOW) // (WINDOW // 4)))
    frames = np.stack([padded[int(start) : int(start) + WINDOW] for start in starts])
    magnitudes = np.abs(np.fft.rfft(frames * np.hanning(WINDOW), axis=1)).T
    return np.asarray(20.0 * np.log10(np.maximum(magnitudes, 1e-6)))


def _save(figure: Figure, path: Path) -> None:
    buffer = io.BytesIO()
    kind = path.suffix.lower().removeprefix(".") or "png"
    try:
        with mpl.rc_context({"svg.hashsalt": "noizenet"}):
            figure.savefig(buffer, format=kind, dpi=100)
    except ValueError as error:
        raise InputFileError(f"can't draw {path}: {str(error).lower()}") from None
    write_atomically(path, buffer.getvalue())
