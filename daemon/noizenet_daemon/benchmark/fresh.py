"""Checkpoints with the networks of the recipes, freshly initialised: they cost what trained ones cost.

The codecs have the recipes' sizes and made-up numbers. `tests/test_fresh.py` holds the sizes against the recipes.
"""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.codecs import Codec
from noizenet.network import NetworkShape

Array = NDArray[Any]
Cell = Literal["rnn", "lstm", "gru", "conv"]
PAPER_RATE = 22_050

# Recipes that differ from another in their training alone, and play the same network.
SAME_NETWORK = {"paper-shuffled": "paper-lstm", "paper-windows": "paper-lstm"}


def fresh_weights(network: NetworkShape, seed: int = 0) -> dict[str, Array]:
    """Returns weights as PyTorch would begin with: uniform in ±1 / sqrt(hidden)."""
    rng = np.random.default_rng(seed)
    bound = 1.0 / np.sqrt(network.hidden)
    shapes = network.tensor_shapes()
    return {name: rng.uniform(-bound, bound, shape).astype(np.float32) for name, shape in shapes.items()}


def fresh_checkpoint(name: str) -> Checkpoint:
    """Returns a checkpoint of a recipe's network, one of `FRESH`."""
    network, codec = FRESH[name]()
    return Checkpoint(network, fresh_weights(network), codec, name=name)


def lstm_of(hidden: int) -> Checkpoint:
    """Returns the paper's network in another size: an LSTM of two layers, one number in and one out."""
    network, codec = _amplitude("lstm", hidden=hidden)
    return Checkpoint(network, fresh_weights(network), codec, name=f"lstm-{hidden}")


def _amplitude(
    cell: Cell, hidden: int = 50, sample_rate: int = PAPER_RATE, head: Literal["linear", "gaussian"] = "linear"
) -> tuple[NetworkShape, Codec]:
    from noizenet.codecs.amplitude import AmplitudeCodec
    from noizenet.codecs.scaling import zscore

    return NetworkShape(cell, 2, hidden, head, features=1), AmplitudeCodec(sample_rate, zscore(0.0, 0.25))


def _features() -> tuple[NetworkShape, Codec]:
    from noizenet.codecs.amplitude import AmplitudeCodec
    from noizenet.codecs.listening import WIDTHS, Listening
    from noizenet.codecs.scaling import Scaler

    window, names = 2048, tuple(WIDTHS)
    filters = {"onset": np.ones((128, window // 2 + 1)), "chroma": np.ones((12, window // 2 + 1))}
    listening = Listening(
        names, window, window // 4, {name: array.astype(np.float32) for name, array in filters.items()}
    )
    width = 1 + listening.width
    scaler = Scaler("zscore", np.zeros(width, np.float32), np.ones(width, np.float32))
    return NetworkShape("lstm", 2, 50, "linear", features=width), AmplitudeCodec(PAPER_RATE, scaler, listening)


def _spectrum() -> tuple[NetworkShape, Codec]:
    from noizenet.codecs.scaling import zscore
    from noizenet.codecs.spectrum import SpectrumCodec

    return NetworkShape("lstm", 2, 50, "linear", features=1), SpectrumCodec(PAPER_RATE, 1 << 14, zscore(0.0, 5.0))


def _frames() -> tuple[NetworkShape, Codec]:
    from noizenet.codecs.fft import FftCodec
    from noizenet.codecs.scaling import Scaler

    window = 1024
    bins = window // 2 + 1
    logs = -5.0 - 0.5 * np.log1p(np.arange(bins))
    shift, scale = np.concatenate([logs, np.zeros(bins)]), np.ones(2 * bins)
    numbers = Scaler("zscore", shift.astype(np.float32), scale.astype(np.float32))
    codec = FftCodec(PAPER_RATE, window, window // 4, "polar", 1e-4, numbers, np.ones(bins, np.float32))
    return NetworkShape("lstm", 2, 256, "gaussian", features=codec.width), codec


def _mulaw(
    cell: Cell, layers: int, hidden: int, head_hidden: int, sample_rate: int = PAPER_RATE
) -> tuple[NetworkShape, Codec]:
    from noizenet.codecs.mulaw import MulawCodec

    network = NetworkShape(cell, layers, hidden, "categorical", 1, 256, embedding=32, head_hidden=head_hidden)
    return network, MulawCodec(sample_rate)


def _samplernn() -> tuple[NetworkShape, Codec]:
    from noizenet.codecs.mulaw import MulawCodec

    sizes = {"embedding": 8, "head_hidden": 192, "frame": 32, "reach": 32, "conditioning": 64}
    return NetworkShape("lstm", 1, 256, "categorical", 1, 256, **sizes), MulawCodec(PAPER_RATE, 0.5, 0.86)


def _tokens(cell: Cell, layers: int, sample_rate: int, window: int) -> tuple[NetworkShape, Codec]:
    from noizenet.codecs.bands import new_bands
    from noizenet.codecs.tokens import TokensCodec

    axes, stages, classes = 256, 4, 128
    rng = np.random.default_rng(0)
    logs = -4.5 - 0.5 * np.log1p(np.arange(window // 2 + 1))
    levels = 0.5 * np.log(np.add.reduceat(np.exp(2.0 * logs), new_bands(sample_rate, window).edges[:-1]))
    mean = np.concatenate([logs, levels]).astype(np.float32)
    components = (rng.standard_normal((axes, len(mean))) / np.sqrt(len(mean))).astype(np.float32)
    codebooks = rng.standard_normal((stages, classes, axes)) * (3.0 / (1.0 + np.arange(stages)))[:, None, None]
    codec = TokensCodec(
        sample_rate, window, window // 4, 1e-4, mean, components, codebooks.astype(np.float32), levels=True
    )
    return NetworkShape(cell, layers, 256, "categorical", stages, classes, embedding=64, head_hidden=192), codec


# Each recipe whose network is its own. The last two are `--recipe paper-mulaw --set cell=rnn` and `cell=gru`.
FRESH: dict[str, Callable[[], tuple[NetworkShape, Codec]]] = {
    "paper-rnn": lambda: _amplitude("rnn"),
    "paper-lstm": lambda: _amplitude("lstm"),
    "paper-gru": lambda: _amplitude("gru"),
    "paper-gaussian": lambda: _amplitude("lstm", head="gaussian"),
    "paper-features": _features,
    "paper-fft": _spectrum,
    "paper-stft": _frames,
    "paper-cnn": lambda: _tokens("conv", 7, PAPER_RATE, 2048),
    "paper-mulaw": lambda: _mulaw("lstm", 2, 50, 64),
    "paper-mulaw-rnn": lambda: _mulaw("rnn", 2, 50, 64),
    "paper-mulaw-gru": lambda: _mulaw("gru", 2, 50, 64),
    "amplitude": lambda: _amplitude("lstm", 100, 16_000),
    "mulaw": lambda: _mulaw("lstm", 1, 192, 96, 16_000),
    "samplernn": _samplernn,
    "tokens": lambda: _tokens("lstm", 2, 44_100, 4096),
}
