"""Plain numba loops over float32, which the compiler vectorises as it sees fit."""

from typing import Any

import numpy as np
from numba import njit

from noizenet.checkpoint import Checkpoint
from noizenet_daemon.benchmark.peers.peer import Array, Peer, layer_weights


@njit(cache=True, fastmath=True, nogil=True, inline="always")
def _tanh(x: Any) -> Any:
    """Returns tanh by the same rational function as the kernels'."""
    x = min(max(x, np.float32(-7.90531)), np.float32(7.90531))
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


@njit(cache=True, fastmath=True, nogil=True, inline="always")
def _sigmoid(x: Any) -> Any:
    """Returns 1 / (1 + e^-x)."""
    return np.float32(0.5) + np.float32(0.5) * _tanh(np.float32(0.5) * x)


@njit(cache=True, fastmath=True, nogil=True)
def _product(x: Any, weights: Any, out: Any) -> None:
    """Adds x (n,) times weights (n, m) to out (m,), four rows at a time."""
    n, m = weights.shape
    whole = n - n % 4
    for i in range(0, whole, 4):
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        for j in range(m):
            out[j] += a * weights[i, j] + b * weights[i + 1, j] + c * weights[i + 2, j] + d * weights[i + 3, j]
    for i in range(whole, n):
        for j in range(m):
            out[j] += x[i] * weights[i, j]


@njit(cache=True, fastmath=True, nogil=True)
def _run(
    inputs: Any, recurrent: Any, biases: Any, head: Any, bias: Any, h: Any, c: Any, last: Any, gates: Any, out: Any
) -> None:
    """Generates out (steps,) with an LSTM of two layers, h and c (2, hidden), that is fed `last` (1,)."""
    units = h.shape[1]
    for step in range(out.shape[0]):
        for layer in range(2):
            gates[:] = biases[layer]
            _product(h[0] if layer else last, inputs[layer], gates)
            _product(h[layer], recurrent[layer], gates)
            for k in range(units):
                i, f = _sigmoid(gates[k]), _sigmoid(gates[units + k])
                g, o = _tanh(gates[2 * units + k]), _sigmoid(gates[3 * units + k])
                c[layer, k] = f * c[layer, k] + i * g
                h[layer, k] = o * _tanh(c[layer, k])
        last[0] = bias
        for k in range(units):
            last[0] += h[1, k] * head[k]
        out[step] = last[0]


def plain_loops(checkpoint: Checkpoint) -> Peer:
    """Returns the peer for an LSTM of two layers."""
    layers = [layer_weights(checkpoint, layer) for layer in range(2)]
    inputs = tuple(np.ascontiguousarray(of_input.T) for of_input, *_ in layers)
    recurrent = tuple(np.ascontiguousarray(of_hidden.T) for _, of_hidden, *_ in layers)
    biases = np.stack([of_input + of_hidden for *_, of_input, of_hidden in layers])
    hidden = checkpoint.network.hidden
    h, c = (np.zeros((2, hidden), np.float32) for _ in range(2))
    last, gates = np.zeros(1, np.float32), np.zeros(4 * hidden, np.float32)
    head, bias = checkpoint.weights["output.0.weight"][0], checkpoint.weights["output.0.bias"][0]

    def run(steps: int) -> Array:
        out = np.zeros(steps, np.float32)
        _run(inputs, recurrent, biases, head, bias, h, c, last, gates, out)
        return out

    return run
