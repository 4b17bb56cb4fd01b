"""The codec spectrum: whole clips along frequency, as the paper's author had them."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from numba.core.runtime import _nrt_python, rtsys

from making import Array, melody, spectrum_checkpoint, write_sound
from noizenet.checkpoint import Checkpoint
from noizenet.codecs.scaling import SCALERS
from noizenet.codecs.spectrum import SpectrumCodec
from noizenet.errors import CheckpointError, SoundFileError, UsageError
from noizenet.network import NetworkShape
from noizenet.protocol import PARAMETERS
from noizenet_daemon.generator import Generator
from noizenet_daemon.performance import Performance, initial_states, render_frames
from noizenet_training.codecs.codec_fitting import fit_codec
from noizenet_training.learning.batches import encode_stretches, shifted
from noizenet_training.learning.networks import Network
from noizenet_training.recipe import Recipe
from noizenet_training.starts import start_states

RATE = 8000
CLIP = 1024


def fitted(samples: Array, scaler: str = "zscore") -> SpectrumCodec:
    codec = fit_codec(Recipe(codec="spectrum", scaler=scaler, clip_s=CLIP / RATE), [samples], RATE, 0)
    assert isinstance(codec, SpectrumCodec)
    return codec


def encode(codec: SpectrumCodec, samples: Array) -> Array:
    return codec.encode(codec.new_encoder_state(), samples)


def decode(codec: SpectrumCodec, steps: Array) -> Array:
    out = np.full(len(steps) // 2, np.nan, np.float32)
    codec.decode(codec.new_decoder_state(), steps, out)
    return out


def test_a_clip_is_its_real_parts_and_then_its_imaginary_parts_all_scaled_alike() -> None:
    samples = melody(0.5, RATE)
    codec = fitted(samples)
    assert (codec.clip, codec.hop, codec.group, codec.width, codec.delay) == (CLIP, CLIP, 2 * CLIP, 1, 0)
    clips = samples[: 3 * CLIP].astype(np.float64).reshape(3, CLIP)
    numbers = np.concatenate([np.concatenate([np.fft.fft(clip).real, np.fft.fft(clip).imag]) for clip in clips])
    expected = (numbers - numbers.mean()) / numbers.std()
    steps = encode(codec, samples)
    assert steps.shape == (3 * 2 * CLIP, 1)
    assert np.abs(steps[:, 0] - expected).max() < 1e-5  # measured: 1e-6


def test_the_clip_is_the_power_of_two_nearest_to_what_is_asked_for() -> None:
    codec = fit_codec(Recipe(codec="spectrum", clip_s=1.0), [np.zeros(22050, np.float32)], 22050, 0)
    assert codec.hop == 16384


@settings(deadline=None)
@given(sizes=st.lists(st.integers(0, 1500), max_size=12))
def test_encoding_in_blocks_equals_encoding_at_once(sizes: list[int]) -> None:
    codec, samples = fitted(melody(1.0, RATE)), melody(0.5, RATE)
    state = codec.new_encoder_state()
    blocks = np.split(samples, np.minimum(np.cumsum(sizes, dtype=int), len(samples)))
    assert np.array_equal(np.concatenate([codec.encode(state, block) for block in blocks]), encode(codec, samples))


def test_less_than_a_clip_is_no_step_yet() -> None:
    codec = fitted(melody(1.0, RATE))
    state = codec.new_encoder_state()
    assert codec.encode(state, melody(1.0, RATE)[: CLIP - 1]).shape == (0, 1)
    assert codec.encode(state, melody(1.0, RATE)[CLIP - 1 : CLIP]).shape == (2 * CLIP, 1)


# measured: 8e-7 with the worst scaler, minmax
@pytest.mark.parametrize("scaler", sorted({*SCALERS} - {"clip"}))
def test_what_is_encoded_comes_back(scaler: str) -> None:
    samples = melody(1.0, RATE)
    codec = fitted(samples, scaler)
    back = decode(codec, encode(codec, samples))
    assert len(back) == len(samples) // CLIP * CLIP
    assert np.abs(back - samples[: len(back)]).max() < 2e-6


def test_decoding_is_the_real_part_of_the_inverse_whatever_the_numbers() -> None:
    codec = fitted(melody(1.0, RATE))
    steps = np.random.default_rng(0).standard_normal((4 * CLIP, 1)).astype(np.float32)
    numbers = steps[:, 0] * codec.scaler.scale[0] + codec.scaler.shift[0]
    expected = [np.fft.ifft(clip[:CLIP] + 1j * clip[CLIP:]).real for clip in numbers.reshape(2, 2 * CLIP)]
    found = decode(codec, steps)
    assert np.abs(found - np.concatenate(expected)).max() < 1e-5 * np.abs(found).max()
    state, one = codec.new_decoder_state(), np.zeros((2, CLIP), np.float32)
    for clip, out in zip(steps.reshape(2, 2 * CLIP, 1), one, strict=True):
        codec.decode(state, clip, out)
    assert np.array_equal(one.reshape(-1), found)


def test_nan_goes_through() -> None:
    codec = fitted(melody(1.0, RATE))
    steps = np.zeros((2 * CLIP, 1), np.float32)
    steps[70] = np.nan
    assert np.isnan(decode(codec, steps)).any()


def test_decoding_allocates_nothing() -> None:
    """What is measured: numba's own count of allocations, the same for a clip as for one 16 times as long."""
    counts = []
    for clip in (CLIP, CLIP, 16 * CLIP):
        codec = SpectrumCodec(RATE, clip, fitted(melody(1.0, RATE)).scaler)
        state, steps, out = codec.new_decoder_state(), np.ones((2 * clip, 1), np.float32), np.zeros(clip, np.float32)
        codec.decode(state, steps, out)
        _nrt_python.memsys_enable_stats()
        try:
            before = rtsys.get_allocation_stats().alloc
            codec.decode(state, steps, out)
            counts.append(rtsys.get_allocation_stats().alloc - before)
        finally:
            _nrt_python.memsys_disable_stats()
    assert counts[0] == counts[1] == counts[2] < 20


def test_a_corpus_without_a_whole_clip_is_refused() -> None:
    with pytest.raises(SoundFileError, match=r"too short for the codec spectrum, which needs 1\.02 s in one piece"):
        fit_codec(Recipe(codec="spectrum"), [melody(0.9, RATE), melody(0.5, RATE)], RATE, 0)


CODEC = SpectrumCodec(RATE, CLIP, fitted(melody(1.0, RATE)).scaler)


@pytest.mark.parametrize(
    ("options", "arrays", "sentence"),
    [
        ({"sample_rate": None}, {}, "sample_rate is None"),
        ({"clip": 1000}, {}, "clip 1000 is no power of two"),
        ({"clip": 32}, {}, "clip is 32"),
        ({"clip": 1 << 23}, {}, "clip is 8388608"),
        ({"scaler": 3}, {}, "scaler is 3"),
        ({}, {"scale": np.zeros(1, np.float32)}, "scale is 0, not a number above 0"),
        ({}, {"mean": np.zeros(2, np.float32)}, r"need the shape \(1,\)"),
        ({}, {"ceiling": np.zeros(1, np.float32)}, "has the arrays"),
    ],
)
def test_parts_that_make_no_codec_are_refused(options: dict[str, Any], arrays: dict[str, Array], sentence: str) -> None:
    with pytest.raises(CheckpointError, match=sentence):
        SpectrumCodec.from_parts({**CODEC.options(), **options}, {**CODEC.arrays(), **arrays})


def test_stretches_are_encoded_clip_by_clip() -> None:
    stretches = [melody(0.1, RATE), melody(0.3, RATE)]
    assert [len(steps) for steps in encode_stretches(CODEC, stretches)] == [2 * 2 * CLIP]
    assert shifted(CODEC, stretches, 4) == []


def test_a_start_lies_where_a_clip_ends() -> None:
    network = Network(NetworkShape("lstm", 1, 8, "linear", features=1))
    steps = encode(CODEC, melody(1.0, RATE))
    ends = steps[2 * CLIP - 1 :: 2 * CLIP]
    for state in start_states(network, [steps], CODEC.group).values():
        assert state["last"] in ends
    with torch.inference_mode():
        _, (hidden, _) = network.recur(torch.from_numpy(steps[None, : 2 * CLIP - 1]), network.new_state(1))
    first = start_states(network, [steps[: 2 * CLIP]], CODEC.group)["start-1"]
    assert np.allclose(first["hidden"], hidden[:, 0], atol=1e-5)


def test_a_checkpoint_keeps_the_codec_and_plays_clip_by_clip(tmp_path: Path) -> None:
    spectrum_checkpoint().save(tmp_path / "m.safetensors")
    checkpoint = Checkpoint.load(tmp_path / "m.safetensors")
    generator = Generator(checkpoint)
    assert generator.chunk_frames == CLIP
    assert generator.step_rate == 2 * RATE
    values = {name: PARAMETERS[name].default for name in ("gain_db", "noise")}
    states = initial_states(generator, "normal", 1, 2)
    performance = Performance(generator, states, sample_rate=RATE, channels=2, block_frames=100, values=values)
    sound = render_frames(performance, 3000, 100)
    assert np.isfinite(sound).all()
    assert np.abs(sound[performance.delay_frames :]).max() > 1e-4
    assert performance.quarantined == 0


def test_the_same_is_played_in_blocks_of_any_size() -> None:
    generator = Generator(spectrum_checkpoint())
    rendered = []
    for size in (64, 1000, 3000):
        performance = Performance(generator, [generator.new_state(1)], sample_rate=RATE, channels=1, block_frames=size)
        rendered.append(render_frames(performance, 3000, size))
    assert np.array_equal(rendered[0], rendered[1])
    assert np.array_equal(rendered[0], rendered[2])


def test_a_prime_shorter_than_a_clip_is_refused_with_a_remedy(tmp_path: Path) -> None:
    generator = Generator(spectrum_checkpoint())
    short = write_sound(tmp_path / "short.wav", melody(1.0, RATE)[: CLIP - 1], RATE)
    with pytest.raises(
        UsageError, match="it has 1023 samples, and this checkpoint needs at least 1024: choose a longer"
    ):
        generator.primed_state(str(short), 0)


@pytest.mark.parametrize("source", ["silence", "normal"])
def test_a_clip_longer_than_the_usual_prime_can_be_primed(source: str) -> None:
    generator = Generator(spectrum_checkpoint(clip=1 << 15))
    _, seconds = generator.primed_state(source, 0)
    assert seconds == pytest.approx((1 << 15) / RATE)
