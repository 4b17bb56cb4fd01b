"""What training puts into a memory: the corpus' sound, or a fair choice of it, with the network's own states."""

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from making import melody, memory_checkpoint, tokens_checkpoint, write_sound
from noizenet.checkpoint import Checkpoint
from noizenet_daemon.engine_numba import NumbaEngine, new_network_state
from noizenet_training import memory_pace
from noizenet_training.learning.networks import Network
from noizenet_training.memory_pace import PACES_S, find_pace
from noizenet_training.remembering import Remembering
from noizenet_training.sounds.excerpts import spread_pieces
from test_train_command import noizenet


def test_a_short_corpus_is_remembered_whole_and_a_long_one_in_spread_pieces() -> None:
    stretches = [melody(3.0), melody(0.01), melody(5.0)]
    whole = spread_pieces(stretches, 22050, 60.0, 512)
    assert [len(part) for part in whole] == [len(stretches[0]), len(stretches[2])]
    rate = 100
    hour = [np.arange(3600 * rate, dtype=np.float32)]
    pieces = spread_pieces(hour, rate, 200.0, 64)
    assert sum(map(len, pieces)) == 200 * rate
    assert pieces[0][0] == 0
    assert pieces[-1][-1] == 3600 * rate - 1


def test_the_keys_are_the_hidden_states_that_the_engine_has() -> None:
    checkpoint = tokens_checkpoint()
    network = Network(checkpoint.network)
    network.load_weights(checkpoint.weights)
    song = melody(5.0)
    memory = Remembering(checkpoint.codec, [song], 60.0).memory(network, 1.0)  # type: ignore[arg-type]
    assert memory
    engine, state = NumbaEngine(checkpoint), new_network_state(checkpoint.network, 0)
    codes = checkpoint.codec.encode(checkpoint.codec.new_encoder_state(), song)
    engine.listen(state, codes[:101])
    engine.listen(state, codes[100:101])
    engine.predict(state, codes[101:102], codes[101:102].copy())  # takes in the hundredth
    seen = memory.axes @ (state.cells.hidden[-1] - memory.centre)
    key = memory.keys[100 - 3]
    assert np.dot(seen / np.linalg.norm(seen), key) > 0.999


def test_a_few_seconds_are_too_little_to_go_about_in() -> None:
    checkpoint = tokens_checkpoint()
    short = Remembering(checkpoint.codec, [melody(2.0)], 60.0)  # type: ignore[arg-type]
    assert not short.is_possible
    assert short.memory(Network(checkpoint.network), 1.0) is None


@pytest.fixture
def brief(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lets the pace be chosen by 15 seconds of each."""
    monkeypatch.setattr(memory_pace, "HEARD_S", 15.0)


@pytest.mark.usefixtures("brief")
def test_training_makes_a_checkpoint_that_remembers(tmp_path: Path) -> None:
    torch.manual_seed(0)
    song = write_sound(tmp_path / "song.wav", melody(21.0, 8000), 8000)
    out = tmp_path / "m.safetensors"
    options = [word for option in ("hidden=16", "unroll=16", "axes=8", "classes=64") for word in ("--set", option)]
    command = ["train", song, "--out", out, "--steps", 4, "--json", *options]
    done = noizenet(*command)
    assert json.loads(done.stdout)
    memory = Checkpoint.load(out).memory
    assert memory
    assert memory.pace_s in PACES_S
    assert 20.0 < memory.seconds <= 21.0
    assert "leaves one place of its memory for another" in done.stderr
    noizenet(*command, "--set", "memory_s=0")
    assert Checkpoint.load(out).memory is None


@pytest.mark.usefixtures("brief")
def test_the_pace_is_one_of_those_tried(tmp_path: Path) -> None:
    path = tmp_path / "m.safetensors"
    memory_checkpoint().save(path)
    song = melody(21.0)
    assert find_pace(path, [song], 0) in PACES_S
    assert find_pace(path, [song[: 10 * 22050]], 0) is None
    tokens_checkpoint().save(path)
    assert find_pace(path, [song], 0) is None


@pytest.mark.usefixtures("brief")
@pytest.mark.parametrize(
    ("flows", "allowed", "where_it_flows", "pace_s"),
    [(np.inf, 1.0, -1.0, PACES_S[0]), (np.inf, -1.0, 1.0, PACES_S[-1]), (0.0, 1.0, -1.0, PACES_S[-1])],
)
def test_more_is_recited_only_where_music_would_not_flow(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flows: float, allowed: float, where_it_flows: float, pace_s: float
) -> None:
    """Whatever is recited is too much at -1, and nothing is at 1."""
    monkeypatch.setattr(memory_pace, "FLOWS", flows)
    monkeypatch.setattr(memory_pace, "MOST_RECITED_TO_FLOW", allowed)
    monkeypatch.setattr(memory_pace, "MOST_RECITED", where_it_flows)
    path = tmp_path / "m.safetensors"
    memory_checkpoint().save(path)
    assert find_pace(path, [melody(21.0)], 0) == pace_s
