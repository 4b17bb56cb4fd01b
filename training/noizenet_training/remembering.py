"""Making a memory: the corpus' sound, with the hidden state that the network has after each of its frames."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.decomposition import PCA

from noizenet.codecs.tokens import TokensCodec
from noizenet.memory import Memory, decoded, encoded, skipped_frames
from noizenet_training.learning.losses import step_tensor
from noizenet_training.learning.networks import Network
from noizenet_training.sounds.excerpts import spread_pieces

Array = NDArray[Any]

MOST_AXES = 32  # of hidden states
USUAL_PACE_S = 1.0
LEAST_S = 2.5  # a shorter memory would be a loop


class Remembering:
    """The parts of a corpus that a checkpoint is to remember, ready to be seen by any weights.

    Args:
        stretches: audible parts of the corpus, float32 (samples,) or (samples, channels).
        seconds: how much of it at most.
    """

    def __init__(self, codec: TokensCodec, stretches: Sequence[Array], seconds: float) -> None:
        kept = spread_pieces(stretches, codec.sample_rate, seconds, 2 * codec.window)
        self.is_possible = sum(map(len, kept)) >= LEAST_S * codec.sample_rate
        self._codec = codec
        self._lengths = np.array([len(part) for part in kept], np.int32)
        if not self.is_possible:
            return
        self._steps = [codec.encode(codec.new_encoder_state(), part) for part in kept]
        sound = np.concatenate([part.reshape(len(part), -1) for part in kept])
        self._ogg = encoded(sound, codec.sample_rate)
        self._sound = decoded(self._ogg, codec.sample_rate)

    def memory(self, network: Network, pace_s: float) -> Memory | None:
        """Returns what a network remembers; None if the corpus is too short to go about in."""
        if not self.is_possible:
            return None
        skipped = skipped_frames(self._codec)
        states = np.concatenate([_hidden_after(network, steps)[skipped:] for steps in self._steps])
        centre = states.mean(axis=0)
        axes = min(MOST_AXES, states.shape[1], len(states) - 1)
        principal = PCA(axes, svd_solver="randomized", random_state=0).fit(states)
        components = np.ascontiguousarray(principal.components_, np.float32)
        keys = (states - centre) @ components.T
        keys /= np.maximum(np.linalg.norm(keys, axis=1, keepdims=True), 1e-6)
        return Memory(
            self._codec.sample_rate,
            self._ogg,
            self._sound,
            self._lengths,
            np.concatenate([steps[skipped:] for steps in self._steps]).astype(np.int32),
            keys.astype(np.float32),
            components,
            np.asarray(centre, np.float32),
            pace_s,
        )


def _hidden_after(network: Network, steps: Array) -> Array:
    """Returns the last layer's hidden state after hearing each of the steps (n, width), (n, hidden)."""
    network.eval()
    with torch.inference_mode():
        outputs, _ = network.recur(step_tensor(steps[None], network.device), network.new_state(1))
    return np.asarray(outputs[0].float().cpu().numpy(), np.float32)
