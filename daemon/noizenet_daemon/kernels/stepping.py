"""Blocks of steps: what is fed back, what is drawn, where noise goes in. For both heads.

`run_*` generates, `listen_*` hears given steps to warm the state. All change the state in place.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from noizenet_daemon.kernels.cells import FAST, LSTM, CellState, Layers, add_product, step_layers
from noizenet_daemon.kernels.collapse import is_collapsed, watch
from noizenet_daemon.kernels.noise import CELL, INPUT, add_noise, is_due
from noizenet_daemon.kernels.rng import uniform

Array = NDArray[Any]


class CategoricalWeights(NamedTuple):
    """A network over codes. S stages, C classes, E embedding, D units in the head, G gates x H.

    Attributes:
        table: what each code adds to the gates of layer 0: its embedding times the input weights, (S, C, G).
        input: input weights of layer 0, for noise on the input, (S E, G).
        input_scale: root mean square of the embedding: the unit of noise on the input.
        embedding: (S, C, E).
        condition, condition_bias: (S, H + (S - 1) E, D), (S, D); rows of stages not known yet are zero.
        output, output_bias: (S, D, C), (S, C).
    """

    layers: Layers
    table: Array
    input: Array
    input_scale: float
    embedding: Array
    condition: Array
    condition_bias: Array
    output: Array
    output_bias: Array


class LinearWeights(NamedTuple):
    """A network over real numbers: F features in and out. `output` is (H, F)."""

    layers: Layers
    input: Array
    input_scale: float
    output: Array
    output_bias: Array


class NetworkState(NamedTuple):
    """All that a voice's network remembers, and its workspace.

    Attributes:
        last: what the last step put out: codes int32 (S,) or features float32 (F,).
        rng: see `kernels.rng`.
        steps: steps so far, int64 (1,).
        history, runs: see `kernels.collapse`.
        fed: workspace: the input of layer 0, (S E,) or (F,).
        known: workspace: hidden state and embeddings of the stages drawn so far, (H + (S - 1) E,).
        units: workspace of the head, (D,).
        probabilities: workspace, (C,).
    """

    cells: CellState
    last: Array
    rng: Array
    steps: Array
    history: Array
    runs: Array
    fed: Array
    known: Array
    units: Array
    probabilities: Array


@njit(cache=True, nogil=True)
def _inject(layers: Any, state: Any, controls: Any, input_scale: float) -> bool:
    """Adds noise to hidden or cell state if it is due; returns True if it is due on the input instead."""
    step = state.steps[0]
    if not is_due(controls, step, is_collapsed(state.runs, controls.hold)):
        return False
    if controls.target == INPUT:
        state.fed[:] = 0.0
        add_noise(state.fed, input_scale, controls, step, state.rng, 0)
        return True
    # only the LSTM has a cell state; elsewhere its noise goes to the hidden state
    in_cell = controls.target == CELL and layers.cell == LSTM
    units = state.cells.hidden.shape[1]
    for layer in range(state.cells.hidden.shape[0]):
        values = state.cells.cell[layer] if in_cell else state.cells.hidden[layer]
        add_noise(values, 1.0, controls, step, state.rng, layer * units)
    return False


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", boundscheck=False)
def _draw(probabilities: Any, temperature: float, top_p: float, chance: float) -> int:
    """Turns logits (in place) into probabilities and returns the class that `chance`, 0 <= chance < 1, falls on."""
    count = probabilities.shape[0]
    largest = probabilities[0]
    for c in range(count):
        largest = max(largest, probabilities[c])
    total = 0.0
    sharpness = np.float32(1.0 / temperature)
    for c in range(count):
        probabilities[c] = np.exp((probabilities[c] - largest) * sharpness)
        total += probabilities[c]
    if top_p < 1.0:
        total = _keep_likeliest(probabilities, top_p, total)
    left = chance * total
    chosen = -1
    for c in range(count):
        if probabilities[c] > 0.0:
            chosen = c
            left -= probabilities[c]
            if left < 0.0:
                break
    return chosen


@njit(cache=True, nogil=True, boundscheck=False)
def _keep_likeliest(probabilities: Any, top_p: float, total: float) -> float:
    """Zeroes all but the likeliest classes that hold `top_p` of the mass; returns the mass kept.

    The threshold is found by bisection, which needs no sorted copy. The likeliest class is always kept.
    """
    low, high = 0.0, 1.0  # weights are relative to the largest, which is 1
    for _ in range(30):
        middle = 0.5 * (low + high)
        mass = 0.0
        for c in range(probabilities.shape[0]):
            if probabilities[c] >= middle:
                mass += probabilities[c]
        if mass >= top_p * total:
            low = middle
        else:
            high = middle
    kept = 0.0
    for c in range(probabilities.shape[0]):
        if probabilities[c] >= low:
            kept += probabilities[c]
        else:
            probabilities[c] = 0.0
    return kept


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", boundscheck=False)
def _feed_codes(weights: Any, state: Any, with_noise: bool) -> None:
    gates = state.cells.gates
    gates[:] = 0.0
    for stage in range(state.last.shape[0]):
        row = weights.table[stage, state.last[stage]]
        for k in range(gates.shape[0]):
            gates[k] += row[k]
    if with_noise:
        add_product(state.fed, weights.input, gates)


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", boundscheck=False)
def _draw_stages(weights: Any, state: Any, controls: Any) -> None:
    """Draws the codes of one step into `last`, each stage knowing those before."""
    units = state.cells.hidden.shape[1]
    size = weights.embedding.shape[2]
    top = state.cells.hidden[state.cells.hidden.shape[0] - 1]
    state.known[:units] = top
    for stage in range(state.last.shape[0]):
        reach = units + stage * size
        state.units[:] = weights.condition_bias[stage]
        add_product(state.known[:reach], weights.condition[stage, :reach], state.units)
        for k in range(state.units.shape[0]):
            state.units[k] = max(state.units[k], np.float32(0.0))
        state.probabilities[:] = weights.output_bias[stage]
        add_product(state.units, weights.output[stage], state.probabilities)
        code = _draw(state.probabilities, controls.temperature, controls.top_p, uniform(state.rng))
        state.last[stage] = code
        if stage + 1 < state.last.shape[0]:
            state.known[reach : reach + size] = weights.embedding[stage, code]


@njit(cache=True, nogil=True, boundscheck=False)
def run_codes(weights: Any, state: Any, controls: Any, out: Any) -> None:
    """Generates steps of codes into `out`, int32 (n, S)."""
    for n in range(out.shape[0]):
        with_noise = _inject(weights.layers, state, controls, weights.input_scale)
        _feed_codes(weights, state, with_noise)
        step_layers(weights.layers, state.cells)
        _draw_stages(weights, state, controls)
        signature = 0.0
        for stage in range(state.last.shape[0]):
            out[n, stage] = state.last[stage]
            signature = (signature * 257.0 + state.last[stage]) % 1000003.0
        watch(state.history, state.runs, state.steps[0], signature)
        state.steps[0] += 1


@njit(cache=True, nogil=True, boundscheck=False)
def listen_codes(weights: Any, state: Any, codes: Any) -> None:
    """Hears codes, int32 (n, S): the state becomes that of a network which just put out the last of them."""
    for n in range(codes.shape[0]):
        if n > 0:
            _feed_codes(weights, state, False)
            step_layers(weights.layers, state.cells)
        for stage in range(state.last.shape[0]):
            state.last[stage] = codes[n, stage]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", boundscheck=False)
def _feed_features(weights: Any, state: Any, with_noise: bool) -> None:
    state.cells.gates[:] = 0.0
    add_product(state.last, weights.input, state.cells.gates)
    if with_noise:
        add_product(state.fed, weights.input, state.cells.gates)


@njit(cache=True, nogil=True, boundscheck=False)
def run_features(weights: Any, state: Any, controls: Any, out: Any) -> None:
    """Generates steps of features into `out`, float32 (n, F). NaN goes through, for the caller to find."""
    top = state.cells.hidden.shape[0] - 1
    for n in range(out.shape[0]):
        with_noise = _inject(weights.layers, state, controls, weights.input_scale)
        _feed_features(weights, state, with_noise)
        step_layers(weights.layers, state.cells)
        state.last[:] = weights.output_bias
        add_product(state.cells.hidden[top], weights.output, state.last)
        out[n] = state.last
        watch(state.history, state.runs, state.steps[0], state.last[0])
        state.steps[0] += 1


@njit(cache=True, nogil=True, boundscheck=False)
def listen_features(weights: Any, state: Any, features: Any) -> None:
    """Hears features, float32 (n, F), as `listen_codes` hears codes."""
    for n in range(features.shape[0]):
        if n > 0:
            _feed_features(weights, state, False)
            step_layers(weights.layers, state.cells)
        state.last[:] = features[n]
