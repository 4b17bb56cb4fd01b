"""Playing while training: drawn alike for equal weights, and further from the corpus the less was learnt."""

import numpy as np
import pytest
import torch

from making import Array, tokens_codec
from noizenet.codecs.tokens import TokensCodec
from noizenet.network import NetworkShape
from noizenet_training.learning.fitting import PLAYS, Fitting
from noizenet_training.learning.free_running import FreeRunning, free_run
from noizenet_training.learning.networks import Network
from noizenet_training.learning.rounds import MOST_HELD_OUT, Budget, Round
from noizenet_training.recipe import Recipe
from noizenet_training.starts import LEAST_HEARD, start_states

SHAPE = NetworkShape("gru", 1, 24, "categorical", 2, 8, 6, 12)


@pytest.fixture(scope="module")
def codec() -> TokensCodec:
    """A codec with 20 steps in a second."""
    return tokens_codec(sample_rate=1280)


@pytest.fixture(scope="module")
def scale() -> Array:
    """A corpus of 20 s: codes that go up and down, each held for three steps."""
    first = np.repeat(np.array([0, 1, 2, 3, 4, 5, 6, 7, 6, 5, 4, 3, 2, 1]), 3)
    steps = np.tile(first, 10)[:400]
    return np.stack([steps, (steps + 3) % 8], axis=1).astype(np.int32)


def test_equal_weights_and_seeds_play_alike(scale: Array) -> None:
    torch.manual_seed(0)
    network = Network(SHAPE)
    first, second, other = (free_run(network, [scale], 30, seed) for seed in (1, 1, 2))
    assert first.shape == (8, 30, 2)
    assert np.array_equal(first, second)
    assert not np.array_equal(first, other)


def test_convolutions_play_from_their_starts_as_they_read() -> None:
    torch.manual_seed(0)
    network = Network(NetworkShape("conv", 3, 16, "categorical", 2, 8, 6, 12))
    with torch.no_grad():
        for output in network.output:
            output.weight *= 100.0  # so sure of itself that little is left to chance
    steps = np.random.default_rng(0).integers(0, 8, (400, 2)).astype(np.int32)
    played = free_run(network, [steps], 20, seed=0)
    network.eval()
    least = []
    for number, (codes, start) in enumerate(zip(played, start_states(network, [steps]).values(), strict=True)):
        place = max(LEAST_HEARD, 50 * number + 26)  # in the middle of each eighth
        assert (steps[place - 1] == start["last"]).all()
        heard = torch.from_numpy(np.concatenate([steps[:place], codes])).long()[None]
        with torch.inference_mode():
            top, _ = network.recur(heard[:, :-1], network.new_state(1))
            chances = torch.softmax(network.logits(top, 0, heard[:, 1:])[0, place - 1 :], -1).numpy()
        least.append(np.median(chances.min(axis=1)))
        # now and then it is torn between two codes; but what it thinks impossible as it reads, it doesn't play
        assert chances[np.arange(20), codes[:, 0]].min() > 1e-4
    assert max(least) < 1e-6


def test_a_network_that_has_learnt_plays_nearer_to_the_corpus(codec: TokensCodec, scale: Array) -> None:
    torch.manual_seed(0)
    playing = FreeRunning(codec, [scale], seed=0)
    assert playing.is_possible
    recipe = Recipe(streams=4, unroll=20, round_updates=20, learning_rate=1e-2, dropout=0.0, corruption=0.0)
    fitting = Fitting(Network(SHAPE), recipe, [scale], [scale[:100]], np.array([0.5, 0.5]), 0, playing)
    before = playing.distance(fitting.network)
    while fitting.updates < 200:
        fitting.run_round(Budget(updates=200), lambda: 0.0, lambda updates, loss: None)  # noqa: ARG005
    assert playing.distance(fitting.network) < 0.2 * before
    assert fitting.best_round is not None
    assert fitting.best_round.distance is not None


def test_the_network_plays_at_equal_parts_of_a_training_and_at_its_end(codec: TokensCodec, scale: Array) -> None:
    recipe = Recipe(streams=2, unroll=4, round_updates=1, learning_rate=1e-3)
    playing = FreeRunning(codec, [scale], seed=0)
    fitting = Fitting(Network(SHAPE), recipe, [scale], [scale[:20]], np.array([0.5, 0.5]), 0, playing)
    while fitting.updates < 41:
        fitting.run_round(Budget(updates=41), lambda: 0.0, lambda updates, loss: None)  # noqa: ARG005
    played = [entry.updates for entry in fitting.rounds if entry.distance is not None]
    assert played[0] == 1
    assert played[-1] == 41
    assert len(played) == PLAYS + 1


def test_a_corpus_too_short_or_without_change_is_not_compared_with(codec: TokensCodec, scale: Array) -> None:
    assert not FreeRunning(codec, [scale[:60]], seed=0).is_possible
    assert not FreeRunning(codec, [np.zeros((400, 2), np.int32)], seed=0).is_possible


def test_weights_are_chosen_by_held_out_loss_and_playing_together() -> None:
    soup = Round(100, 10.0, 2.0, 3.0, 9.0)
    music = Round(400, 40.0, 1.0, 3.5, 1.5)
    by_heart = Round(900, 90.0, 0.5, 4.5, 0.5)
    assert min([soup, music, by_heart], key=lambda entry: entry.score(3.0)) is music
    assert by_heart.score(3.0) == MOST_HELD_OUT
    assert Round(1, 1.0, 2.0, 3.0).score(3.0) == 0.0


def test_music_that_never_comes_again_is_not_left_to_weights_that_know_nothing() -> None:
    soup = Round(25, 9.0, 4.5, 5.1, 4.4)
    learnt = Round(425, 90.0, 0.3, 9.2, 0.75)
    assert learnt.score(5.1) < soup.score(5.1)
