"""Small sounds and small checkpoints, made on the spot for the tests.

The checkpoints have random weights: they are valid in every respect and sound like nothing.
"""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
import soundfile
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint, State
from noizenet.codecs.amplitude import AmplitudeCodec
from noizenet.codecs.bands import new_bands
from noizenet.codecs.fft import FftCodec, numbers_in_step
from noizenet.codecs.listening import Listening
from noizenet.codecs.mulaw import MulawCodec
from noizenet.codecs.scaling import Scaler, zscore
from noizenet.codecs.spectrum import SpectrumCodec
from noizenet.codecs.tokens import TokensCodec
from noizenet.memory import Memory, decoded, encoded, remembered_frames, skipped_frames
from noizenet.network import NetworkShape
from noizenet_daemon.benchmark.fresh import fresh_weights

Array = NDArray[Any]
Cell = Literal["rnn", "lstm", "gru", "conv"]


def tone(seconds: float, sample_rate: int = 22050, frequency: float = 440.0, amplitude: float = 0.5) -> Array:
    """Returns a sine, float32 (samples,)."""
    time = np.arange(round(seconds * sample_rate)) / sample_rate
    return (amplitude * np.sin(2 * np.pi * frequency * time)).astype(np.float32)


def melody(seconds: float, sample_rate: int = 22050, seed: int = 0) -> Array:
    """Returns four plucked notes a second with three partials each, float32 (samples,), peak 0.5."""
    rng = np.random.default_rng(seed)
    total = round(seconds * sample_rate)
    length = sample_rate // 4
    time = np.arange(length) / sample_rate
    notes = []
    for _ in range(-(-total // length)):
        frequency = 220.0 * 2.0 ** (rng.choice([0, 2, 4, 7, 9, 12]) / 12.0)
        partials = sum(np.sin(2 * np.pi * frequency * k * time) / k for k in (1, 2, 3))
        notes.append(partials * np.exp(-6.0 * time))
    samples = np.concatenate(notes)[:total]
    return (0.5 * samples / np.abs(samples).max()).astype(np.float32)


def stereo_melody(seconds: float, sample_rate: int = 22050, seed: int = 0) -> Array:
    """Returns two melodies, one on the left, one nearer to the right, float32 (samples, 2)."""
    left, right = melody(seconds, sample_rate, seed), melody(seconds, sample_rate, seed + 1)
    return np.stack([left + 0.2 * right, 0.8 * right], axis=1) * np.float32(0.5)


def write_sound(path: Path, samples: Array, sample_rate: int = 22050) -> Path:
    """Writes samples (frames,) or (frames, channels) to a file of the format that its name asks for."""
    soundfile.write(path, samples, sample_rate)
    return path


def random_states(network: NetworkShape, names: Sequence[str], seed: int = 0) -> dict[str, State]:
    """Returns a hidden state for each name."""
    rng = np.random.default_rng(seed)
    states = {}
    for name in names:
        state: State = {
            part: rng.uniform(-0.5, 0.5, shape).astype(np.float32) for part, shape in network.state_shapes().items()
        }
        if network.head == "categorical":
            state["last"] = rng.integers(0, network.classes, network.stages, dtype=np.int32)
        if network.frame:
            state["recent"] = rng.integers(0, network.classes, network.span, dtype=np.int32)
            state["recent"][-1] = state["last"][0]
        states[name] = state
    return states


def tokens_codec(
    sample_rate: int = 22050,
    window: int = 256,
    hop: int = 64,
    axes: int = 6,
    stages: int = 2,
    classes: int = 8,
    seed: int = 0,
    channels: int = 1,
    levels: bool = False,
) -> TokensCodec:
    """Returns a codec of random spectra that fall towards the high bins, at about -20 dBFS; two channels are wide."""
    rng = np.random.default_rng(seed)
    levels = levels or channels > 1
    logs = -4.5 - 0.5 * np.log1p(np.arange(window // 2 + 1))
    edges = new_bands(sample_rate, window).edges
    rows = [logs]
    if levels:
        rows.append(0.5 * np.log(np.add.reduceat(np.exp(2.0 * logs), edges[:-1])))
    if channels > 1:
        rows += [np.full(len(edges) - 1, 0.3), np.full(len(edges) - 1, -0.7)]
    mean = np.concatenate(rows).astype(np.float32)
    components = np.linalg.qr(rng.standard_normal((len(mean), axes)))[0].T.astype(np.float32)
    codebooks = rng.standard_normal((stages, classes, axes)) * (3.0 / (1.0 + np.arange(stages)))[:, None, None]
    components, codebooks = np.ascontiguousarray(components), codebooks.astype(np.float32)
    return TokensCodec(sample_rate, window, hop, 1e-5, mean, components, codebooks, channels, levels)


def tokens_checkpoint(
    cell: Cell = "lstm",
    layers: int = 1,
    hidden: int = 16,
    seed: int = 0,
    states: Sequence[str] = ("1", "2"),
    **codec_options: int,
) -> Checkpoint:
    """Returns a checkpoint of the codec tokens; `codec_options` are those of `tokens_codec`."""
    codec = tokens_codec(seed=seed, **codec_options)
    network = NetworkShape(cell, layers, hidden, "categorical", codec.width, codec.classes, embedding=6, head_hidden=12)
    return _checkpoint(network, codec, seed, states)


def stereo_checkpoint(
    cell: Cell = "lstm", layers: int = 1, hidden: int = 16, seed: int = 0, sample_rate: int = 22050
) -> Checkpoint:
    """Returns a checkpoint of the codec tokens with two channels."""
    return tokens_checkpoint(cell, layers, hidden, seed, sample_rate=sample_rate, channels=2)


def with_memory(checkpoint: Checkpoint, stretches: Sequence[Array], pace_s: float = 0.3, axes: int = 8) -> Checkpoint:
    """Returns a tokens checkpoint that remembers sounds, float32 (samples,) or (samples, 2); its keys are random."""
    codec, hidden = checkpoint.codec, checkpoint.network.hidden
    rng = np.random.default_rng(0)
    sound = np.concatenate([part.reshape(len(part), -1) for part in stretches])
    skipped = skipped_frames(codec)
    codes = [codec.encode(codec.new_encoder_state(), part)[skipped:] for part in stretches]
    assert [len(part) for part in codes] == [remembered_frames(len(part), codec) for part in stretches]
    keys = rng.standard_normal((sum(map(len, codes)), axes))
    ogg = encoded(sound, codec.sample_rate)
    memory = Memory(
        codec.sample_rate,
        ogg,
        decoded(ogg, codec.sample_rate),
        np.array([len(part) for part in stretches], np.int32),
        np.concatenate(codes),
        (keys / np.linalg.norm(keys, axis=1, keepdims=True)).astype(np.float32),
        rng.standard_normal((axes, hidden)).astype(np.float32),
        np.zeros(hidden, np.float32),
        pace_s,
    )
    return replace(checkpoint, memory=memory)


def memory_checkpoint(
    cell: Cell = "lstm", layers: int = 1, hidden: int = 16, seed: int = 0, sample_rate: int = 22050
) -> Checkpoint:
    """Returns a checkpoint of the codec tokens that remembers four and three seconds of melodies."""
    checkpoint = tokens_checkpoint(cell, layers, hidden, seed, sample_rate=sample_rate)
    return with_memory(checkpoint, [melody(4.0, sample_rate), melody(3.0, sample_rate, seed=1)])


def broken_checkpoint() -> Checkpoint:
    """Returns a checkpoint whose network puts out nothing but NaN, as no file can hold it."""
    checkpoint = tokens_checkpoint()
    checkpoint.weights["rnn.bias_ih_l0"][:] = np.nan
    return checkpoint


def mulaw_checkpoint(
    cell: Cell = "lstm", layers: int = 1, hidden: int = 16, seed: int = 0, sample_rate: int = 8000
) -> Checkpoint:
    """Returns a checkpoint of the codec mulaw."""
    network = NetworkShape(cell, layers, hidden, "categorical", 1, 256, embedding=6, head_hidden=12)
    return _checkpoint(network, MulawCodec(sample_rate), seed, ("1",))


def tiered_checkpoint(
    cell: Literal["rnn", "lstm", "gru"] = "lstm",
    layers: int = 1,
    hidden: int = 16,
    seed: int = 0,
    sample_rate: int = 8000,
    *,
    frame: int = 4,
    reach: int = 6,
    embedding: int = 5,
    conditioning: int = 7,
    head_hidden: int = 12,
) -> Checkpoint:
    """Returns a checkpoint of the codec mulaw, with pre-emphasis, whose network has two tiers."""
    sizes = {"embedding": embedding, "head_hidden": head_hidden}
    tiers = {"frame": frame, "reach": reach, "conditioning": conditioning}
    network = NetworkShape(cell, layers, hidden, "categorical", 1, 256, **sizes, **tiers)
    return _checkpoint(network, MulawCodec(sample_rate, 0.5, 0.8), seed, ("1",))


def amplitude_checkpoint(
    cell: Cell = "lstm",
    layers: int = 1,
    hidden: int = 16,
    seed: int = 0,
    sample_rate: int = 8000,
    head: Literal["linear", "gaussian"] = "linear",
) -> Checkpoint:
    """Returns a checkpoint of the codec amplitude, the paper's."""
    network = NetworkShape(cell, layers, hidden, head, features=1)
    return _checkpoint(network, AmplitudeCodec(sample_rate, zscore(0.0, 0.25)), seed, ("1",))


def listening_codec(sample_rate: int = 8000, kind: str = "zscore", seed: int = 0) -> AmplitudeCodec:
    """Returns a codec amplitude with all features: a small window, random filters, random scales."""
    rng = np.random.default_rng(seed)
    filters = {"onset": rng.uniform(0.0, 0.1, (6, 65)), "chroma": rng.uniform(0.0, 1.0, (12, 65))}
    listening = Listening(("rms", "onset", "chroma"), 128, 32, {k: v.astype(np.float32) for k, v in filters.items()})
    shift, scale = (rng.uniform(low, 1.0, 15).astype(np.float32) for low in (-1.0, 0.1))
    return AmplitudeCodec(sample_rate, Scaler(kind, shift, scale), listening)


def listening_checkpoint(
    cell: Cell = "lstm", layers: int = 1, hidden: int = 16, seed: int = 0, sample_rate: int = 8000
) -> Checkpoint:
    """Returns a checkpoint of the codec amplitude whose network hears all features too."""
    network = NetworkShape(cell, layers, hidden, "linear", features=15)
    return _checkpoint(network, listening_codec(sample_rate), seed, ("1",))


def gaussian_checkpoint(
    cell: Cell = "lstm", layers: int = 1, hidden: int = 16, seed: int = 0, sample_rate: int = 8000
) -> Checkpoint:
    """Returns a checkpoint of the codec amplitude whose network draws each sample from a normal distribution."""
    return amplitude_checkpoint(cell, layers, hidden, seed, sample_rate, head="gaussian")


def fft_codec(
    view: str = "polar", sample_rate: int = 8000, window: int = 256, hop: int = 64, scaler: str = "zscore"
) -> FftCodec:
    """Returns a codec whose steps of zeros are a hiss at about -30 dBFS that falls towards the high bins."""
    bins = window // 2 + 1
    logs = -5.0 - 0.5 * np.log1p(np.arange(bins))
    widths = np.exp(logs)
    shift, scale = {
        "complex": (np.zeros(window), np.concatenate([widths, widths[1:-1]])),
        "polar": (np.concatenate([logs, np.zeros(bins)]), np.ones(2 * bins)),
        "magnitude": (logs, np.ones(bins)),
    }[view]
    assert len(shift) == numbers_in_step(view, window)
    numbers = Scaler(scaler, shift.astype(np.float32), scale.astype(np.float32))
    return FftCodec(sample_rate, window, hop, view, 1e-5, numbers, np.full(bins, 1.0, np.float32))


def fft_checkpoint(
    cell: Cell = "lstm",
    layers: int = 1,
    hidden: int = 16,
    seed: int = 0,
    view: str = "polar",
    head: Literal["linear", "gaussian"] = "linear",
) -> Checkpoint:
    """Returns a checkpoint of the codec fft."""
    codec = fft_codec(view)
    network = NetworkShape(cell, layers, hidden, head, features=codec.width)
    return _checkpoint(network, codec, seed, ("1",))


def spectrum_checkpoint(
    cell: Cell = "lstm", layers: int = 1, hidden: int = 16, seed: int = 0, sample_rate: int = 8000, clip: int = 1024
) -> Checkpoint:
    """Returns a checkpoint of the codec spectrum, the paper's view of frequency."""
    network = NetworkShape(cell, layers, hidden, "linear", features=1)
    return _checkpoint(network, SpectrumCodec(sample_rate, clip, zscore(0.0, 5.0)), seed, ("1",))


def _checkpoint(network: NetworkShape, codec: Any, seed: int, states: Sequence[str]) -> Checkpoint:
    return Checkpoint(
        network,
        fresh_weights(network, seed),
        codec,
        random_states(network, states, seed),
        corpus=[{"name": "made.wav", "seconds": 2.5, "sha256": "ab" * 32}],
        training={"recipe": "none", "steps": 0, "losses": [3.0, 2.5, 2.25, 2.0, 1.75]},
        licence="public domain",
        attribution="made by the tests",
    )
