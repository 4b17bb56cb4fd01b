"""Disturbing what the network hears in training; what it is asked for stays clean.

So it learns to find its way back, as it must when it plays on from its own mistakes: from noise on its inputs, from
codes replaced by any other, and from parts that it hears too soft, after which all is to go on as loud as ever. Without
those, a network that draws samples and happens to fall silent has never heard anything begin after that, and stays so.

Source: Valin and Skoglund, "LPCNet", ICASSP 2019, for noise on the inputs of free-running audio networks.
"""

import numpy as np
import torch
from torch import Tensor

from noizenet.codecs.mulaw import code_levels
from noizenet.network import NetworkShape
from noizenet_training.recipe import Recipe

SOFTER_DB = (50.0, 90.0)  # below all music, but not below the silence that it might fall into


def disturbed(inputs: Tensor, shape: NetworkShape, recipe: Recipe, generator: torch.Generator) -> Tensor:
    """Returns inputs made softer (`softening`) and noisy (`input_noise`), some codes replaced by others (`corruption`).

    Codes that are made softer or noisy must lie in the order of what they stand for: noise moves them by whole codes.
    """
    is_categorical = shape.head == "categorical"
    if recipe.softening and is_categorical:
        inputs = _softened(inputs, recipe.softening, generator)
    if recipe.input_noise:
        noise = recipe.input_noise * torch.randn(inputs.shape, generator=generator)
        inputs = (inputs + noise.round().long()).clamp(0, shape.classes - 1) if is_categorical else inputs + noise
    if not is_categorical or not recipe.corruption:
        return inputs
    struck = torch.rand(inputs.shape, generator=generator) < recipe.corruption
    drawn = torch.randint(shape.classes, inputs.shape, generator=generator)
    return torch.where(struck, drawn, inputs)


def _softened(codes: Tensor, share: float, generator: torch.Generator) -> Tensor:
    """Returns mu-law codes (streams, time, 1), a share of the streams softer by one gain each within `SOFTER_DB`.

    From the first step or any later one, up to the last or any earlier one: each as often.
    """
    streams, time = codes.shape[:2]
    softened = codes.clone()
    levels = torch.from_numpy(code_levels().astype(np.float32))
    borders = 0.5 * (levels[1:] + levels[:-1])
    for stream in torch.nonzero(torch.rand(streams, generator=generator) < share)[:, 0].tolist():
        from_first, start, to_last, length, loss = torch.rand(5, generator=generator).tolist()
        first = 0 if from_first < 0.5 else int(start * time)
        last = time if to_last < 0.5 else first + int(length * (time - first))
        gain = 10.0 ** (-(SOFTER_DB[0] + (SOFTER_DB[1] - SOFTER_DB[0]) * loss) / 20.0)
        softened[stream, first:last] = torch.bucketize(levels * gain, borders)[codes[stream, first:last]]
    return softened
