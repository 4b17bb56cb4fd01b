"""Mixed precision: products in 16 bits where a GPU is fast at them, sums and weights in 32.

On a CPU nothing is changed unless the recipe asks for it. On a GPU the network's products are taken in bfloat16, or in
float16 where a GPU knows no bfloat16. cuDNN's recurrent kernels compute in float16 in either case, in which small
gradients would vanish: losses are multiplied before the way back, by as much as the gradients bear, and gradients
divided by it again before they are used.

Source: Micikevicius et al., "Mixed precision training", arXiv:1710.03740, for the factor and how it is found.
"""

from contextlib import AbstractContextManager
from typing import Any

import torch

KINDS = {"bfloat16": torch.bfloat16, "float16": torch.float16}


class Precision:
    """How one training computes.

    Attributes:
        kind: of the products: torch.bfloat16 or torch.float16; None = single precision throughout.
        is_scaled: whether losses are multiplied, so that infinite gradients now and then mean nothing.
    """

    def __init__(self, wanted: str, device: torch.device) -> None:
        """Args:
        wanted: the recipe's `precision`: auto, single, bfloat16 or float16.
        """
        self._device = device
        self.kind = KINDS.get(wanted)
        if wanted == "auto" and device.type == "cuda":
            self.kind = torch.bfloat16 if torch.cuda.is_bf16_supported() else torch.float16
        self.is_scaled = self.kind is not None and (device.type == "cuda" or self.kind == torch.float16)
        self._scaler = torch.amp.GradScaler(device.type, enabled=self.is_scaled)

    def in_words(self) -> str:
        """Returns what the network is trained on, and how: "cuda, bfloat16"."""
        name = torch.cuda.get_device_name(self._device) if self._device.type == "cuda" else self._device.type
        return f"{name}, {str(self.kind).removeprefix('torch.') if self.kind else 'single precision'}"

    def autocast(self) -> AbstractContextManager[Any]:
        """Returns the context in which the way forward is computed."""
        return torch.autocast(self._device.type, self.kind, enabled=self.kind is not None)

    def factor(self) -> float:
        """Returns what losses are to be multiplied by before the way back; 1 if they aren't."""
        return float(self._scaler.scale(torch.ones((), device=self._device))) if self.is_scaled else 1.0

    def unscale(self, optimiser: torch.optim.Optimizer) -> None:
        """Divides the gradients by the factor again."""
        self._scaler.unscale_(optimiser)

    def step(self, optimiser: torch.optim.Optimizer) -> None:
        """Lets the optimiser step; not if gradients were infinite, which lowers the factor instead."""
        self._scaler.step(optimiser)
        self._scaler.update()

    def to_plain(self) -> dict[str, Any]:
        """Returns what a resumed training needs: the factor and its history; nothing if losses aren't multiplied."""
        return dict(self._scaler.state_dict())

    def take_up(self, plain: dict[str, Any]) -> None:
        """Goes back to where `to_plain` was called."""
        if plain and self.is_scaled:
            self._scaler.load_state_dict(plain)
