"""Fresh networks have the sizes of the recipes, so that what is measured is what a user trains."""

from dataclasses import replace

import numpy as np
import pytest

from noizenet.codecs.stft import window_length
from noizenet.network import NetworkShape
from noizenet_daemon.benchmark.fresh import FRESH, SAME_NETWORK, fresh_checkpoint, lstm_of
from noizenet_daemon.cost import weights_in_step
from noizenet_training.learning.networks import network_shape
from noizenet_training.recipe import Recipe
from noizenet_training.recipe_reading import load_recipe, recipe_names

VARIANTS = {"paper-mulaw-rnn": ("paper-mulaw", "rnn"), "paper-mulaw-gru": ("paper-mulaw", "gru")}
USUAL_RATE = 44_100  # of a recipe that takes the corpus' own


def recipe_of(name: str) -> Recipe:
    """Returns the recipe that a fresh network stands for."""
    base, cell = VARIANTS.get(name, (name, ""))
    return load_recipe(base, [f"cell={cell}"] if cell else [])


def test_every_recipe_is_measured_or_plays_the_network_of_one_that_is() -> None:
    assert {*FRESH} - {*VARIANTS} | {*SAME_NETWORK} == {*recipe_names()}


@pytest.mark.parametrize(("name", "other"), SAME_NETWORK.items())
def test_recipes_that_share_a_network_do(name: str, other: str) -> None:
    codec = fresh_checkpoint(other).codec
    assert network_shape(load_recipe(name), codec) == network_shape(load_recipe(other), codec)
    assert load_recipe(name).sample_rate == load_recipe(other).sample_rate


@pytest.mark.parametrize("name", FRESH)
def test_a_fresh_network_is_what_its_recipe_trains(name: str) -> None:
    recipe, checkpoint = recipe_of(name), fresh_checkpoint(name)
    codec = checkpoint.codec
    assert checkpoint.network == network_shape(recipe, codec)
    assert (codec.name, codec.sample_rate) == (recipe.codec, recipe.sample_rate or USUAL_RATE)
    if recipe.codec in ("tokens", "fft"):
        assert codec.hop == window_length(recipe.window_s, codec.sample_rate) // recipe.overlap
    if recipe.codec == "tokens":
        assert (codec.width, codec.classes) == (recipe.stages, recipe.classes)
        assert codec.arrays()["components"].shape[0] == recipe.axes
    if recipe.codec == "spectrum":
        assert codec.hop == window_length(recipe.clip_s, codec.sample_rate)
    if recipe.codec == "mulaw":
        assert codec.options().get("pre_emphasis", 0.0) == recipe.pre_emphasis


def test_the_same_fresh_network_comes_again() -> None:
    one, again = fresh_checkpoint("paper-gru"), fresh_checkpoint("paper-gru")
    assert all(np.array_equal(one.weights[name], again.weights[name]) for name in one.weights)
    assert all(array.std() > 0 for name, array in one.weights.items() if name != "output.0.bias")


def test_a_step_is_multiplied_with_all_weights_of_an_lstm_over_numbers() -> None:
    hidden = 20
    expected = 4 * hidden * (1 + hidden) + 4 * hidden * 2 * hidden + hidden
    assert weights_in_step(lstm_of(hidden).network) == expected


def test_what_is_looked_up_costs_no_product() -> None:
    shape = NetworkShape("lstm", 1, 8, "categorical", 2, 16, embedding=5, head_hidden=6)
    assert weights_in_step(shape) == 4 * 8 * 8 + (6 * 8 + 16 * 6) + (6 * (8 + 5) + 16 * 6)
    assert weights_in_step(replace(shape, embedding=7)) - weights_in_step(shape) == 6 * 2


def test_the_upper_of_two_tiers_counts_once_in_a_frame() -> None:
    shape = fresh_checkpoint("samplernn").network
    below = shape.head_hidden * (shape.conditioning + shape.head_hidden) + shape.classes * shape.head_hidden
    above = 4 * 256 * (shape.frame * shape.embedding + 256) + shape.frame * shape.conditioning * 256
    assert weights_in_step(shape) == below + above / shape.frame
