"""What a step of a network costs: the weights that it is multiplied with."""

import math

from noizenet.network import NetworkShape
from noizenet_daemon.precision import Precision

BYTES_PER_WEIGHT: dict[Precision, int] = {"f32": 4, "bf16": 2, "int8": 1}


def weights_in_step(shape: NetworkShape) -> float:
    """Returns the weights that a step multiplies with, on average: two operations each, and read once.

    What is looked up costs none: embeddings, and the products of embeddings with the first layer's input. Of two tiers,
    the cells turn once in `frame` steps.
    """
    looked_up = {"near.weight"}
    if shape.head == "categorical" and not shape.frame:
        looked_up.add("rnn.weight_ih_l0")
    total = 0.0
    for name, size in shape.tensor_shapes().items():
        if len(size) == 2 and name not in looked_up:
            is_upper = shape.frame > 0 and name.startswith(("rnn.", "upsample."))
            total += math.prod(size) / (shape.frame if is_upper else 1)
    return total
