"""From what the cells say to the next step, for all voices at once: logits, codes, features."""

import torch
from torch import Tensor
from torch.nn import functional

from noizenet.network import LOG_DEVIATION_RANGE, NetworkShape
from noizenet_daemon.tensors.draws import normals


class CodeHead:
    """Scores the stages of a step of codes, each given those before it; of two tiers, the perceptron's upper layers."""

    def __init__(self, shape: NetworkShape, weights: dict[str, Tensor]) -> None:
        self._embedding = weights["embedding"]
        self._mix = (weights["mix.weight"], weights["mix.bias"]) if shape.frame else None
        kinds = ("weight", "bias")
        self._output = [[weights[f"output.{stage}.{kind}"] for kind in kinds] for stage in range(shape.stages)]
        self._condition = []
        if not shape.frame:
            self._condition = [
                [weights[f"condition.{stage}.{kind}"] for kind in kinds] for stage in range(shape.stages)
            ]

    def logits(self, told: Tensor, codes: list[Tensor]) -> Tensor:
        """Returns the logits of a stage, (V, classes).

        Args:
            told: by the layers below, (V, H); of two tiers (V, D).
            codes: of the stages before it, int64 (V,) each, -1 for none.
        """
        stage = len(codes)
        if self._mix:
            units = functional.linear(torch.relu(told), *self._mix)
        else:
            embedded = [self._embedding[before, code.clamp_min(0)] for before, code in enumerate(codes)]
            units = functional.linear(torch.cat([told, *embedded], 1), *self._condition[stage])
        return functional.linear(torch.relu(units), *self._output[stage])


def drawn_code(logits: Tensor, temperature: Tensor, top_p: Tensor | None, chance: Tensor) -> Tensor:
    """Returns the class that `chance` falls on, int64 (V,); -1 where NaN or plus infinity is among the logits.

    Args:
        logits: (V, classes).
        temperature, chance: float64 (V, 1); 0 <= chance < 1.
        top_p: float64 (V, 1), the probability mass that is drawn from; None = all of it, for all voices.
    """
    probabilities = torch.softmax(logits.double() / temperature, 1)
    is_none = probabilities.isnan().any(1)
    if top_p is not None:
        ordered, order = torch.sort(probabilities, stable=True, dim=1, descending=True)
        kept = ordered * (ordered.cumsum(1) - ordered < top_p)
        nucleus = torch.zeros_like(probabilities).scatter(1, order, kept / kept.sum(1, keepdim=True))
        probabilities = torch.where(top_p < 1.0, nucleus, probabilities)
    code = (probabilities.cumsum(1) <= chance).sum(1)
    # rounding may leave a little over behind the last
    return code.clamp_max(logits.shape[1] - 1).masked_fill(is_none, -1)


class FeatureHead:
    """Puts out the features of a step: a linear layer, or what it says of normal distributions drawn from."""

    def __init__(self, shape: NetworkShape, weights: dict[str, Tensor]) -> None:
        self._is_drawn = shape.head == "gaussian"
        self._output = weights["output.0.weight"], weights["output.0.bias"]

    def expected(self, told: Tensor) -> Tensor:
        """Returns the likeliest features, (V, F): those of the linear head, or the means."""
        outputs = functional.linear(told, *self._output)
        return outputs.chunk(2, 1)[0] if self._is_drawn else outputs

    def drawn(self, told: Tensor, temperature: Tensor, uniforms: Tensor) -> Tensor:
        """Returns the next features, (V, F).

        Args:
            told: by the top layer, (V, H).
            temperature: float64 (V, 1).
            uniforms: random numbers, float64 (V, 2 F), of the linear head (V, 0).
        """
        if not self._is_drawn:
            return self.expected(told)
        mean, log_deviation = functional.linear(told, *self._output).chunk(2, 1)
        draws = (temperature * normals(uniforms)).float()
        return mean + draws * torch.exp(log_deviation.clamp(*LOG_DEVIATION_RANGE))
