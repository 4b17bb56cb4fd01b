"""The cells of a network, one step at a time, float32. Weights are packed (inputs, outputs), so that the inner loops
run along memory and the compiler vectorises them.

Equations as PyTorch states them (gate order too), so that its weights mean the same here:

    rnn   h' = tanh(a),                                             a = Wi x + bi + Wh h + bh
    lstm  c' = f c + i g,  h' = o tanh(c'),                         i f o = sigmoid(a), g = tanh(a)
    gru   h' = (1 - z) n + z h,  n = tanh(Wi x + bi + r (Wh h + bh)),  r z = sigmoid(a)

and the causal convolution as `noizenet.network.NetworkShape` states it; each of its layers keeps in a ring what it
will need 2^layer steps later, so that a step costs the same at any depth of memory.

Sources: Elman 1990; Hochreiter and Schmidhuber 1997 with the forget gate of Gers et al. 2000; Cho et al. 2014;
van den Oord et al., "WaveNet", 2016; Paine et al., "Fast Wavenet generation algorithm", 2016, for the rings.
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]
RNN, LSTM, GRU, CONV = 0, 1, 2, 3
CELL_NUMBERS = {"rnn": RNN, "lstm": LSTM, "gru": GRU, "conv": CONV}

# All of fastmath but the promises that there is no NaN and no infinity: those must go through, for the quarantine to
# find. For the same reason division by zero is NumPy's, which raises nothing.
FAST = {"reassoc", "contract", "arcp", "nsz", "afn"}


class Layers(NamedTuple):
    """Packed weights of all layers. L layers of H units with G = gates x H.

    Attributes:
        cell: RNN, LSTM, GRU or CONV.
        between: input weights of layers 1 and up, (L - 1, H, G); (1, 0, G) if there is one layer.
        recurrent: (L, H, G); (L, 0, G) of a convolution, which has none.
        bias: sum of both biases, but for the GRU's candidate gate the input's alone, (L, G).
        candidate_bias: the GRU's recurrent bias of the candidate gate, (L, H).
    """

    cell: int
    between: Array
    recurrent: Array
    bias: Array
    candidate_bias: Array


class CellState(NamedTuple):
    """What the layers remember, and workspace.

    Attributes:
        hidden: what each layer put out last, float32 (L, H).
        cell: the LSTM's cell state, float32 (L, H); of a convolution one ring a layer, (2^L - 1, H): see `ring_row`.
        position: steps taken in so far, whether heard or run, int64 (1,): where the rings stand. At 0 a ring's rows
            lie oldest first, as a checkpoint holds them.
        gates, recurrent_gates: workspace, (G,).
    """

    hidden: Array
    cell: Array
    position: Array
    gates: Array
    recurrent_gates: Array


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def tanh(x: Any) -> Any:
    """Returns tanh within 4e-7, by a rational function that the compiler can vectorise (coefficients: Eigen 3)."""
    # not min and max: those turn NaN into a number
    x = np.float32(-7.90531) if x < np.float32(-7.90531) else x
    x = np.float32(7.90531) if x > np.float32(7.90531) else x
    s = x * x
    p = s * np.float32(-2.76076847742355e-16) + np.float32(2.00018790482477e-13)
    p = p * s + np.float32(-8.60467152213735e-11)
    p = p * s + np.float32(5.12229709037114e-08)
    p = p * s + np.float32(1.48572235717979e-05)
    p = p * s + np.float32(6.37261928875436e-04)
    p = p * s + np.float32(4.89352455891786e-03)
    q = s * np.float32(1.19825839466702e-06) + np.float32(1.18534705686654e-04)
    q = q * s + np.float32(2.26843463243900e-03)
    q = q * s + np.float32(4.89352518554385e-03)
    return x * p / q


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", inline="always")
def sigmoid(x: Any) -> Any:
    """Returns 1 / (1 + e^-x)."""
    return np.float32(0.5) + np.float32(0.5) * tanh(np.float32(0.5) * x)


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", boundscheck=False)
def add_product(x: Any, weights: Any, out: Any) -> None:
    """Adds x (n,) times weights (n, m) to out (m,). Four rows a turn, so that `out` is read a quarter as often."""
    n, m = weights.shape
    i = 0
    while i + 4 <= n:
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        for j in range(m):
            out[j] += a * weights[i, j] + b * weights[i + 1, j] + c * weights[i + 2, j] + d * weights[i + 3, j]
        i += 4
    while i < n:
        a = x[i]
        for j in range(m):
            out[j] += a * weights[i, j]
        i += 1


@njit(cache=True, nogil=True, inline="always")
def ring_row(layer: int, position: int) -> int:
    """Returns the row of a convolution's memory that is read, and then written anew, in the step at `position`.

    Layer l has the 2^l rows from 2^l - 1 on. `position` - 1 gives the row that was written last.
    """
    length = 1 << layer
    return length - 1 + position % length


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", boundscheck=False)
def _convolve(h: Any, remembered: Any, gates: Any) -> None:
    """Writes a layer's output, without what is added to it; `remembered` (H,) gives its own up for the step's."""
    n = h.shape[0]
    for k in range(n):
        h[k] = tanh(gates[k] + remembered[k])
        remembered[k] = gates[n + k]


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", boundscheck=False)
def _activate(cell: int, h: Any, c: Any, gates: Any, recurrent_gates: Any, candidate_bias: Any) -> None:
    """Turns the gates' sums into the new hidden and cell state of a recurrent layer."""
    n = h.shape[0]
    if cell == LSTM:
        for k in range(n):
            i = sigmoid(gates[k])
            f = sigmoid(gates[n + k])
            g = tanh(gates[2 * n + k])
            o = sigmoid(gates[3 * n + k])
            c[k] = f * c[k] + i * g
            h[k] = o * tanh(c[k])
    elif cell == GRU:
        for k in range(n):
            r = sigmoid(gates[k] + recurrent_gates[k])
            z = sigmoid(gates[n + k] + recurrent_gates[n + k])
            candidate = tanh(gates[2 * n + k] + r * (recurrent_gates[2 * n + k] + candidate_bias[k]))
            h[k] = (np.float32(1.0) - z) * candidate + z * h[k]
    else:
        for k in range(n):
            h[k] = tanh(gates[k])


@njit(cache=True, nogil=True, fastmath=FAST, error_model="numpy", boundscheck=False)
def step_layers(layers: Any, state: Any) -> None:
    """Steps all layers. The input's share of layer 0 stands in `state.gates` already, without the bias."""
    gates, recurrent_gates = state.gates, state.recurrent_gates
    for layer in range(layers.recurrent.shape[0]):
        h = state.hidden[layer]
        if layer > 0:
            gates[:] = 0.0
            add_product(state.hidden[layer - 1], layers.between[layer - 1], gates)
        for k in range(gates.shape[0]):
            gates[k] += layers.bias[layer, k]
        if layers.cell == CONV:
            _convolve(h, state.cell[ring_row(layer, state.position[0])], gates)
            if layer > 0:
                for k in range(h.shape[0]):
                    h[k] += state.hidden[layer - 1, k]
            continue
        if layers.cell == GRU:
            recurrent_gates[:] = 0.0
            add_product(h, layers.recurrent[layer], recurrent_gates)
        else:
            add_product(h, layers.recurrent[layer], gates)
        _activate(layers.cell, h, state.cell[layer], gates, recurrent_gates, layers.candidate_bias[layer])
    state.position[0] += 1
