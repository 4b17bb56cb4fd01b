"""Primes of noise and silence: each kind another sound, of the level and length promised, for every codec."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from making import (
    Array,
    amplitude_checkpoint,
    listening_checkpoint,
    mulaw_checkpoint,
    stereo_checkpoint,
    stereo_melody,
    tokens_checkpoint,
    write_sound,
)
from noizenet.checkpoint import Checkpoint
from noizenet_daemon.generator import Generator

RATE = 16000
KINDS = ("silence", "normal", "perlin")
MAKERS: list[Callable[..., Checkpoint]] = [
    tokens_checkpoint,
    mulaw_checkpoint,
    amplitude_checkpoint,
    listening_checkpoint,
    stereo_checkpoint,
]


def test_silence_is_silent_and_noise_is_as_loud_as_quiet_music() -> None:
    generator = Generator(amplitude_checkpoint(sample_rate=RATE))
    silence, normal, perlin = (generator._prime_samples(kind, 1) for kind in KINDS)
    assert not silence.any()
    for samples in (normal, perlin):
        assert samples.std() == pytest.approx(0.1, rel=0.1)
    assert all(len(samples) == 2 * RATE and samples.dtype == np.float32 for samples in (silence, normal, perlin))


def test_normal_is_static_and_perlin_a_hum_with_wind_above() -> None:
    generator = Generator(amplitude_checkpoint(sample_rate=RATE))
    shares = {}
    for kind in ("normal", "perlin"):
        power = np.square(np.abs(np.fft.rfft(generator._prime_samples(kind, 1))))
        bands = np.split(power, np.searchsorted(np.fft.rfftfreq(2 * RATE, 1.0 / RATE), [220.0, 1000.0, 4000.0]))
        shares[kind] = [float(band.sum() / power.sum()) for band in bands]
    assert shares["normal"] == pytest.approx([220 / 8000, 780 / 8000, 3000 / 8000, 0.5], abs=0.02)
    hum, middle, wind, nothing = shares["perlin"]
    assert hum > 0.7
    assert 0.05 < middle < 0.3
    assert 1e-3 < wind < 0.03
    assert nothing < 1e-4


@pytest.mark.parametrize("kind", ["normal", "perlin"])
def test_each_seed_has_a_prime_of_its_own(kind: str) -> None:
    generator = Generator(amplitude_checkpoint(sample_rate=RATE))
    first, again, other = (generator._prime_samples(kind, seed) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)


@pytest.mark.parametrize("make", MAKERS)
def test_every_codec_is_warmed_differently_by_each_kind(make: Callable[..., Checkpoint]) -> None:
    generator = Generator(make(sample_rate=2000))
    states = [generator.primed_state(kind, seed=1)[0].network for kind in KINDS]
    hidden = [state.cells.hidden for state in states]
    assert all(np.isfinite(array).all() for array in hidden)
    assert len({array.tobytes() for array in hidden}) == 3
    assert all(np.abs(array).max() > 1e-3 for array in hidden)


def test_a_stereo_model_hears_a_mono_sound_on_both_sides_and_a_stereo_one_as_it_is(tmp_path: Path) -> None:
    generator = Generator(stereo_checkpoint())

    def heard(sound: Array) -> Array:
        path = write_sound(tmp_path / "prime.wav", sound)
        return generator.primed_state(str(path), 1)[0].network.cells.hidden

    differences = []
    for seed in range(8):  # so small a network knows but its last few codes, and some of them are the same
        sound = stereo_melody(0.5, seed=seed)
        mono = sound.mean(axis=1)
        on_both_sides = heard(np.repeat(mono[:, None], 2, axis=1))
        assert np.allclose(heard(mono), on_both_sides, atol=1e-3)
        differences.append(float(np.abs(heard(sound) - on_both_sides).max()))
    assert np.count_nonzero(np.array(differences) > 1e-3) >= 2
