"""Roaming in a memory: real sound in order, departures without a click, and knobs that mean what they say."""

from typing import Any

import numpy as np
import pytest

from making import Array, melody, memory_checkpoint, stereo_checkpoint, stereo_melody, tokens_checkpoint, with_memory
from noizenet.checkpoint import Checkpoint
from noizenet.protocol import PARAMETERS
from noizenet_daemon.generator import Generator
from noizenet_daemon.kernels.departing import takes_up
from noizenet_daemon.kernels.roaming import FADE_HOPS, FRAME, free_share, pace_of
from noizenet_daemon.memory_player import MemoryPlayer

DEFAULTS = {name: parameter.default for name, parameter in PARAMETERS.items()} | {"live_level_db": -20.0}


def walk(checkpoint: Checkpoint, blocks: int, seed: int = 1, **values: Any) -> tuple[Array, Array]:
    """Returns the sound (frames, channels) of so many blocks, and the memory's frame of each, -1 where free."""
    generator = Generator(checkpoint)
    state, controls = generator.new_state(seed), generator.controls(DEFAULTS | values)
    out = np.zeros((blocks, generator.chunk_frames, generator.channels), np.float32)
    frames = np.zeros(blocks, np.int64)
    for n in range(blocks):
        generator.generate(state, controls, out[n])
        assert state.memory
        frames[n] = state.memory.roaming.places[FRAME]
    return out.reshape(-1, generator.channels), frames


def departures(frames: Array) -> int:
    """Returns how often a walk left one place of the memory, for another or to be free."""
    return int(np.sum((np.diff(frames) != 1) & (frames[:-1] >= 0)))


def likeness_everywhere(part: Array, whole: Array) -> Array:
    """Returns the correlation of a part with the whole at each place where it may lie, float64."""
    part, whole = part.astype(np.float64) - part.mean(), whole.astype(np.float64)
    average = np.full(len(part), 1.0 / len(part))
    variances = np.correlate(whole**2, average) - np.correlate(whole, average) ** 2
    return np.correlate(whole, part) / (len(part) * part.std() * np.sqrt(variances))


def test_at_stray_0_the_corpus_is_heard_as_it_is() -> None:
    checkpoint = memory_checkpoint()
    assert checkpoint.memory
    sound, frames = walk(checkpoint, 200, stray=0.0)
    run = next(n for n in range(10, 190) if np.all(np.diff(frames[n : n + 12]) == 1))
    hop = 64
    heard = sound[run * hop : (run + 12) * hop, 0]
    known = checkpoint.memory.sound[:, 0]
    assert likeness_everywhere(heard, known).max() > 0.999


def test_the_farther_it_strays_the_more_often_it_departs() -> None:
    checkpoint = memory_checkpoint()
    walks = [walk(checkpoint, 2000, stray=stray)[1] for stray in (0.0, 0.25, 0.5, 0.75, 1.0)]
    rates = [departures(frames) / np.sum(frames >= 0) for frames in walks]  # of the time that it isn't free
    assert rates == sorted(rates)
    assert rates[-1] > 8 * rates[0]


@pytest.mark.parametrize(("name", "low", "high"), [("temperature", 0.3, 1.5), ("top_p", 0.1, 1.0)])
def test_temperature_and_top_p_hurry_it_as_stray_does(name: str, low: float, high: float) -> None:
    checkpoint = memory_checkpoint()
    slow, fast = (departures(walk(checkpoint, 2000, **{name: value})[1]) for value in (low, high))
    assert fast > 2 * slow


def test_noise_on_the_hidden_state_makes_it_restless() -> None:
    checkpoint = memory_checkpoint()
    # keys as the network really has them, so that without noise a hidden state is like its own key
    still, noisy = (departures(walk(_with_true_keys(checkpoint), 2000, noise=noise)[1]) for noise in (0.0, 1.0))
    assert noisy > 1.3 * still


def _with_true_keys(checkpoint: Checkpoint) -> Checkpoint:
    from noizenet_training.learning.networks import Network
    from noizenet_training.remembering import Remembering

    assert checkpoint.memory
    network = Network(checkpoint.network)
    network.load_weights(checkpoint.weights)
    parts = np.split(checkpoint.memory.sound[:, 0], np.cumsum(checkpoint.memory.lengths)[:-1])
    memory = Remembering(checkpoint.codec, parts, 60.0).memory(network, 0.3)  # type: ignore[arg-type]
    return Checkpoint(checkpoint.network, checkpoint.weights, checkpoint.codec, checkpoint.states, memory)


def test_it_goes_free_only_above_the_middle() -> None:
    checkpoint = memory_checkpoint()
    assert np.all(walk(checkpoint, 1500, stray=0.5)[1] >= 0)
    assert np.any(walk(checkpoint, 1500, stray=1.0)[1] < 0)


def test_the_pace_and_the_share_of_freedom_move_smoothly() -> None:
    knob = np.linspace(0.0, 1.0, 101)
    paces, shares = np.array([pace_of(x, 1.4) for x in knob]), np.array([free_share(x) for x in knob])
    assert pace_of(0.5, 1.4) == 1.4
    assert pace_of(1.0, 0.4) == pytest.approx(0.1)
    assert pace_of(1.0, 4.0) == pytest.approx(0.35)
    assert np.all(np.diff(paces) < 0)
    assert np.all(paces[1:] / paces[:-1] > 0.9)
    assert shares[0] == 0.0
    assert np.all(np.diff(shares) >= 0)
    assert np.all(np.diff(shares) < 0.02)


def test_it_does_not_click_where_it_departs() -> None:
    """Of a steady tone, every departure goes on with the same wave: nothing but the tone is heard."""
    time = np.arange(6 * 22050) / 22050
    tone = (0.5 * np.sin(2 * np.pi * 441.0 * time)).astype(np.float32)
    sound, frames = walk(with_memory(tokens_checkpoint(), [tone]), 1500, stray=0.24)
    assert departures(frames) > 5
    steady = sound[512:, 0]
    assert np.abs(np.diff(steady)).max() < 1.1 * np.abs(np.diff(tone)).max()
    assert 0.9 < np.abs(steady).reshape(-1, 64)[:1000].max() / 0.5 < 1.1


@pytest.mark.parametrize("stray", [0.2, 0.5])
def test_no_place_is_left_out_and_none_is_favoured(stray: float) -> None:
    checkpoint = memory_checkpoint()
    assert checkpoint.memory
    _, frames = walk(checkpoint, 12_000, stray=stray)
    visits, _ = np.histogram(frames[frames >= 0], 10, (0, len(checkpoint.memory.codes)))
    assert visits.min() > 0.7 * visits.mean()
    assert visits.max() < 1.4 * visits.mean()


def test_an_end_is_followed_by_a_beginning() -> None:
    checkpoint = with_memory(tokens_checkpoint(), [melody(0.8), melody(0.6, seed=1), melody(1.0, seed=2)])
    tables = MemoryPlayer(checkpoint, checkpoint.memory).tables  # type: ignore[arg-type]
    _, frames = walk(checkpoint, 3000, stray=0.0)
    after = [frames[n + 1] for n in range(len(frames) - 1) if frames[n] == tables.lasts[frames[n]]]
    assert len(after) > 5
    assert all(tables.firsts[frame] == frame for frame in after)
    assert len(set(after)) == 3


def test_a_voice_does_not_take_up_what_it_left_where_it_comes_again() -> None:
    """Of a song that is played twice, a second's half after leaving the first time."""
    verse = melody(3.0)[: 64 * 1000]
    checkpoint = with_memory(tokens_checkpoint(), [np.concatenate([verse, verse])])
    player = MemoryPlayer(checkpoint, checkpoint.memory)  # type: ignore[arg-type]
    search, again = player.new_state().search, 1000
    search.left[0], search.since[0] = 200, 100
    assert takes_up(player.tables, search, 200 + 100 + again, 0.05)
    assert not takes_up(player.tables, search, 200 + 400, 0.05)
    search.since[0] = 2 * player.tables.second
    assert not takes_up(player.tables, search, 200 + 2 * player.tables.second + again, 0.05)


def test_a_recording_unlike_the_others_goes_on_until_most_of_it_was_played() -> None:
    noise = 0.1 * np.random.default_rng(0).normal(size=len(melody(6.0)))
    checkpoint = with_memory(tokens_checkpoint(), [melody(6.0), noise.astype(np.float32)])
    tables = MemoryPlayer(checkpoint, checkpoint.memory).tables  # type: ignore[arg-type]
    _, frames = walk(checkpoint, 6000, stray=0.3)
    recordings = tables.firsts[frames]
    assert len(set(recordings)) == 2
    changes = np.sum(np.diff(recordings) != 0)
    assert 0 < changes < 0.3 * departures(frames)


def test_it_never_plays_past_a_stretch_and_never_stops() -> None:
    short = with_memory(tokens_checkpoint(), [melody(0.3), melody(0.2, seed=1)])
    sound, frames = walk(short, 3000, stray=0.0)
    assert np.isfinite(sound).all()
    assert departures(frames) > 10
    levels = np.sqrt(np.mean(np.square(sound[: 2990 * 64].reshape(-1, 64 * 115)), axis=1))
    assert levels.min() > 1e-3


def test_a_short_memory_is_not_left_before_a_fade_into_it_is_over() -> None:
    _, frames = walk(with_memory(tokens_checkpoint(), [melody(2.0)]), 6000, stray=0.5)
    left = np.flatnonzero(np.diff(frames) != 1)
    assert len(left) > 50
    assert np.diff(left).min() >= FADE_HOPS


def test_stereo_is_played_in_stereo() -> None:
    checkpoint = with_memory(stereo_checkpoint(), [stereo_melody(4.0)])
    sound, _ = walk(checkpoint, 400, stray=0.0)
    assert sound.shape[1] == 2
    assert np.std(sound[:, 0] - sound[:, 1]) > 0.01


def test_seeds_go_different_ways_and_the_same_seed_the_same() -> None:
    checkpoint = memory_checkpoint()
    (one, _), (again, _), (other, _) = (walk(checkpoint, 200, seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)
