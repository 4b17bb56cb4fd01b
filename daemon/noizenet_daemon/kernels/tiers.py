"""Steps of a network of two tiers, as `noizenet.network.NetworkShape` states it.

A frame's border may lie anywhere in a block: how far the frame has come is part of the state. `run_tiers` generates,
`listen_tiers` hears, `predict_tiers` says what it expects; all change the state in place.

What each code adds to the perceptron's first layer, at each distance, is a table: its embedding times that place's
weights. Half of the units of the layers above are zero, and what they would multiply is not read.

Noise on the input goes to the embedding of the newest code as the perceptron sees it. Noise on hidden or cell state is
heard when the cells turn: the continuous kind is injected once a turn, the periodic kind when it is due.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from noizenet_daemon.kernels.cells import FAST, Layers, add_product, step_layers
from noizenet_daemon.kernels.collapse import code_signature, is_collapsed, watch
from noizenet_daemon.kernels.drawing import draw_class, likeliest
from noizenet_daemon.kernels.noise import INPUT, PERIODIC, add_noise, is_due
from noizenet_daemon.kernels.rng import uniform
from noizenet_daemon.kernels.stepping import inject

Array = NDArray[Any]


class TieredWeights(NamedTuple):
    """Packed weights. F steps a frame, R codes of reach, E embedding, K conditioning, D units, C classes, G gates x H.

    Attributes:
        embedding: (C, E).
        input: input weights of layer 0, (F E, G).
        input_scale: root mean square of the embedding: the unit of noise on the input.
        upsample, upsample_bias: (H, F K), (F, K).
        table: what each code adds to the first layer, (R, C, D), oldest place first.
        newest: weights of the newest embedding, for noise on the input, (E, D).
        near_bias: (D,).
        condition: (K, D).
        mix, mix_bias: (D, D), (D,).
        output, output_bias: (D, C), (C,).
    """

    layers: Layers
    embedding: Array
    input: Array
    input_scale: float
    upsample: Array
    upsample_bias: Array
    table: Array
    newest: Array
    near_bias: Array
    condition: Array
    mix: Array
    mix_bias: Array
    output: Array
    output_bias: Array


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", boundscheck=False)
def add_rectified(x: Any, weights: Any, out: Any, positive: Any) -> None:
    """Adds the positive part of x (n,) times weights (n, m) to out (m,). NaN goes through.

    The rows of units that are zero are skipped, the others taken four at a time.

    Args:
        positive: workspace, int64 (n,).
    """
    n, m = weights.shape
    count = 0
    for i in range(n):
        positive[count] = i
        count += 0 if x[i] <= np.float32(0.0) else 1  # NaN is not
    i = 0
    while i + 4 <= count:
        first, second, third, fourth = positive[i], positive[i + 1], positive[i + 2], positive[i + 3]
        a, b, c, d = x[first], x[second], x[third], x[fourth]
        for j in range(m):
            out[j] += a * weights[first, j] + b * weights[second, j] + c * weights[third, j] + d * weights[fourth, j]
        i += 4
    while i < count:
        first = positive[i]
        a = x[first]
        for j in range(m):
            out[j] += a * weights[first, j]
        i += 1


@njit(cache=True, nogil=True)
def inject_tiers(weights: Any, state: Any, controls: Any) -> bool:
    """Adds noise to hidden or cell state; returns True if it goes to the input instead, where `known` then holds it."""
    if controls.target != INPUT:
        return bool(inject(weights.layers, state, controls, weights.input_scale))
    state.known[:] = 0.0
    add_noise(state.known, weights.input_scale, controls, state.steps[0], state.rng, state.pink, 0)
    return True


@njit(cache=True, nogil=True, boundscheck=False)
def turn(weights: Any, state: Any) -> None:
    """Lets the cells take in the last frame, and says what they tell each step of the next."""
    tiers = state.tiers
    frame = tiers.told.shape[0]
    size = weights.embedding.shape[1]
    first = tiers.recent.shape[0] - frame
    for n in range(frame):
        state.fed[n * size : (n + 1) * size] = weights.embedding[tiers.recent[first + n]]
    state.cells.gates[:] = 0.0
    add_product(state.fed, weights.input, state.cells.gates)
    step_layers(weights.layers, state.cells)
    tiers.told[:] = weights.upsample_bias
    top = state.cells.hidden[state.cells.hidden.shape[0] - 1]
    add_product(top, weights.upsample, tiers.told.reshape(tiers.told.size))
    tiers.place[0] = 0


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", boundscheck=False)
def score(weights: Any, state: Any, with_noise: bool) -> None:
    """Writes the logits of the next step into `probabilities`. Noise stands in `known`, if there is any."""
    tiers = state.tiers
    reach = weights.table.shape[0]
    first = tiers.recent.shape[0] - reach
    units = state.units
    units[:] = weights.near_bias
    for n in range(reach):
        row = weights.table[n, tiers.recent[first + n]]
        for k in range(units.shape[0]):
            units[k] += row[k]
    if with_noise:
        add_product(state.known, weights.newest, units)
    add_product(tiers.told[tiers.place[0]], weights.condition, units)
    tiers.mixed[:] = weights.mix_bias
    add_rectified(units, weights.mix, tiers.mixed, tiers.positive)
    state.probabilities[:] = weights.output_bias
    add_rectified(tiers.mixed, weights.output, state.probabilities, tiers.positive)


@njit(cache=True, nogil=True, inline="always")
def take_in(state: Any, code: int) -> None:
    """Takes a code as the newest."""
    recent = state.tiers.recent
    for n in range(recent.shape[0] - 1):
        recent[n] = recent[n + 1]
    recent[recent.shape[0] - 1] = max(code, 0)  # of none that could be drawn, any: the block is thrown away
    state.last[0] = code
    state.tiers.place[0] += 1


@njit(cache=True, nogil=True, boundscheck=False)
def run_tiers(weights: Any, state: Any, controls: Any, out: Any) -> None:
    """Generates steps into `out`, int32 (n, 1); -1 where NaN has left no code to draw."""
    frame = state.tiers.told.shape[0]
    for n in range(out.shape[0]):
        is_border = state.tiers.place[0] == frame
        with_noise = False
        if is_due(controls, state.steps[0], is_collapsed(state.runs, controls.hold)) and (
            is_border or controls.target == INPUT or controls.mode == PERIODIC
        ):
            with_noise = inject_tiers(weights, state, controls)
        if is_border:
            turn(weights, state)
        score(weights, state, with_noise)
        chance = uniform(state.rng)
        code = draw_class(state.probabilities, controls.temperature, controls.top_p, chance)
        take_in(state, code)
        out[n, 0] = code
        watch(state.history, state.runs, state.steps[0], code_signature(state.last))
        state.steps[0] += 1


@njit(cache=True, nogil=True, boundscheck=False)
def listen_tiers(weights: Any, state: Any, codes: Any) -> None:
    """Hears codes, int32 (n, 1): the state becomes that of a network which just put out the last of them."""
    frame = state.tiers.told.shape[0]
    for n in range(codes.shape[0]):
        if state.tiers.place[0] == frame:
            turn(weights, state)
        take_in(state, codes[n, 0])


@njit(cache=True, nogil=True, boundscheck=False)
def predict_tiers(weights: Any, state: Any, codes: Any, out: Any) -> None:
    """Hears codes, int32 (n, 1), and writes for each step what was expected in its place into `out`, alike."""
    frame = state.tiers.told.shape[0]
    for n in range(codes.shape[0]):
        if state.tiers.place[0] == frame:
            turn(weights, state)
        score(weights, state, False)
        out[n, 0] = likeliest(state.probabilities)
        take_in(state, codes[n, 0])
