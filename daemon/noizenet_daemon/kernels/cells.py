"""The cells of a network, one step at a time, float32.

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

from numpy.typing import NDArray

from noizenet.compiling import inlined, kernel
from noizenet.states import Workspace
from noizenet.vectors import multiply_add
from noizenet_daemon.kernels.activations import sigmoid, tanh
from noizenet_daemon.kernels.arithmetic import add
from noizenet_daemon.kernels.loading import WIDTH, load, store
from noizenet_daemon.kernels.matrices import Matrices
from noizenet_daemon.kernels.products import product

Array = NDArray[Any]
RNN, LSTM, GRU, CONV = 0, 1, 2, 3
CELL_NUMBERS = {"rnn": RNN, "lstm": LSTM, "gru": GRU, "conv": CONV}

# All of fastmath but the promises that there is no NaN and no infinity: those must go through, for the quarantine to
# find. For loops of plain numbers; lanes need none of it.
FAST = {"reassoc", "contract", "arcp", "nsz", "afn"}


class Layers(NamedTuple):
    """Packed weights of all layers. L layers of H units with G = gates x H.

    Attributes:
        cell: RNN, LSTM, GRU or CONV.
        between: input weights of layers 1 and up, L - 1 matrices (H, G); one (0, G) if there is one layer.
        recurrent: L matrices (H, G); (0, G) of a convolution, which has none.
        bias: sum of both biases, of the GRU the input's alone, (L, G).
        recurrent_bias: of the GRU, (L, G); else not read.
    """

    cell: int
    between: Matrices
    recurrent: Matrices
    bias: Array
    recurrent_bias: Array


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
    gates: Workspace
    recurrent_gates: Workspace


@inlined
def ring_row(layer: int, position: int) -> int:
    """Returns the row of a convolution's memory that is read, and then written anew, in the step at `position`.

    Layer l has the 2^l rows from 2^l - 1 on. `position` - 1 gives the row that was written last.
    """
    length = 1 << layer
    return length - 1 + position % length


@kernel
def _convolve(h: Any, remembered: Any, gates: Any) -> None:
    """Writes a layer's output, without what is added to it; `remembered` (H,) gives its own up for the step's."""
    n = h.shape[0]
    for k in range(0, n, WIDTH):
        count = n - k
        store(tanh(load(gates, k, count, WIDTH) + load(remembered, k, count, WIDTH)), h, k, count)
        store(load(gates, n + k, count, WIDTH), remembered, k, count)


@kernel
def _activate_rnn(h: Any, gates: Any) -> None:
    """Turns the gates' sums into the new hidden state of an RNN's layer."""
    n = h.shape[0]
    for k in range(0, n, WIDTH):
        store(tanh(load(gates, k, n - k, WIDTH)), h, k, n - k)


@kernel
def _activate_lstm(h: Any, c: Any, gates: Any) -> None:
    """Turns the gates' sums into the new hidden and cell state of an LSTM's layer."""
    n = h.shape[0]
    for k in range(0, n, WIDTH):
        count = n - k
        i = sigmoid(load(gates, k, count, WIDTH))
        f = sigmoid(load(gates, n + k, count, WIDTH))
        g = tanh(load(gates, 2 * n + k, count, WIDTH))
        o = sigmoid(load(gates, 3 * n + k, count, WIDTH))
        new = multiply_add(f, load(c, k, count, WIDTH), i * g)
        store(new, c, k, count)
        store(o * tanh(new), h, k, count)


@kernel
def _activate_gru(h: Any, gates: Any, recurrent_gates: Any) -> None:
    """Turns the gates' sums into the new hidden state of a GRU's layer."""
    n = h.shape[0]
    for k in range(0, n, WIDTH):
        count = n - k
        r = sigmoid(load(gates, k, count, WIDTH) + load(recurrent_gates, k, count, WIDTH))
        z = sigmoid(load(gates, n + k, count, WIDTH) + load(recurrent_gates, n + k, count, WIDTH))
        from_hidden = load(recurrent_gates, 2 * n + k, count, WIDTH)
        candidate = tanh(multiply_add(r, from_hidden, load(gates, 2 * n + k, count, WIDTH)))
        store(multiply_add(z, load(h, k, count, WIDTH) - candidate, candidate), h, k, count)


@kernel
def activate(cell: int, h: Any, c: Any, gates: Any, recurrent_gates: Any) -> None:
    """Turns the gates' sums into the new hidden state h of a layer, and the new cell state c of an LSTM's."""
    if cell == LSTM:
        _activate_lstm(h, c, gates)
    elif cell == GRU:
        _activate_gru(h, gates, recurrent_gates)
    else:
        _activate_rnn(h, gates)


@kernel
def step_layers(layers: Any, state: Any) -> None:
    """Steps all layers. The input's share of layer 0 stands in `state.gates` already, without the bias."""
    gates, recurrent_gates = state.gates, state.recurrent_gates
    for layer in range(state.hidden.shape[0]):
        h = state.hidden[layer]
        if layer == 0:
            add(layers.bias[0], gates)
        else:
            product(state.hidden[layer - 1], layers.between, layer - 1, layers.bias[layer], gates)
        if layers.cell == CONV:
            _convolve(h, state.cell[ring_row(layer, state.position[0])], gates)
            if layer > 0:
                add(state.hidden[layer - 1], h)
        elif layers.cell == GRU:
            product(h, layers.recurrent, layer, layers.recurrent_bias[layer], recurrent_gates)
            activate(GRU, h, h, gates, recurrent_gates)
        else:
            product(h, layers.recurrent, layer, gates, gates)
            activate(layers.cell, h, state.cell[layer] if layers.cell == LSTM else h, gates, recurrent_gates)
    state.position[0] += 1
