"""Blocks of steps of four voices, side by side: each weight of the cells is read once for all four.

What is a voice's own (noise, feeding, drawing) is done for one after the other by the functions of `kernels.stepping`;
what comes out of each is bit for bit what it puts out alone.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.compiling import copy, inlined, kernel
from noizenet_daemon.kernels.arithmetic import add
from noizenet_daemon.kernels.cells import GRU, LSTM, CellState, activate
from noizenet_daemon.kernels.denormals import flush_denormals, restore_denormals
from noizenet_daemon.kernels.matrices import Matrices
from noizenet_daemon.kernels.networks import NetworkState, TierState
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.kernels.shared_products import TOGETHER, shared_product
from noizenet_daemon.kernels.stepping import draw_codes, feed_codes, feed_features, noise_goes_in, take_features

Array = NDArray[Any]


class SharedLayers(NamedTuple):
    """The matrices of `kernels.cells.Layers`, packed for four vectors."""

    between: Matrices
    recurrent: Matrices


class Settings(NamedTuple):
    """The controls of four voices: their real and their whole numbers, in the order of `Controls`; (4, n) each."""

    numbers: Array
    choices: Array


def settings_of(controls: Sequence[Controls]) -> Settings:
    """Returns the controls of four voices as the kernels take them."""
    rows = [(*one[:4], one.perlin_step) for one in controls]
    choices = [(one.kind, one.target, one.mode, one.period, one.hold) for one in controls]
    return Settings(np.array(rows, np.float64), np.array(choices, np.int64))


@inlined
def _controls(settings: Any, voice: int) -> Any:
    real, whole = settings.numbers[voice], settings.choices[voice]
    return Controls(real[0], real[1], real[2], real[3], whole[0], whole[1], whole[2], whole[3], real[4], whole[4])


@inlined
def _voice(states: Any, voice: int) -> Any:
    """Returns the state of one voice of four, whose arrays are rows of theirs."""
    cells, tiers = states.cells, states.tiers
    return NetworkState(
        CellState(
            cells.hidden[voice],
            cells.cell[voice],
            cells.position[voice],
            cells.gates[voice],
            cells.recurrent_gates[voice],
        ),
        states.last[voice],
        states.rng[voice],
        states.pink[voice],
        states.steps[voice],
        states.history[voice],
        states.runs[voice],
        states.fed[voice],
        states.known[voice],
        states.units[voice],
        states.positive[voice],
        states.probabilities[voice],
        TierState(tiers.recent[voice], tiers.place[voice], tiers.told[voice], tiers.mixed[voice]),
    )


@kernel
def step_layers_together(layers: Any, shared: Any, states: Any) -> None:
    """Steps all layers of four voices, as `kernels.cells.step_layers` those of one; not those of a convolution."""
    hidden, gates, recurrent_gates = states.hidden, states.gates, states.recurrent_gates
    for layer in range(hidden.shape[1]):
        for voice in range(TOGETHER):
            if layer == 0:
                add(layers.bias[0], gates[voice])
            else:
                copy(layers.bias[layer], gates[voice])
            if layers.cell == GRU:
                copy(layers.recurrent_bias[layer], recurrent_gates[voice])
        if layer > 0:
            shared_product(hidden[:, layer - 1], shared.between, layer - 1, gates, gates)
        sums = recurrent_gates if layers.cell == GRU else gates
        shared_product(hidden[:, layer], shared.recurrent, layer, sums, sums)
        for voice in range(TOGETHER):
            h = hidden[voice, layer]
            c = states.cell[voice, layer] if layers.cell == LSTM else h
            activate(layers.cell, h, c, gates[voice], recurrent_gates[voice])
    for voice in range(TOGETHER):
        states.position[voice, 0] += 1


@kernel
def run_codes_together(weights: Any, shared: Any, states: Any, settings: Any, out: Any) -> None:
    """Generates steps of codes of four voices into `out`, int32 (4, n, S), as `kernels.stepping.run_codes` one's."""
    denormals = flush_denormals()
    for n in range(out.shape[1]):
        for voice in range(TOGETHER):
            state = _voice(states, voice)
            feed_codes(weights, state, noise_goes_in(weights, state, _controls(settings, voice)))
        step_layers_together(weights.layers, shared, states.cells)
        for voice in range(TOGETHER):
            draw_codes(weights, _voice(states, voice), _controls(settings, voice), out[voice, n])
    restore_denormals(denormals)


@kernel
def run_features_together(weights: Any, shared: Any, states: Any, settings: Any, out: Any) -> None:
    """Generates steps of features of four voices into `out`, float32 (4, n, F), as `run_features` one's."""
    denormals = flush_denormals()
    for n in range(out.shape[1]):
        for voice in range(TOGETHER):
            state = _voice(states, voice)
            feed_features(weights, state, noise_goes_in(weights, state, _controls(settings, voice)))
        step_layers_together(weights.layers, shared, states.cells)
        for voice in range(TOGETHER):
            take_features(weights, _voice(states, voice), _controls(settings, voice), out[voice, n])
    restore_denormals(denormals)
