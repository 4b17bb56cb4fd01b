"""The shape of a network: what the weights in a checkpoint must be, and nothing of how they are computed."""

from dataclasses import asdict, dataclass
from typing import Any, Literal

from noizenet.errors import CheckpointError

GATES = {"rnn": 1, "lstm": 4, "gru": 3, "conv": 2}
HEADS = ("linear", "gaussian", "categorical")
MOST_CONV_LAYERS = 12  # the memory of a convolution doubles with each layer
LOG_DEVIATION_RANGE = (-7.0, 2.0)  # of the head "gaussian", natural logarithm: what lies outside is cut off
LARGEST = 1 << 16  # no size in a checkpoint may exceed this: a guard against absurd allocations


@dataclass(frozen=True)
class NetworkShape:
    """A recurrent network: `layers` cells of `hidden` units below a head.

    With the head "categorical", each step is `stages` codes of `classes` values. The codes of the last step are
    embedded and fed in; the head draws the stages of the next one after another, each knowing those before it.
    With the head "linear", a step is `features` numbers, and the head is one linear layer (the paper's network).
    With the head "gaussian" the linear layer puts out the means of all numbers, then their log-deviations, which are
    cut off to LOG_DEVIATION_RANGE, and a step is drawn.

    The cell "conv" is a causal convolution with kernels of two steps, layer l looking back 2^l steps:

        y(t) = tanh(W x(t) + b + V x(t - 2^l) + c) + (x(t) in all layers but the first)

    where W, b are the first and V, c the second half of `weight_ih` and `bias_ih`. It has no other weights.

    With `frame` above 0 the network has two tiers, and a step is one code. The cells turn once in `frame` steps, and
    are fed the embeddings of the last `frame` codes side by side, oldest first. What the top layer puts out becomes
    `conditioning` numbers for each of the next `frame` steps (`upsample`). Below, without a memory of its own, a
    perceptron draws each step from them and from the embeddings of the last `reach` codes, oldest first:

        a = relu(near(embeddings) + condition_0(conditioning)),  b = relu(mix(a)),  logits = output_0(b)

    Source: Mehri et al., "SampleRNN: an unconditional end-to-end neural audio generation model", arXiv:1612.07837.

    Attributes:
        cell: "rnn" (Elman, tanh), "lstm", "gru" or "conv".
        embedding: size of one code's embedding (categorical).
        head_hidden: units of the layer between hidden state and codes (categorical); of each layer of a perceptron.
        features: numbers in a step (linear, gaussian).
        frame: steps between two turns of the cells; 0 = the cells turn with each step.
        reach: codes that the perceptron of two tiers sees.
        conditioning: numbers that the upper tier says to each step of the lower.
    """

    cell: Literal["rnn", "lstm", "gru", "conv"]
    layers: int
    hidden: int
    head: Literal["linear", "gaussian", "categorical"]
    stages: int = 0
    classes: int = 0
    embedding: int = 0
    head_hidden: int = 0
    features: int = 0
    frame: int = 0
    reach: int = 0
    conditioning: int = 0

    @property
    def input_size(self) -> int:
        """Numbers that the first layer is fed in a turn."""
        codes = self.frame or self.stages
        return codes * self.embedding if self.head == "categorical" else self.features

    @property
    def span(self) -> int:
        """Codes of the past that both tiers together look at; 0 of a network without tiers."""
        return max(self.frame, self.reach)

    @property
    def context(self) -> int:
        """Codes before its first input that a network of two tiers must know."""
        return max(self.span - 1, 0)

    @property
    def cell_rows(self) -> int:
        """Rows of `hidden` numbers in the cell state: one a layer; of a convolution, one a step it looks back."""
        return (1 << self.layers) - 1 if self.cell == "conv" else self.layers

    def tensor_shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns name and shape of every weight, in PyTorch's naming and order of axes (out, in)."""
        shapes: dict[str, tuple[int, ...]] = {}
        gates = GATES[self.cell] * self.hidden
        for layer in range(self.layers):
            inputs = self.hidden if layer else self.input_size
            shapes[f"rnn.weight_ih_l{layer}"] = (gates, inputs)
            shapes[f"rnn.bias_ih_l{layer}"] = (gates,)
            if self.cell != "conv":
                shapes[f"rnn.weight_hh_l{layer}"] = (gates, self.hidden)
                shapes[f"rnn.bias_hh_l{layer}"] = (gates,)
        if self.head != "categorical":
            outputs = 2 * self.features if self.head == "gaussian" else self.features
            shapes["output.0.weight"] = (outputs, self.hidden)
            shapes["output.0.bias"] = (outputs,)
            return shapes
        shapes["embedding"] = (self.stages, self.classes, self.embedding)
        if self.frame:
            return shapes | self._tier_shapes()
        for stage in range(self.stages):
            known = self.hidden + stage * self.embedding
            shapes[f"condition.{stage}.weight"] = (self.head_hidden, known)
            shapes[f"condition.{stage}.bias"] = (self.head_hidden,)
            shapes[f"output.{stage}.weight"] = (self.classes, self.head_hidden)
            shapes[f"output.{stage}.bias"] = (self.classes,)
        return shapes

    def _tier_shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns name and shape of the weights below the cells of two tiers."""
        units = self.head_hidden
        sizes = {
            "upsample": (self.frame * self.conditioning, self.hidden),
            "near": (units, self.reach * self.embedding),
            "condition.0": (units, self.conditioning),
            "mix": (units, units),
            "output.0": (self.classes, units),
        }
        weights = {f"{name}.weight": size for name, size in sizes.items()}
        # one bias serves what the perceptron is told from both sides
        return weights | {f"{name}.bias": size[:1] for name, size in sizes.items() if name != "condition.0"}

    def state_shapes(self) -> dict[str, tuple[int, ...]]:
        """Returns name and shape of the arrays of one hidden state.

        The cell state of a convolution holds, layer by layer, what `V x + c` was in the last 2^l steps, oldest first.
        Of two tiers, `recent` are the last codes, oldest first, and the cells have yet to take in the last `frame` of
        them.
        """
        width = self.stages if self.head == "categorical" else self.features
        shapes: dict[str, tuple[int, ...]] = {
            "hidden": (self.layers, self.hidden),
            "cell": (self.cell_rows, self.hidden),
            "last": (width,),
        }
        return shapes | {"recent": (self.span,)} if self.frame else shapes

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
        if not isinstance(shape.cell, str) or shape.cell not in GATES or shape.head not in HEADS:
            raise CheckpointError(f"its network has the unknown cell or head {shape.cell!r}, {shape.head!r}")
        needed = {"layers": shape.layers, "hidden": shape.hidden}
        if shape.head != "categorical":
            needed |= {"features": shape.features}
        else:
            needed |= {
                "stages": shape.stages,
                "classes": shape.classes,
                "embedding": shape.embedding,
                "head_hidden": shape.head_hidden,
            }
        tiers = {"frame": shape.frame, "reach": shape.reach, "conditioning": shape.conditioning}
        if any(tiers.values()):
            if shape.head != "categorical" or shape.stages != 1 or shape.cell == "conv":
                raise CheckpointError(
                    f"its network has two tiers, which take one code a step and a recurrent cell, not {shape.stages} "
                    f"codes, the head {shape.head!r} and the cell {shape.cell!r}"
                )
            needed |= tiers
        for name, size in needed.items():
            if type(size) is not int or not 1 <= size <= LARGEST:
                raise CheckpointError(f"its network's {name} is {size!r}, not a whole number from 1 to {LARGEST}")
        if shape.cell == "conv" and shape.layers > MOST_CONV_LAYERS:
            raise CheckpointError(f"its network has {shape.layers} convolutions; at most {MOST_CONV_LAYERS} are taken")
        return shape
