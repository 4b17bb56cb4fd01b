"""In what precision the engine `numba` keeps a network's weights. Sums and states are float32 in all of them."""

from typing import Literal

from noizenet.network import GATES, NetworkShape

Precision = Literal["f32", "bf16", "int8"]
PrecisionChoice = Literal["auto", "f32", "bf16", "int8"]
PRECISIONS: tuple[Precision, ...] = ("f32", "bf16", "int8")
PRECISION_CHOICES: tuple[PrecisionChoice, ...] = ("auto", *PRECISIONS)

# A fixed size instead of this machine's cache: a checkpoint plays in the same precision on the next machine.
LARGEST_IN_CACHE = 32 << 20  # bytes; a last cache of today. Beyond it, bfloat16 is played 1.9 times as fast as float32


def chosen_precision(choice: PrecisionChoice, shape: NetworkShape) -> Precision:
    """Returns the precision asked for; with "auto" float32, but bfloat16 where the cells' weights fit no cache."""
    if choice != "auto":
        return choice
    return "f32" if 4 * turned_weights(shape) <= LARGEST_IN_CACHE else "bf16"


def turned_weights(shape: NetworkShape) -> int:
    """Returns how many weights the cells read in one turn, the first layer's input left out."""
    gates = GATES[shape.cell] * shape.hidden
    recurrent = 0 if shape.cell == "conv" else shape.layers
    return gates * shape.hidden * (shape.layers - 1 + recurrent)
