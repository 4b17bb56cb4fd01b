"""Parametric stereo: what the second channel adds to the middle, as two numbers for each band of the ear.

    middle M = (L + R) / 2, side S = (L - R) / 2; of each band of one spectral frame
    lean   g = Re<S, M> / <M, M>: 1 = all on the left, -1 = all on the right
    width  ln(|S - g M| / |M|): how loud what M doesn't say about S is beside it

and back, with D the middle turned by a quarter, one way in one band and the other way in the next:
S = g M + exp(width) D. So D says nothing of M, as what it stands for, and left and right are as loud as they were.

The middle alone is what a mono codec would code, and the mean of what comes out is the middle again.

Source: parametric stereo as in Breebaart, van de Par, Kohlrausch, Schuijers, "Parametric coding of stereo audio",
EURASIP Journal on Applied Signal Processing 2005:9, with one signed predictor in the place of level and coherence.
"""

from typing import Annotated, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.codecs.bands import between
from noizenet.codecs.fourier_in_lanes import LanesPlan, inverse_in_lanes, lanes_plan
from noizenet.codecs.lanes import LANES, load, store
from noizenet.codecs.stft import hann
from noizenet.compiling import copy, inlined, njit
from noizenet.states import NOT_KEPT, Workspace
from noizenet.vectors import multiply_add

Array = NDArray[Any]

MOST_LEAN = 1.5  # 1 is hard left; beyond lies what is out of phase
NARROWEST, WIDEST = np.log(1e-3), np.log(10.0)  # nepers: the side 60 dB below the middle counts as none


@njit(fastmath=True)
def stereo_numbers(edges: Any, middle: Any, side: Any, floor: float, out: Any) -> None:
    """Writes lean and width of each band to `out`, float32 (2 B,).

    Args:
        middle, side: analyses whose spectra are in (re, im); see `noizenet.codecs.stft.transform`.
        floor: magnitude below which there is nothing, as in `log_magnitudes`.
    """
    count = edges.shape[0] - 1
    nothing = np.float32(floor * middle.history.shape[0] / 2.0) ** 2
    for band in range(count):
        in_middle = nothing * (edges[band + 1] - edges[band])
        both = np.float32(0.0)
        in_side = np.float32(0.0)
        for m in range(edges[band], edges[band + 1]):
            in_middle += middle.re[m] * middle.re[m] + middle.im[m] * middle.im[m]
            in_side += side.re[m] * side.re[m] + side.im[m] * side.im[m]
            both += side.re[m] * middle.re[m] + side.im[m] * middle.im[m]
        lean = min(max(both / in_middle, -MOST_LEAN), MOST_LEAN)
        rest = in_side - np.float32(2.0) * lean * both + lean * lean * in_middle
        width = 0.5 * np.log(max(rest, np.float32(1e-12) * in_middle) / in_middle)
        out[band] = lean
        out[count + band] = min(max(width, NARROWEST), WIDEST)


class SideState(NamedTuple):
    """Overlapping output of the side, and workspace: lean and width of each band, (2 B,); a hop of each of both."""

    overlap: Array
    hann: Workspace
    frame: Workspace
    re: Workspace
    im: Workspace
    fourier: Annotated[LanesPlan, NOT_KEPT]
    numbers: Workspace
    heard: Workspace


def side_state(window: int, hop: int, band_count: int) -> SideState:
    """Returns the state before the first frame."""
    bins = window // 2 + 1
    return SideState(
        np.zeros(window, np.float32),
        hann(window),
        np.zeros(window, np.float32),
        np.zeros(bins, np.float32),
        np.zeros(bins, np.float32),
        lanes_plan(window),
        np.zeros(2 * band_count, np.float32),
        np.zeros((2, hop), np.float32),
    )


@inlined
def side_spectrum(bands: Any, numbers: Any, re: Any, im: Any, state: Any) -> None:
    """Fills (re, im) of the side's state from those of the middle, (M,) each.

    Args:
        numbers: lean and width of each band, (2 B,), as decoded: they may lie outside their ranges.
    """
    count = bands.edges.shape[0] - 1
    for band in range(count):
        state.numbers[band] = min(max(numbers[band], -MOST_LEAN), MOST_LEAN)
        state.numbers[count + band] = np.exp(min(max(numbers[count + band], NARROWEST), WIDEST))
    for m in range(re.shape[0]):
        lean = between(bands, state.numbers[:count], m)
        across = bands.turn[m] * between(bands, state.numbers[count:], m)
        state.re[m] = lean * re[m] - across * im[m]
        state.im[m] = lean * im[m] + across * re[m]
    state.im[0] = 0.0
    state.im[-1] = 0.0


@inlined
def put_out_side(state: Any, hop: int, out: Any) -> None:
    """Turns the side's spectrum in (re, im), scaled by `synthesis_scale`, into its next `hop` samples."""
    window = state.overlap.shape[0]
    inverse_in_lanes(state.fourier, state.re, state.im, state.frame)
    for i in range(0, window, LANES):
        store(state.overlap, i, multiply_add(load(state.frame, i), load(state.hann, i), load(state.overlap, i)))
    copy(state.overlap, out)
    for i in range(window - hop):  # assigning one slice to the other would allocate, as they overlap
        state.overlap[i] = state.overlap[i + hop]
    state.overlap[window - hop :] = 0.0
