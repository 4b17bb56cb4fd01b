"""Prints how well the phases of `noizenet.codecs.phase` fit, beside Griffin-Lim and random phases, and how fast.

Spectral convergence is the norm of the difference of magnitudes over their norm, in dB: lower is better. The
magnitudes are the true ones; Griffin-Lim sees the whole file 32 times. Ours sees each frame once; refined, it sees each
in two blocks, five times in each, and is one frame later.

    python benchmarks/phase.py [SOUND...]

Without a sound it takes plucked notes that it makes itself.
"""

import sys
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import librosa
import numpy as np
from numpy.typing import NDArray

from making import melody
from noizenet.codecs.refinement import put_out_refined, refined_state
from noizenet.codecs.stft import analysis_state, log_magnitudes, put_out, synthesis_state, take_in
from noizenet.sound_file import read_mono

FLOOR, TOLERANCE, REFINED_TOLERANCE, SECONDS = 1e-8, 1e-4, 1e-2, 20
SIZES = ((22050, 2048, 512), (22050, 2048, 256), (44100, 4096, 1024), (44100, 2048, 512), (48000, 4096, 1024))
Array = NDArray[np.float32]


def analyse(samples: Array, window: int, hop: int) -> Array:
    """Returns log-magnitudes, float32 (frames, bins)."""
    state, frames, read = analysis_state(window), [], 0
    while read < len(samples):
        read += take_in(state, samples[read:], hop)
        if state.waiting[0] == hop:
            frames.append(np.zeros(window // 2 + 1, np.float32))
            log_magnitudes(state, FLOOR, frames[-1])
    return np.array(frames)


def synthesise(logs: Array, window: int, hop: int) -> tuple[Array, float]:
    """Returns the samples, and the seconds it took of one core."""
    state, out = synthesis_state(window), np.zeros(len(logs) * hop, np.float32)
    put_out(synthesis_state(window), logs[0], hop, FLOOR, TOLERANCE, out[:hop])
    started = time.thread_time()
    for n, frame in enumerate(logs):
        put_out(state, frame, hop, FLOOR, TOLERANCE, out[n * hop : (n + 1) * hop])
    return out, time.thread_time() - started


def refine(logs: Array, window: int, hop: int) -> tuple[Array, float]:
    """Returns the same with refined phases, one hop later."""
    state, out = refined_state(window, hop), np.zeros(len(logs) * hop, np.float32)
    put_out_refined(refined_state(window, hop), logs[0], hop, FLOOR, REFINED_TOLERANCE, out[:hop])
    started = time.thread_time()
    for n, frame in enumerate(logs):
        put_out_refined(state, frame, hop, FLOOR, REFINED_TOLERANCE, out[n * hop : (n + 1) * hop])
    return out, time.thread_time() - started


def convergence(true: Array, found: Array) -> float:
    """Returns the spectral convergence of magnitudes (frames, bins), dB."""
    count = min(len(true), len(found))
    difference = np.linalg.norm(true[:count] - found[:count])
    return float(20 * np.log10(difference / np.linalg.norm(true[:count])))


def sounds(rate: int) -> Iterator[tuple[str, Array]]:
    """Gives the name and the samples of each sound asked for."""
    for path in map(Path, sys.argv[1:]):
        samples = read_mono(path, rate)[: SECONDS * rate]
        yield path.name, samples - samples.mean()
    if len(sys.argv) == 1:
        yield "plucked notes", melody(SECONDS, rate)


def main() -> None:
    for rate, window, hop in SIZES:
        for name, samples in sounds(rate):
            logs = analyse(samples, window, hop)
            out, spent = synthesise(logs, window, hop)
            late = window // hop - 1
            ours = convergence(np.exp(logs), np.exp(analyse(out, window, hop)[late:]))
            magnitudes = np.abs(librosa.stft(samples, n_fft=window, hop_length=hop))
            griffin_lim = librosa.griffinlim(magnitudes, n_iter=32, hop_length=hop, n_fft=window)
            angles = np.exp(2j * np.pi * np.random.default_rng(0).random(magnitudes.shape))
            chance = librosa.istft(magnitudes * angles, hop_length=hop, n_fft=window)
            others = [
                convergence(magnitudes.T, np.abs(librosa.stft(y, n_fft=window, hop_length=hop)).T)
                for y in (griffin_lim, chance)
            ]
            found, took = refine(logs, window, hop)
            refined = convergence(np.exp(logs), np.exp(analyse(found, window, hop)[late + 1 :]))
            print(
                f"{name} {rate} Hz {window}/{hop}: ours {ours:.1f} dB at {len(samples) / rate / spent:.0f} x real "
                f"time; refined {refined:.1f} dB at {len(samples) / rate / took:.0f} x; "
                f"Griffin-Lim {others[0]:.1f} dB; random phases {others[1]:.1f} dB",
                flush=True,
            )


if __name__ == "__main__":
    main()
