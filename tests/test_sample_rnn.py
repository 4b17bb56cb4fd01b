"""SampleRNN in training: told in pieces it says the same as at once, it learns, and it plays what it has learnt."""

import itertools
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from making import Array, melody, write_sound
from noizenet.checkpoint import Checkpoint
from noizenet.cli import main
from noizenet.codecs.mulaw import MulawCodec
from noizenet.errors import ConfigurationError
from noizenet.network import NetworkShape
from noizenet_daemon.engine_numba import NumbaEngine, new_network_state
from noizenet_training.learning import updates
from noizenet_training.learning.batches import encode_stretches, one_pass
from noizenet_training.learning.distributed import Group
from noizenet_training.learning.fitting import Fitting
from noizenet_training.learning.losses import look_at_held_out
from noizenet_training.learning.networks import network_shape
from noizenet_training.learning.propagation import Learner, Steps, propagate
from noizenet_training.learning.rounds import Budget
from noizenet_training.learning.sample_rnn import SampleRnn, first_embedding, new_network
from noizenet_training.learning.updates import Learning
from noizenet_training.recipe_reading import load_recipe
from noizenet_training.starts import start_states

TINY = ["hidden=12", "embedding=4", "head_hidden=16", "frame=8", "reach=10", "conditioning=6", "streams=4", "unroll=32"]
SHAPES = [
    NetworkShape("lstm", 1, 12, "categorical", 1, 256, 4, 16, frame=8, reach=10, conditioning=6),
    NetworkShape("gru", 2, 12, "categorical", 1, 256, 4, 16, frame=5, reach=3, conditioning=6),
]


def made_codes(seconds: float = 1.0, sample_rate: int = 8000) -> Array:
    """Returns the codes of a melody, int32 (n, 1)."""
    codec = MulawCodec(sample_rate, 0.5, 0.8)
    return codec.encode(codec.new_encoder_state(), melody(seconds, sample_rate))


def as_tensor(codes: Array) -> torch.Tensor:
    return torch.from_numpy(codes).long()[None]


@pytest.mark.parametrize("shape", SHAPES)
def test_weights_are_those_that_the_shape_lists(shape: NetworkShape) -> None:
    weights = new_network(shape).weights()
    assert {name: array.shape for name, array in weights.items()} == shape.tensor_shapes()


@pytest.mark.parametrize("frames", [1, 3, 7])
@pytest.mark.parametrize("shape", SHAPES)
def test_steps_told_in_pieces_are_the_same_as_at_once(shape: NetworkShape, frames: int) -> None:
    network = new_network(shape).eval()
    steps, count = as_tensor(made_codes()), 21 * shape.frame
    whole, ends = network.recur(steps[:, : shape.context + count], network.new_state(1))
    state, parts, size = network.new_state(1), [], frames * shape.frame
    for first in range(0, count, size):
        part, state = network.recur(steps[:, first : first + shape.context + size], state)
        parts.append(part)
    torch.testing.assert_close(torch.cat(parts, 1), whole, atol=1e-5, rtol=0)
    torch.testing.assert_close(state, ends, atol=1e-5, rtol=0)


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_asked_of_some_steps_is_what_is_said_of_all(shape: NetworkShape) -> None:
    network = new_network(shape).eval()
    steps, asked = as_tensor(made_codes()), torch.tensor([0, 3, shape.frame + 1, 70, 78])
    told = steps[:, : shape.context + 79]
    whole, ends = network.recur(told, network.new_state(1))
    assert isinstance(network, SampleRnn)
    part, state = network.recur(told, network.new_state(1), asked)
    torch.testing.assert_close(part, whole[:, asked], atol=1e-5, rtol=0)
    torch.testing.assert_close(state, ends, atol=1e-5, rtol=0)


def test_an_update_learns_from_as_many_samples_of_each_frame_as_the_recipe_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    recipe = load_recipe("samplernn", [*TINY, "draws=3"])
    learning = Learning(new_network(network_shape(recipe, MulawCodec(8000))), recipe, np.ones(1), Group())
    learning.start_round([0])
    counted = []

    def seen(*arguments: Any) -> Any:
        counted.append(arguments[2].counted)
        return propagate(*arguments)

    monkeypatch.setattr(updates, "propagate", seen)
    for batch in itertools.islice(one_pass([made_codes()], 4, 32, np.random.default_rng(0), context=10), 20):
        learning.propagate(batch, lambda: 0.0)
    of_frames = torch.stack(counted).view(20, 4, 4, 8)
    assert (of_frames.sum(-1) == 3).all()
    assert (of_frames == of_frames[:, :1, :1]).all()
    assert (of_frames[:, 0, 0].sum(0) > 0).all()  # in the end, each sample of a frame was learnt from


@pytest.mark.parametrize("shape", SHAPES)
def test_the_engine_expects_what_the_trained_network_expects(shape: NetworkShape) -> None:
    torch.manual_seed(0)
    network = new_network(shape).eval()
    network.output[0].weight.data *= 30.0
    heard = made_codes()[:2000]
    start = start_states(network, [heard[:1600]])["start-8"]
    place = 1500  # 7.5 eighths on
    assert np.array_equal(start["recent"], heard[place + 1 - shape.span : place + 1, 0])
    checkpoint = Checkpoint(shape, network.weights(), MulawCodec(8000, 0.5, 0.8))
    state = new_network_state(shape, 0)
    state.cells.hidden[:], state.cells.cell[:], state.last[:] = start["hidden"], start["cell"], start["last"]
    state.tiers.recent[:] = start["recent"]
    following = heard[place + 1 : place + 1 + 20 * shape.frame]
    expected = np.zeros_like(following)
    NumbaEngine(checkpoint).predict(state, following, expected)
    # the same told to the network in one piece, from as far back as the start was heard
    first = (place + 1) % shape.frame
    with torch.inference_mode():
        known = as_tensor(heard[first : place + 1])
        memory = network.hear(known, network.new_state(1))
        told = as_tensor(heard[place - shape.context : place + 20 * shape.frame])
        top, _ = network.recur(told, memory)
        logits = network.logits(top, 0, told)[0]
    assert np.array_equal(logits.argmax(-1).numpy(), expected[:, 0])
    assert len(np.unique(expected)) > 3


def test_batches_carry_what_comes_before_each_chunk() -> None:
    stretches = [np.arange(200, dtype=np.int32)[:, None], np.arange(1000, 1100, dtype=np.int32)[:, None]]
    for batch in one_pass(stretches, 3, 16, np.random.default_rng(0), context=9):
        assert batch.inputs.shape == (3, 25, 1)
        assert batch.targets.shape == (3, 16, 1)
        for inputs, targets, counted in zip(batch.inputs, batch.targets, batch.counted, strict=True):
            real = int(counted.sum())
            assert (np.diff(inputs[: 9 + real, 0]) == 1).all()
            assert (targets[:real] == inputs[9 : 9 + real] + 1).all()


def test_stretches_too_short_to_look_back_in_are_left_out() -> None:
    codec = MulawCodec(8000)
    stretches = [melody(0.01, 8000), melody(0.1, 8000)]
    assert [len(steps) for steps in encode_stretches(codec, stretches, context=100)] == [800]


def test_gradients_through_segments_are_those_through_the_whole() -> None:
    torch.manual_seed(0)
    shape = SHAPES[0]
    network = new_network(shape)
    codes = as_tensor(made_codes())
    both = codes[:, : shape.context + 97].expand(2, -1, -1)
    steps = Steps(both[:, :-1], both[:, shape.context + 1 :], torch.ones(2, 96, dtype=torch.bool))
    found = []
    for segment in (96, 24):
        network.zero_grad()
        losses, _ = propagate(Learner(network, "mse"), network, steps, network.new_state(2), 0.01, segment)
        found.append([losses, *(weight.grad.clone() for weight in network.parameters() if weight.grad is not None)])
    assert len(found[0]) == 1 + len(list(network.parameters()))
    torch.testing.assert_close(found[0], found[1], atol=1e-4, rtol=1e-4)


def test_a_network_that_trains_a_little_predicts_better_and_what_is_held_out_too() -> None:
    torch.manual_seed(0)
    recipe = load_recipe("samplernn", [*TINY, "round_updates=20", "learning_rate=0.01"])
    codes = made_codes(3.0)
    network = new_network(network_shape(recipe, MulawCodec(8000, 0.5, 0.8)))
    fitting = Fitting(network, recipe, [codes[:20000]], [codes[20000:]], np.ones(1), 0)
    before = look_at_held_out(network, [codes[20000:]], "mse").losses[0]
    clock = itertools.count(1)
    while fitting.updates < 100:
        fitting.run_round(Budget(updates=100), lambda: float(next(clock)), lambda updates, loss: None)  # noqa: ARG005
    assert before == pytest.approx(np.log(256), abs=0.3)
    assert fitting.rounds[-1].loss < before - 1.0
    assert fitting.rounds[-1].held_out < before - 0.7


@pytest.mark.parametrize("cell", ["lstm", "gru"])
def test_it_learns_in_16_bits(cell: str) -> None:
    torch.manual_seed(0)
    recipe = load_recipe(
        "samplernn", [*TINY, f"cell={cell}", "precision=bfloat16", "round_updates=20", "learning_rate=0.01"]
    )
    codes = made_codes(3.0)
    network = new_network(network_shape(recipe, MulawCodec(8000, 0.5, 0.8)))
    fitting = Fitting(network, recipe, [codes[:20000]], [codes[20000:]], np.ones(1), 0)
    while fitting.updates < 60:
        fitting.run_round(Budget(updates=60), lambda: 0.0, lambda updates, loss: None)  # noqa: ARG005
    assert fitting.rounds[-1].held_out < np.log(256) - 0.5


def test_a_training_that_is_taken_up_goes_on_as_it_would_have() -> None:
    recipe = load_recipe("samplernn", [*TINY, "round_updates=4"])
    codes = made_codes()

    def new_fitting() -> Fitting:
        torch.manual_seed(0)
        network = new_network(network_shape(recipe, MulawCodec(8000, 0.5, 0.8)))
        return Fitting(network, recipe, [codes[:7000]], [codes[7000:]], np.ones(1), 0)

    def run_round(fitting: Fitting) -> None:
        fitting.run_round(Budget(updates=8), lambda: 0.0, lambda updates, loss: None)  # noqa: ARG005

    whole, resumed = new_fitting(), new_fitting()
    run_round(whole)
    resumed.take_up(whole.to_plain())
    for fitting in (whole, resumed):
        run_round(fitting)
    weights = whole.network.weights()
    assert all(np.array_equal(array, weights[name]) for name, array in resumed.network.weights().items())
    assert resumed.rounds == whole.rounds


def test_codes_that_sound_alike_begin_with_like_embeddings() -> None:
    embedding = first_embedding(256, 6)
    distances = torch.cdist(embedding, embedding)
    assert (distances[128, 120:137].argsort()[:3].sort().values == torch.tensor([7, 8, 9])).all()
    assert distances[128, 129] < distances[128, 140] < distances[128, 250]


def test_it_trains_shows_what_it_is_and_plays(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    audio = write_sound(tmp_path / "a.wav", melody(6.0, 8000), 8000)
    out, played = tmp_path / "m.safetensors", tmp_path / "played.wav"
    options = [part for option in [*TINY, "sample_rate=8000", "round_updates=3"] for part in ("--set", option)]
    assert main(["train", str(audio), "--out", str(out), "--recipe", "samplernn", "--steps", "6", *options]) == 0
    checkpoint = Checkpoint.load(out)
    assert (checkpoint.network.frame, checkpoint.network.reach) == (8, 10)
    assert checkpoint.codec.options()["pre_emphasis"] == pytest.approx(0.86)
    assert all(state["recent"].shape == (10,) for state in checkpoint.states.values())
    assert main(["inspect", str(out)]) == 0
    assert "a turn every 8 steps above a perceptron over 10" in capsys.readouterr().out
    for source in ("corpus", "silence", str(audio)):
        assert main(["render", str(out), "--out", str(played), "--seconds", "0.3", "--prime", source]) == 0


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        (["unroll=1000"], r"unroll is 1000, not a multiple of frame=32: set unroll=992"),
        (["cell=conv"], r"cell=conv can't turn every 32 samples: choose lstm, gru or rnn, or frame=0"),
        (["feeding=shuffled"], r"feeding=shuffled goes without tiers: set feeding=streams, or frame=0"),
        (["draws=33"], r"draws is 33, more than frame=32 has: set draws=0 for all"),
        (["reach=0"], r"reach is 0, outside 1\.\.1024"),
        (["frame=2000"], r"frame is 2000, outside 0\.\.1024"),
        (["pre_emphasis=1.5"], r"pre_emphasis is 1\.5, outside 0\.\.0\.99"),
    ],
)
def test_options_that_make_no_tiers_are_refused_in_one_sentence(options: list[str], sentence: str) -> None:
    with pytest.raises(ConfigurationError, match=sentence):
        load_recipe("samplernn", options)
    assert load_recipe("samplernn", ["frame=0", "unroll=1000"]).frame == 0
