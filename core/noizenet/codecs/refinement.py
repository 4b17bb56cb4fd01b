"""Better phases: those of `noizenet.codecs.phase`, made consistent with what sounds before and after, one frame late.

Two frames are pending: the newest, whose phases were just made, and the one before. In turn, each is taken out of the
sum of all frames as a listener would hear it, windowed and transformed; it keeps the phases found there and gets its
own magnitudes back. After some turns the older one is played. The newer goes on with the phases it has got.

Griffin-Lim does that to a whole file many times; here each frame is seen for two blocks. Moved on beyond the found
spectrum, by half to all of how far it has changed since the last look, they settle in half the looks.

Source: Beauregard, Zhu, Wyse, "An efficient algorithm for real-time spectrogram inversion", DAFx-05; Zhu, Beauregard,
Wyse, "Real-time signal estimation from modified short-time Fourier transform magnitude spectra", IEEE Transactions on
Audio, Speech, and Language Processing 15 (2007), with look-ahead; the step beyond: Perraudin, Balazs, Sondergaard, "A
fast Griffin-Lim algorithm", WASPAA 2013.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.codecs.elementary import angle, cosine_and_sine, exponential
from noizenet.codecs.fourier_in_lanes import LanesPlan, forward_in_lanes, inverse_in_lanes, lanes_plan
from noizenet.codecs.lanes import LANES, load, root, store
from noizenet.codecs.phase import PhaseState, next_phases, phase_state
from noizenet.codecs.stft import hann, synthesis_scale
from noizenet.compiling import copy, inlined, kernel
from noizenet.states import NOT_KEPT, Workspace
from noizenet.vectors import multiply_add, splat

Array = NDArray[Any]

# Of a spectrum's last change, how far it is moved on: one number for each look at both pending frames in a block.
# With five, decoding takes 9 ms a second of one channel at 48,000 Hz; a sixth would gain 0.3 dB.
BEYOND = (0.5, 0.65, 0.8, 0.95, 1.1)
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
    heard: Workspace
    phase: PhaseState
    hann: Workspace
    frame: Workspace
    re: Workspace
    im: Workspace
    fourier: Annotated[LanesPlan, NOT_KEPT]


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
        lanes_plan(window),
    )


@kernel
def _find_phases(state: Any, which: int, beyond: float) -> None:
    """Moves the spectrum found in (re, im) on beyond itself, and gives it its own magnitudes."""
    magnitudes, share = state.magnitudes[which], np.float32(beyond if state.looked[which] else 0.0)
    before_re, before_im = state.found_re[which], state.found_im[which]
    last = magnitudes.shape[0] - 1
    step, least = splat(share, LANES), splat(np.float32(1e-20), LANES)
    for m in range(0, last, LANES):
        re, im = load(state.re, m), load(state.im, m)
        far_re = multiply_add(step, re - load(before_re, m), re)
        far_im = multiply_add(step, im - load(before_im, m), im)
        store(before_re, m, re)
        store(before_im, m, im)
        scale = load(magnitudes, m) / root(multiply_add(far_im, far_im, multiply_add(far_re, far_re, least)))
        store(state.re, m, scale * far_re)
        store(state.im, m, scale * far_im)
    now = state.re[last]  # the last bin is real
    far = now + share * (now - before_re[last])
    state.re[last] = magnitudes[last] if far >= np.float32(0.0) else -magnitudes[last]
    before_re[last] = now
    state.looked[which] = 1


@kernel
def _look(state: Any, which: int, hop: int, beyond: float) -> None:
    """Gives one pending frame the phases that it is heard with; leaves its spectrum in (re, im)."""
    window = state.hann.shape[0]
    old, heard = state.frames[which], state.heard[which]
    sound = state.sound[which * hop : which * hop + window]
    for i in range(0, window, LANES):
        store(state.frame, i, load(sound, i) * load(heard, i))
    forward_in_lanes(state.fourier, state.frame, state.re, state.im)
    _find_phases(state, which, beyond)
    inverse_in_lanes(state.fourier, state.re, state.im, state.frame)
    for i in range(0, window, LANES):
        now = load(state.frame, i)
        store(sound, i, multiply_add(now - load(old, i), load(state.hann, i), load(sound, i)))
        store(old, i, now)


# Here the compiler does eight numbers at once, for it can tell of few arrays that they don't overlap.


@inlined
def _to_middle(m: int) -> Any:
    """Returns what refers a bin from the frame's start to its middle, and back."""
    return np.float32(1.0) if m % 2 == 0 else np.float32(-1.0)


@kernel
def _magnitudes(logs: Any, floor: float, level: float, out: Any) -> None:
    """Writes the magnitudes that log-magnitudes stand for, times a level."""
    for m in range(logs.shape[0]):
        out[m] = max(exponential(logs[m]) - np.float32(floor), np.float32(0.0)) * np.float32(level)


@kernel
def _spectrum(magnitudes: Any, phases: Any, re: Any, im: Any) -> None:
    """Writes the spectrum of these magnitudes and phases, which are referred to the frame's middle."""
    for m in range(magnitudes.shape[0]):
        cosine, sine = cosine_and_sine(phases[m])
        magnitude = _to_middle(m) * magnitudes[m]
        re[m] = magnitude * cosine
        im[m] = magnitude * sine
    im[0] = 0.0
    im[-1] = 0.0


@kernel
def _phases_above(least: Any, magnitudes: Any, re: Any, im: Any, phases: Any) -> None:
    """Writes the phases of a spectrum where its magnitudes are above the least; the others stay."""
    for m in range(magnitudes.shape[0]):
        sign = _to_middle(m)
        found = angle(sign * re[m], sign * im[m])
        phases[m] = found if magnitudes[m] > least else phases[m]


@inlined
def _take_in(state: Any, logs: Any, hop: int, floor: float, tolerance: float) -> None:
    """Makes a frame of log-magnitudes (B,) the newest pending one, with phases made for it."""
    window = state.hann.shape[0]
    next_phases(state.phase, logs, window, hop, tolerance)
    _magnitudes(logs, floor, synthesis_scale(window, hop), state.magnitudes[1])
    _spectrum(state.magnitudes[1], state.phase.phase, state.re, state.im)
    inverse_in_lanes(state.fourier, state.re, state.im, state.frames[1])
    for i in range(0, window, LANES):
        sound = load(state.sound, hop + i)
        store(state.sound, hop + i, multiply_add(load(state.frames[1], i), load(state.hann, i), sound))
    state.looked[1] = 0


@inlined
def _keep_phases(state: Any, tolerance: float) -> None:
    """Hands the newest frame's phases to the state that the next frame's are made from, where it is not too weak."""
    loudest = np.float32(0.0)
    for m in range(state.re.shape[0]):
        loudest = max(loudest, state.magnitudes[1, m])
    _phases_above(np.float32(tolerance) * loudest, state.magnitudes[1], state.re, state.im, state.phase.phase)


@inlined
def put_out_refined(state: Any, logs: Any, hop: int, floor: float, tolerance: float, out: Any) -> None:
    """Takes in one frame of log-magnitudes (B,) and writes the next `hop` samples: those of the frame before it.

    Args:
        tolerance: see `next_phases`.
    """
    window = state.hann.shape[0]
    _take_in(state, logs, hop, floor, tolerance)
    for turn in range(len(BEYOND)):
        for which in range(1, -1, -1):  # a loop, so that the look is compiled once
            _look(state, which, hop, BEYOND[turn])
            if which == 1 and turn == len(BEYOND) - 1:
                _keep_phases(state, tolerance)
    copy(state.sound, out)
    for i in range(window):  # assigning one slice to the other would allocate, as they overlap
        state.sound[i] = state.sound[i + hop]
    state.sound[window:] = 0.0
    copy(state.frames[1], state.frames[0])
    copy(state.magnitudes[1], state.magnitudes[0])
    copy(state.found_re[1], state.found_re[0])
    copy(state.found_im[1], state.found_im[0])
    state.looked[0] = state.looked[1]
