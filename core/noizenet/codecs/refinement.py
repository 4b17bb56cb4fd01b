"""Better phases: those of `noizenet.codecs.phase`, made consistent with what sounds before and after, one frame late.

Two frames are pending: the newest, whose phases were just made, and the one before. In turn, each is taken out of the
sum of all frames as a listener would hear it, windowed and transformed; it keeps the phases found there and gets its
own magnitudes back. After some turns the older one is played. The newer goes on with the phases it has got.

Griffin-Lim does that to a whole file many times; here each frame is seen for two blocks. Moved on beyond
the found spectrum by 0.8 of how far it has changed since the last look, they settle in half the looks.

Source: Beauregard, Zhu, Wyse, "An efficient algorithm for real-time spectrogram inversion", DAFx-05; Zhu, Beauregard,
Wyse, "Real-time signal estimation from modified short-time Fourier transform magnitude spectra", IEEE Transactions on
Audio, Speech, and Language Processing 15 (2007), with look-ahead; the step beyond: Perraudin, Balazs, Sondergaard, "A
fast Griffin-Lim algorithm", WASPAA 2013.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from noizenet.codecs.fourier_in_rows import RowsPlan, forward_in_rows, inverse_in_rows, rows_plan
from noizenet.codecs.phase import PhaseState, next_phases, phase_state
from noizenet.codecs.stft import hann, synthesis_scale

Array = NDArray[Any]

MONO_LOOKS, STEREO_LOOKS = 2, 3  # at each pending frame in a block: as many as 12 ms a second and channel allow
BEYOND = 0.8
LEAST_SHARE = 1e-3  # of the sum of squared windows, where few frames overlap yet


class RefinedState(NamedTuple):
    """Synthesis of W samples a frame and B bins, one hop late.

    Attributes:
        sound: sum of all frames from the older pending one's start on, windowed, (W + hop,).
        frames: both pending frames before their windows, (2, W); the newest is 1.
        magnitudes: what they are to have, (2, B).
        found_re, found_im: their spectra as last found in the sound, (2, B).
        looked: 1 where there is such a spectrum, int64 (2,).
        heard: window over the sum of squared windows, where each pending frame lies, (2, W).
        phase: see `noizenet.codecs.phase`.
        hann, frame, re, im, fourier: workspace; after a frame was put out, (re, im) is its spectrum.
    """

    sound: Array
    frames: Array
    magnitudes: Array
    found_re: Array
    found_im: Array
    looked: Array
    heard: Array
    phase: PhaseState
    hann: Array
    frame: Array
    re: Array
    im: Array
    fourier: RowsPlan


def refined_state(window: int, hop: int, seed: int = 0) -> RefinedState:
    """Returns the state before the first frame."""
    bins = window // 2 + 1
    squares = np.square(hann(window))
    overlaps = np.zeros(window + 2 * hop)
    for start in range(-(window // hop) + 1, 2):  # the frames that were played, and the two that are pending
        first = max(start * hop, 0)
        overlaps[first : start * hop + window] += squares[first - start * hop :]
    shares = 0.375 * window / hop / np.maximum(overlaps, LEAST_SHARE)
    heard = hann(window) * np.stack([shares[:window], shares[hop : hop + window]])
    return RefinedState(
        np.zeros(window + hop, np.float32),
        np.zeros((2, window), np.float32),
        np.zeros((2, bins), np.float32),
        np.zeros((2, bins), np.float32),
        np.zeros((2, bins), np.float32),
        np.zeros(2, np.int64),
        heard.astype(np.float32),
        phase_state(bins, seed),
        hann(window),
        np.zeros(window, np.float32),
        np.zeros(bins, np.float32),
        np.zeros(bins, np.float32),
        rows_plan(window),
    )


# Loops of few arrays each: of more, the compiler can't tell that they don't overlap, and does one number at a time.
# None of them with `fastmath`: its square roots differ between the two ways, and which way is gone depends on where
# the arrays lie in memory.


@njit(cache=True, nogil=True, boundscheck=False)
def _step_beyond(found: Any, before: Any, beyond: float) -> None:
    """Moves what was found on by a share of how far it is from what was found before, which it becomes."""
    for m in range(found.shape[0]):
        now = found[m]
        found[m] = now + np.float32(beyond) * (now - before[m])
        before[m] = now


@njit(cache=True, nogil=True, boundscheck=False)
def _scale_to(re: Any, im: Any, magnitudes: Any) -> None:
    """Gives complex numbers these magnitudes."""
    for m in range(magnitudes.shape[0]):
        scale = magnitudes[m] / np.sqrt(re[m] * re[m] + im[m] * im[m] + np.float32(1e-20))
        re[m] *= scale
        im[m] *= scale


@njit(cache=True, nogil=True, boundscheck=False)
def _look(state: Any, which: int, hop: int) -> None:
    """Gives one pending frame the phases that it is heard with; leaves its spectrum in (re, im)."""
    window = state.hann.shape[0]
    first = which * hop
    old, magnitudes = state.frames[which], state.magnitudes[which]
    before_re, before_im = state.found_re[which], state.found_im[which]
    sound, heard = state.sound[first : first + window], state.heard[which]
    for i in range(window):
        state.frame[i] = sound[i] * heard[i]
    forward_in_rows(state.fourier, state.frame, state.re, state.im)
    beyond = BEYOND if state.looked[which] else 0.0
    _step_beyond(state.re, before_re, beyond)
    _step_beyond(state.im, before_im, beyond)
    _scale_to(state.re, state.im, magnitudes)
    state.looked[which] = 1
    state.im[0] = 0.0
    state.im[-1] = 0.0
    inverse_in_rows(state.fourier, state.re, state.im, state.frame)
    for i in range(window):
        old[i] = state.frame[i] - old[i]
    for i in range(window):
        sound[i] += old[i] * state.hann[i]
    old[:] = state.frame


@njit(cache=True, nogil=True, boundscheck=False)
def _turn(magnitudes: Any, phases: Any, re: Any, im: Any) -> None:
    """Writes complex numbers of these magnitudes and phases (-pi..pi), to 1e-5; a fifth of the time of `np.cos`.

    Sine and cosine of half the angle by their Taylor series, then those of the whole.
    """
    for m in range(magnitudes.shape[0]):
        x = np.float32(0.5) * phases[m]
        t = x * x
        s = np.float32(1 / 362880) * t - np.float32(1 / 5040)
        s = x * (np.float32(1) + t * (np.float32(-1 / 6) + t * (np.float32(1 / 120) + t * s)))
        c = np.float32(1 / 40320) - np.float32(1 / 3628800) * t
        c = np.float32(1) + t * (np.float32(-1 / 2) + t * (np.float32(1 / 24) + t * (np.float32(-1 / 720) + t * c)))
        re[m] = magnitudes[m] * (np.float32(1) - np.float32(2) * s * s)
        im[m] = magnitudes[m] * (np.float32(2) * s * c)


@njit(cache=True, nogil=True, boundscheck=False)
def _keep_phases(state: Any, tolerance: float) -> None:
    """Hands the newest frame's phases to the state that the next frame's are made from, where it is not too weak."""
    loudest = np.float32(0.0)
    for m in range(state.re.shape[0]):
        loudest = max(loudest, state.magnitudes[1, m])
    least = np.float32(tolerance) * loudest
    for m in range(state.re.shape[0]):
        if state.magnitudes[1, m] > least:
            sign = np.float32(1.0) if m % 2 == 0 else np.float32(-1.0)  # from the frame's start to its middle
            state.phase.phase[m] = np.arctan2(sign * state.im[m], sign * state.re[m])


@njit(cache=True, nogil=True, boundscheck=False)
def _take_in(state: Any, logs: Any, hop: int, floor: float, tolerance: float) -> None:
    """Makes a frame of log-magnitudes (B,) the newest pending one, with phases made for it."""
    window = state.hann.shape[0]
    next_phases(state.phase, logs, window, hop, tolerance)
    level = np.float32(synthesis_scale(window, hop))
    for m in range(logs.shape[0]):
        state.magnitudes[1, m] = max(np.exp(logs[m]) - np.float32(floor), np.float32(0.0)) * level
    _turn(state.magnitudes[1], state.phase.phase, state.re, state.im)
    for m in range(1, logs.shape[0], 2):  # from the frame's middle to its start
        state.re[m] = -state.re[m]
        state.im[m] = -state.im[m]
    state.im[0] = 0.0
    state.im[-1] = 0.0
    inverse_in_rows(state.fourier, state.re, state.im, state.frame)
    for i in range(window):
        state.frames[1, i] = state.frame[i]
        state.sound[hop + i] += state.frame[i] * state.hann[i]
    state.looked[1] = 0


@njit(cache=True, nogil=True, boundscheck=False)
def put_out_refined(state: Any, logs: Any, hop: int, floor: float, tolerance: float, looks: int, out: Any) -> None:
    """Takes in one frame of log-magnitudes (B,) and writes the next `hop` samples: those of the frame before it.

    Args:
        tolerance: see `next_phases`.
        looks: at each of both pending frames.
    """
    window = state.hann.shape[0]
    _take_in(state, logs, hop, floor, tolerance)
    for turn in range(looks):
        _look(state, 1, hop)
        if turn == looks - 1:
            _keep_phases(state, tolerance)
        _look(state, 0, hop)
    out[:] = state.sound[:hop]
    for i in range(window):  # assigning one slice to the other would allocate, as they overlap
        state.sound[i] = state.sound[i + hop]
    state.sound[window:] = 0.0
    state.frames[0, :] = state.frames[1]
    state.magnitudes[0, :] = state.magnitudes[1]
    state.found_re[0, :] = state.found_re[1]
    state.found_im[0, :] = state.found_im[1]
    state.looked[0] = state.looked[1]
