"""Blocks of steps: what is fed back, what is drawn, where noise goes in. For all heads.

`run_*` generates, `listen_*` hears given steps to warm the state. All change the state in place.
"""

from typing import Any

from noizenet.compiling import copy, counting, inlined, kernel
from noizenet_daemon.kernels.arithmetic import add
from noizenet_daemon.kernels.cells import CONV, LSTM, ring_row, step_layers
from noizenet_daemon.kernels.collapse import code_signature, feature_signature, is_collapsed, watch
from noizenet_daemon.kernels.denormals import flush_denormals, restore_denormals
from noizenet_daemon.kernels.drawing import draw_class, draw_features
from noizenet_daemon.kernels.noise import CELL, INPUT, add_noise, is_due
from noizenet_daemon.kernels.products import product, rectified_product
from noizenet_daemon.kernels.rng import uniform


@counting
def disturbed(cell: int, cells: Any, layer: int, target: int) -> Any:
    """Returns what noise on the hidden or the cell state of a layer is added to, float32 (H,).

    Only the LSTM has a cell state; with RNN and GRU its noise goes to the hidden state. A convolution remembers nothing
    but its rings: noise on the hidden state goes to the row that it wrote last, and is heard 2^layer steps later; noise
    on the cell state to the row that it is about to read, and is heard at once. A row is disturbed once by each, so
    that the same amount means the same in a layer that remembers 1 step and in one that remembers 1000.
    """
    if cell == CONV:
        position = cells.position[0] if target == CELL else cells.position[0] - 1
        return cells.cell[ring_row(layer, position)]
    if cell == LSTM and target == CELL:
        return cells.cell[layer]
    return cells.hidden[layer]


@counting
def inject(layers: Any, state: Any, controls: Any, input_scale: float) -> bool:
    """Adds noise to hidden or cell state; returns True if it goes to the input instead, where `fed` then holds it."""
    step = state.steps[0]
    if controls.target == INPUT:
        state.fed[:] = 0.0
        add_noise(state.fed, input_scale, controls, step, state.rng, state.pink, 0)
        return True
    units = state.cells.hidden.shape[1]
    for layer in range(state.cells.hidden.shape[0]):
        values = disturbed(layers.cell, state.cells, layer, controls.target)
        add_noise(values, 1.0, controls, step, state.rng, state.pink, layer * units)
    return False


@inlined
def feed_codes(weights: Any, state: Any, with_noise: bool) -> None:
    """Writes the first layer's input, what the last codes add to its gates."""
    gates = state.cells.gates
    gates[:] = 0.0
    for stage in range(state.last.shape[0]):
        add(weights.table[stage, state.last[stage]], gates)
    if with_noise:
        product(state.fed, weights.input, 0, gates, gates)


@inlined
def score_stage(weights: Any, state: Any, codes: Any, stage: int) -> None:
    """Writes the logits of one stage of the next step into `probabilities`.

    Args:
        codes: those of the stages before it, int32 (S,). The stages are taken in order: what is known of the step
            grows by one code with each.
    """
    units = state.cells.hidden.shape[1]
    size = weights.embedding.shape[2]
    reach = units + stage * size
    if stage == 0:
        copy(state.cells.hidden[state.cells.hidden.shape[0] - 1], state.known[:units])
    else:
        copy(weights.embedding[stage - 1, codes[stage - 1]], state.known[reach - size : reach])
    product(state.known[:reach], weights.condition, stage, weights.condition_bias[stage], state.units)
    bias = weights.output_bias[stage]
    rectified_product(state.units, weights.output, stage, bias, state.probabilities, state.positive)


@inlined
def noise_goes_in(weights: Any, state: Any, controls: Any) -> bool:
    """Adds noise to hidden or cell state if it is due; returns True if it is, but goes to the input."""
    is_fed = False
    if is_due(controls, state.steps[0], is_collapsed(state.runs, controls.hold)):
        is_fed = inject(weights.layers, state, controls, weights.input_scale)
    return is_fed


@inlined
def draw_codes(weights: Any, state: Any, controls: Any, out: Any) -> None:
    """Draws the next step from the last layer's hidden state, into `state.last` and `out`, (S,)."""
    for stage in range(state.last.shape[0]):
        score_stage(weights, state, state.last, stage)
        chance = uniform(state.rng)
        state.last[stage] = draw_class(state.probabilities, controls.temperature, controls.top_p, chance)
    copy(state.last, out)
    watch(state.history, state.runs, state.steps[0], code_signature(state.last))
    state.steps[0] += 1


@kernel
def run_codes(weights: Any, state: Any, controls: Any, out: Any) -> None:
    """Generates steps of codes into `out`, int32 (n, S).

    A code is -1 where NaN has left none to draw: for the caller to find, as a convolution soon forgets what went wrong.
    """
    denormals = flush_denormals()
    for n in range(out.shape[0]):
        feed_codes(weights, state, noise_goes_in(weights, state, controls))
        step_layers(weights.layers, state.cells)
        draw_codes(weights, state, controls, out[n])
    restore_denormals(denormals)


@kernel
def listen_codes(weights: Any, state: Any, codes: Any) -> None:
    """Hears codes, int32 (n, S): the state becomes that of a network which just put out the last of them."""
    denormals = flush_denormals()
    for n in range(codes.shape[0]):
        if n > 0:
            feed_codes(weights, state, False)
            step_layers(weights.layers, state.cells)
        for stage in range(state.last.shape[0]):
            state.last[stage] = codes[n, stage]
    restore_denormals(denormals)


@inlined
def feed_features(weights: Any, state: Any, with_noise: bool) -> None:
    """Writes the first layer's input, what the last features add to its gates."""
    gates = state.cells.gates
    gates[:] = 0.0
    product(state.last, weights.input, 0, gates, gates)
    if with_noise:
        product(state.fed, weights.input, 0, gates, gates)


@inlined
def put_out_features(weights: Any, state: Any) -> None:
    """Writes what the head says of the next step into `units`: features (F,), or means and log-deviations (2 F,)."""
    hidden = state.cells.hidden
    product(hidden[hidden.shape[0] - 1], weights.output, 0, weights.output_bias, state.units)


@inlined
def take_features(weights: Any, state: Any, controls: Any, out: Any) -> None:
    """Makes the next step of the last layer's hidden state, into `state.last` and `out`, (F,)."""
    put_out_features(weights, state)
    if weights.drawn:
        draw_features(state.units, controls.temperature, state.rng, state.last)
    else:
        copy(state.units, state.last)
    copy(state.last, out)
    watch(state.history, state.runs, state.steps[0], feature_signature(state.last))
    state.steps[0] += 1


@kernel
def run_features(weights: Any, state: Any, controls: Any, out: Any) -> None:
    """Generates steps of features into `out`, float32 (n, F). NaN goes through, for the caller to find."""
    denormals = flush_denormals()
    for n in range(out.shape[0]):
        feed_features(weights, state, noise_goes_in(weights, state, controls))
        step_layers(weights.layers, state.cells)
        take_features(weights, state, controls, out[n])
    restore_denormals(denormals)


@kernel
def listen_features(weights: Any, state: Any, features: Any) -> None:
    """Hears features, float32 (n, F), as `listen_codes` hears codes."""
    denormals = flush_denormals()
    for n in range(features.shape[0]):
        if n > 0:
            feed_features(weights, state, False)
            step_layers(weights.layers, state.cells)
        copy(features[n], state.last)
    restore_denormals(denormals)
