"""Whole sounds through the streaming transform, and how near a spectrogram came to another."""

import numpy as np

from making import Array
from noizenet.codecs.stft import analysis_state, hann, log_magnitudes, put_out, synthesis_state, take_in

FLOOR = 1e-6
TOLERANCE = 1e-4


def analyse(samples: Array, window: int, hop: int, block: int = 1 << 30, floor: float = FLOOR) -> Array:
    """Returns the log-magnitudes (frames, bins) of samples that come in blocks of `block`."""
    state = analysis_state(window)
    frames = [np.zeros((0, window // 2 + 1), np.float32)]
    for start in range(0, len(samples), block):
        part = samples[start : start + block]
        while len(part):
            part = part[take_in(state, part, hop) :]
            if state.waiting[0] == hop:
                frames.append(np.zeros((1, window // 2 + 1), np.float32))
                log_magnitudes(state, floor, frames[-1][0])
    return np.concatenate(frames)


def synthesise(logs: Array, window: int, hop: int, seed: int = 0, floor: float = FLOOR) -> Array:
    """Returns the samples (frames x hop,) of log-magnitudes (frames, bins), with the phases made for them."""
    state = synthesis_state(window, seed)
    out = np.full(len(logs) * hop, np.nan, np.float32)
    for n, frame in enumerate(logs):
        put_out(state, frame, hop, floor, TOLERANCE, out[n * hop : (n + 1) * hop])
    return out


def synthesise_at_random(logs: Array, window: int, hop: int) -> Array:
    """Returns the same with random phases."""
    rng = np.random.default_rng(0)
    out = np.zeros(len(logs) * hop + window)
    for n, frame in enumerate(logs):
        turned = np.exp(frame + 1j * rng.uniform(-np.pi, np.pi, len(frame)))
        out[n * hop : n * hop + window] += np.fft.irfft(turned) * hann(window) * hop / 0.75
    return out[: len(logs) * hop]


def convergence_db(samples: Array, copy: Array, window: int, hop: int) -> float:
    """Returns the spectral convergence: how far the copy's magnitudes are from the original's, in dB."""
    spectra = []
    for sound in (samples, copy):
        count = (min(len(samples), len(copy)) - window) // hop + 1
        frames = np.stack([sound[n * hop : n * hop + window] for n in range(count)])
        spectra.append(np.abs(np.fft.rfft(frames * hann(window)))[4:-4])  # but for the ends, which overlap nothing
    return float(20.0 * np.log10(np.linalg.norm(spectra[0] - spectra[1]) / np.linalg.norm(spectra[0])))
