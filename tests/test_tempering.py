"""The temperature that a network's draws are made at: found by listening, and then the knob's 1."""

from pathlib import Path

import numpy as np
import pytest

from making import Array, melody, mulaw_checkpoint, tiered_checkpoint
from noizenet_daemon.generator import Generator
from noizenet_daemon.kernels.noise import Controls
from noizenet_training import tempering
from noizenet_training.judging.distances import frechet_distance
from noizenet_training.tempering import TEMPERATURES, find_temperature, tempered


def test_a_tempered_network_draws_at_1_what_it_drew_at_that_temperature() -> None:
    checkpoint = tiered_checkpoint()
    drawn = []
    for temperature in (0.9, 1.0):
        generator = Generator(checkpoint)
        state = generator.new_state(1)
        out = np.zeros((generator.chunk_frames, 1), np.float32)
        generator.generate(state, Controls(temperature=temperature), out)
        drawn.append(out)
        checkpoint.weights.update(tempered(checkpoint.weights, 0.9))
    assert np.abs(drawn[0]).max() > 0.0
    assert np.array_equal(*drawn)


def test_the_one_that_sounds_most_like_the_corpus_is_found(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempering, "HEARD_S", 4.0)
    path = tmp_path / "made.safetensors"
    checkpoint = tiered_checkpoint()
    checkpoint.save(path)
    song = melody(25.0, checkpoint.sample_rate)
    distances: list[float] = []

    def distance(heard: Array, known: Array) -> float:
        distances.append(frechet_distance(heard, known))
        return distances[-1]

    monkeypatch.setattr(tempering, "frechet_distance", distance)
    found = find_temperature(path, [song], 0)
    assert len(set(distances)) == len(TEMPERATURES)
    assert found == TEMPERATURES[int(np.argmin(distances))]
    assert find_temperature(path, [song[: 10 * checkpoint.sample_rate]], 0) == 1.0


def test_a_network_without_tiers_stays_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "made.safetensors"
    mulaw_checkpoint().save(path)
    assert find_temperature(path, [melody(25.0, 8000)], 0) == 1.0
