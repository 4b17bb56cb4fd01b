"""What the peers have in common."""

from collections.abc import Callable, Iterable
from typing import Any

from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.errors import NoizeNetError

Array = NDArray[Any]
Peer = Callable[[int], Array]


class PeerUnavailableError(NoizeNetError):
    """A peer that can't take part here; the sentence says why, and what would help."""


def layer_weights(checkpoint: Checkpoint, layer: int) -> tuple[Array, Array, Array, Array]:
    """Returns a layer's input and recurrent weights, (4 hidden, inputs) and (4 hidden, hidden), and their biases."""
    kinds: Iterable[str] = ("weight_ih", "weight_hh", "bias_ih", "bias_hh")
    of_input, recurrent, input_bias, recurrent_bias = (checkpoint.weights[f"rnn.{kind}_l{layer}"] for kind in kinds)
    return of_input, recurrent, input_bias, recurrent_bias
