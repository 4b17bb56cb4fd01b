"""Steps of a network of two tiers, as `noizenet.network.NetworkShape` states it.

A frame's border may lie anywhere in a block: how far the frame has come is part of the state. `run_tiers` generates,
`listen_tiers` hears, `predict_tiers` says what it expects; all change the state in place.

What each code adds to the perceptron's first layer, at each distance, is a table: its embedding times that place's
weights. Half of the units of the layers above are zero, and what they would multiply is not read.

Noise on the input goes to the embedding of the newest code as the perceptron sees it. Noise on hidden or cell state is
heard when the cells turn: the continuous kind is injected once a turn, the periodic kind when it is due.
"""

from typing import Any, NamedTuple

from numpy.typing import NDArray

from noizenet.compiling import copy, inlined, kernel
from noizenet_daemon.kernels.arithmetic import add
from noizenet_daemon.kernels.cells import Layers, step_layers
from noizenet_daemon.kernels.collapse import code_signature, is_collapsed, watch
from noizenet_daemon.kernels.denormals import flush_denormals, restore_denormals
from noizenet_daemon.kernels.drawing import draw_class, likeliest
from noizenet_daemon.kernels.matrices import Matrices
from noizenet_daemon.kernels.noise import INPUT, PERIODIC, add_noise, is_due
from noizenet_daemon.kernels.products import product, rectified_product
from noizenet_daemon.kernels.rng import uniform
from noizenet_daemon.kernels.stepping import inject

Array = NDArray[Any]


class TieredWeights(NamedTuple):
    """Packed weights. F steps a frame, R codes of reach, E embedding, K conditioning, D units, C classes, G gates x H.

    Attributes:
        embedding: (C, E).
        input: input weights of layer 0, one (F E, G).
        input_scale: root mean square of the embedding: the unit of noise on the input.
        upsample, upsample_bias: one (H, F K), and (F K,).
        table: what each code adds to the first layer, (R, C, D), oldest place first.
        newest: weights of the newest embedding, for noise on the input, one (E, D).
        near_bias: (D,).
        condition: one (K, D).
        mix, mix_bias: one (D, D), and (D,).
        output, output_bias: one (D, C), and (C,).
    """

    layers: Layers
    embedding: Array
    input: Matrices
    input_scale: float
    upsample: Matrices
    upsample_bias: Array
    table: Array
    newest: Matrices
    near_bias: Array
    condition: Matrices
    mix: Matrices
    mix_bias: Array
    output: Matrices
    output_bias: Array


@kernel
def inject_tiers(weights: Any, state: Any, controls: Any) -> bool:
    """Adds noise to hidden or cell state; returns True if it goes to the input instead, where `known` then holds it."""
    if controls.target != INPUT:
        return bool(inject(weights.layers, state, controls, weights.input_scale))
    state.known[:] = 0.0
    add_noise(state.known, weights.input_scale, controls, state.steps[0], state.rng, state.pink, 0)
    return True


@kernel
def turn(weights: Any, state: Any) -> None:
    """Lets the cells take in the last frame, and says what they tell each step of the next."""
    tiers = state.tiers
    frame = tiers.told.shape[0]
    size = weights.embedding.shape[1]
    first = tiers.recent.shape[0] - frame
    for n in range(frame):
        copy(weights.embedding[tiers.recent[first + n]], state.fed[n * size : (n + 1) * size])
    state.cells.gates[:] = 0.0
    product(state.fed, weights.input, 0, state.cells.gates, state.cells.gates)
    step_layers(weights.layers, state.cells)
    top = state.cells.hidden[state.cells.hidden.shape[0] - 1]
    product(top, weights.upsample, 0, weights.upsample_bias, tiers.told.reshape(tiers.told.size))
    tiers.place[0] = 0


@kernel
def score(weights: Any, state: Any, with_noise: bool) -> None:
    """Writes the logits of the next step into `probabilities`. Noise stands in `known`, if there is any."""
    tiers = state.tiers
    reach = weights.table.shape[0]
    first = tiers.recent.shape[0] - reach
    units = state.units
    copy(weights.near_bias, units)
    for n in range(reach):
        add(weights.table[n, tiers.recent[first + n]], units)
    if with_noise:
        product(state.known, weights.newest, 0, units, units)
    product(tiers.told[tiers.place[0]], weights.condition, 0, units, units)
    rectified_product(units, weights.mix, 0, weights.mix_bias, tiers.mixed, state.positive)
    rectified_product(tiers.mixed, weights.output, 0, weights.output_bias, state.probabilities, state.positive)


@inlined
def take_in(state: Any, code: int) -> None:
    """Takes a code as the newest."""
    recent = state.tiers.recent
    for n in range(recent.shape[0] - 1):
        recent[n] = recent[n + 1]
    recent[recent.shape[0] - 1] = max(code, 0)  # of none that could be drawn, any: the block is thrown away
    state.last[0] = code
    state.tiers.place[0] += 1


@kernel
def run_tiers(weights: Any, state: Any, controls: Any, out: Any) -> None:
    """Generates steps into `out`, int32 (n, 1); -1 where NaN has left no code to draw."""
    denormals = flush_denormals()
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
    restore_denormals(denormals)


@kernel
def listen_tiers(weights: Any, state: Any, codes: Any) -> None:
    """Hears codes, int32 (n, 1): the state becomes that of a network which just put out the last of them."""
    denormals = flush_denormals()
    frame = state.tiers.told.shape[0]
    for n in range(codes.shape[0]):
        if state.tiers.place[0] == frame:
            turn(weights, state)
        take_in(state, codes[n, 0])
    restore_denormals(denormals)


@kernel
def predict_tiers(weights: Any, state: Any, codes: Any, out: Any) -> None:
    """Hears codes, int32 (n, 1), and writes for each step what was expected in its place into `out`, alike."""
    denormals = flush_denormals()
    frame = state.tiers.told.shape[0]
    for n in range(codes.shape[0]):
        if state.tiers.place[0] == frame:
            turn(weights, state)
        score(weights, state, False)
        out[n, 0] = likeliest(state.probabilities)
        take_in(state, codes[n, 0])
    restore_denormals(denormals)
