"""The shape of a network: what the weights in a checkpoint must be, and nothing of how they are computed."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from noizenet.errors import CheckpointError

GATES = {"rnn": 1, "lstm": 4, "gru": 3}
LARGEST = 1 << 16  # no size in a checkpoint may exceed this: a guard against absurd allocations


@dataclass(frozen=True)
class NetworkShape:
    """A recurrent network: `layers` cells of `hidden` units below a head.

    With the head "categorical", each step is `stages` codes of `classes` values. The codes of the last step are
    embedded and fed in; the head draws the stages of the next one after another, each knowing those before it.
    With the head "linear", a step is `features` numbers, and the head is one linear layer (the paper's network).

    Attributes:
        cell: "rnn" (Elman, tanh), "lstm" or "gru".
        embedding: size of one code's embedding (categorical).
        head_hidden: units of the layer between hidden state and codes (categorical).
        features: numbers in a step (linear).
    """

    cell: Literal["rnn", "lstm", "gru"]
    layers: int
    hidden: int
    head: Literal["linear", "categorical"]
    stages: int = 0
    classes: int = 0
    embedding: int = 0
    head_hidden: int = 0
    features: int = 0

    @property
    def input_size(self) -> int:
        """Numbers that the first layer is fed in a step."""
        return self.features if self.head == "linear" else self.stages * self.embedding

    def tensor_shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns name and shape of every weight, in PyTorch's naming and order of axes (out, in)."""
        shapes: dict[str, tuple[int, ...]] = {}
        gates = GATES[self.cell] * self.hidden
        for layer in range(self.layers):
            inputs = self.hidden if layer else self.input_size
            shapes[f"rnn.weight_ih_l{layer}"] = (gates, inputs)
            shapes[f"rnn.weight_hh_l{layer}"] = (gates, self.hidden)
            shapes[f"rnn.bias_ih_l{layer}"] = (gates,)
            shapes[f"rnn.bias_hh_l{layer}"] = (gates,)
        if self.head == "linear":
            shapes["output.0.weight"] = (self.features, self.hidden)
            shapes["output.0.bias"] = (self.features,)
            return shapes
        shapes["embedding"] = (self.stages, self.classes, self.embedding)
        for stage in range(self.stages):
            known = self.hidden + stage * self.embedding
            shapes[f"condition.{stage}.weight"] = (self.head_hidden, known)
            shapes[f"condition.{stage}.bias"] = (self.head_hidden,)
            shapes[f"output.{stage}.weight"] = (self.classes, self.head_hidden)
            shapes[f"output.{stage}.bias"] = (self.classes,)
        return shapes

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns name and shape of the arrays of one hidden state."""
        width = self.features if self.head == "linear" else self.stages
        return {
            "hidden": (self.layers, self.hidden),
            "cell": (self.layers, self.hidden),
            "last": (width,),
        }

    def to_json(self) -> dict[str, Any]:
        """Returns the plain values for the checkpoint's header."""
        return asdict(self)

    @classmethod
    def from_json(cls, values: object) -> "NetworkShape":
        """Returns the shape that a checkpoint's header describes.

        Raises:
            CheckpointError: a value is missing, unknown, of the wrong type or absurd.
        """
        if not isinstance(values, dict):
            raise CheckpointError("its header describes no network")
        try:
            shape = cls(**values)
        except TypeError as error:
            raise CheckpointError(f"its network is described by other values than format 1 has: {error}") from None
        if not isinstance(shape.cell, str) or shape.cell not in GATES or shape.head not in ("linear", "categorical"):
            raise CheckpointError(f"its network has the unknown cell or head {shape.cell!r}, {shape.head!r}")
        needed = {"layers": shape.layers, "hidden": shape.hidden}
        if shape.head == "linear":
            needed |= {"features": shape.features}
        else:
            needed |= {
                "stages": shape.stages,
                "classes": shape.classes,
                "embedding": shape.embedding,
                "head_hidden": shape.head_hidden,
            }
        for name, size in needed.items():
            if type(size) is not int or not 1 <= size <= LARGEST:
                raise CheckpointError(f"its network's {name} is {size!r}, not a whole number from 1 to {LARGEST}")
        return shape
