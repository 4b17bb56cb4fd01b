"""Codec amplitude: scalers and features in one step, files of the first version, and playing from a file."""

import tracemalloc
from pathlib import Path

import numpy as np
import pytest

from making import amplitude_checkpoint, listening_checkpoint, listening_codec, melody
from noizenet.checkpoint import Checkpoint
from noizenet.codecs import codec_type
from noizenet.codecs.amplitude import AmplitudeCodec
from noizenet.codecs.scaling import SCALERS
from noizenet.errors import CheckpointError
from noizenet_daemon.generator import Generator
from noizenet_training.codecs.codec_fitting import fit_codec
from noizenet_training.recipe import Recipe

RATE = 8000
FEATURES = ("none", "rms", "onset", "chroma", "all")


def fitted(scaler: str = "zscore", features: str = "none") -> AmplitudeCodec:
    music = melody(2.0, RATE)
    recipe = Recipe(codec="amplitude", scaler=scaler, features=features)
    codec = fit_codec(recipe, [music[:9000], music[9000:]], RATE, seed=0)
    assert isinstance(codec, AmplitudeCodec)
    return codec


@pytest.mark.parametrize("scaler", SCALERS)
def test_the_recipe_s_scaler_is_fitted_and_inverted(scaler: str) -> None:
    codec = fitted(scaler)
    assert codec.scaler.kind == scaler
    music = melody(1.0, RATE)
    steps = codec.encode((), music)
    out = np.zeros(len(music), np.float32)
    codec.decode((), steps, out)
    kept = np.abs(steps[:, 0]) < 3.0 if scaler == "clip" else np.ones(len(music), bool)
    assert np.abs(out - music)[kept].max() < 2e-7


@pytest.mark.parametrize(("features", "width"), list(zip(FEATURES, (1, 2, 2, 13, 15), strict=True)))
def test_each_feature_is_scaled_beside_the_amplitude(features: str, width: int) -> None:
    codec = fitted(features=features)
    assert codec.width == width
    music = melody(2.0, RATE)
    steps = np.concatenate([codec.encode(codec.new_encoder_state(), part) for part in (music[:9000], music[9000:])])
    assert np.abs(steps.mean(axis=0)).max() < 1e-3  # these are the stretches that it was fitted to
    assert steps.std(axis=0) == pytest.approx(1.0, abs=2e-3)
    assert np.array_equal(steps[:9000, :1], fitted().encode((), music[:9000]))


def test_only_the_amplitude_of_a_step_is_played() -> None:
    codec = listening_codec()
    steps = codec.encode(codec.new_encoder_state(), melody(0.1, RATE))
    out, again = np.zeros((2, len(steps)), np.float32)
    codec.decode((), steps, out)
    steps[:, 1:] = 1e6
    codec.decode((), steps, again)
    assert out == pytest.approx(melody(0.1, RATE), abs=1e-6)
    assert np.array_equal(out, again)


@pytest.mark.parametrize("kind", SCALERS)
def test_decoding_allocates_no_arrays(kind: str) -> None:
    codec = listening_codec(kind=kind)
    steps = np.full((20_000, 15), 0.1, np.float32)
    out = np.zeros(20_000, np.float32)
    codec.decode((), steps[:1], out[:1])
    tracemalloc.start()
    try:
        codec.decode((), steps, out)
        borrowed = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert borrowed < 8192  # views: 1 to 2 kB were seen


def test_a_codec_of_the_first_version_decodes_as_it_did() -> None:
    arrays = {"mean": np.array([0.013], np.float32), "scale": np.array([0.21], np.float32)}
    codec = codec_type("amplitude").from_parts({"sample_rate": RATE}, arrays)
    music = melody(0.5, RATE)
    steps = codec.encode(codec.new_encoder_state(), music)
    assert np.array_equal(steps[:, 0], (music - np.float32(0.013)) / np.float32(0.21))
    out = np.zeros(len(music), np.float32)
    codec.decode(codec.new_decoder_state(), steps, out)
    assert np.array_equal(out, steps[:, 0] * np.float32(0.21) + np.float32(0.013))


@pytest.mark.parametrize("half", [False, True])
def test_a_checkpoint_with_features_plays_from_its_file(half: bool, tmp_path: Path) -> None:
    made = listening_checkpoint()
    made.save(tmp_path / "made.safetensors", half=half)
    loaded = Checkpoint.load(tmp_path / "made.safetensors")
    assert loaded.codec.width == 15
    generator = Generator(loaded)
    state, _ = generator.primed_state("perlin", seed=1)
    block = np.zeros((generator.chunk_frames, generator.channels), np.float32)
    generator.generate(state, generator.controls(_defaults()), block)
    assert block.any()
    assert np.isfinite(block).all()


def _defaults() -> dict[str, object]:
    from noizenet.protocol import PARAMETERS

    return {name: parameter.default for name, parameter in PARAMETERS.items()}


def test_arrays_that_no_feature_needs_are_refused() -> None:
    codec = amplitude_checkpoint().codec
    with pytest.raises(CheckpointError, match=r"has the unknown filters\.chroma"):
        AmplitudeCodec.from_parts(codec.options(), codec.arrays() | {"filters.chroma": np.ones((12, 65))})


def test_scales_of_the_amplitude_alone_do_not_serve_features() -> None:
    codec = listening_codec()
    alone = {name: array[:1] for name, array in codec.scaler.arrays().items()}
    with pytest.raises(CheckpointError, match=r"need the shape \(15,\) both; they have \(1,\) and \(1,\)"):
        AmplitudeCodec.from_parts(codec.options(), codec.arrays() | alone)
