"""Recipes: files, overrides, and every fault at once."""

from dataclasses import replace
from pathlib import Path

import pytest

from noizenet.errors import ConfigurationError
from noizenet_training.recipe import FIELDS, Recipe
from noizenet_training.recipe_reading import describe_options, load_recipe, recipe_names


def test_the_recipes_that_come_along_are_valid() -> None:
    assert {"amplitude", "mulaw", "tokens", "paper-lstm"} <= set(recipe_names())
    recipes = {name: load_recipe(name) for name in recipe_names()}
    assert all(recipes[name].codec == name for name in ("amplitude", "mulaw", "tokens"))


def test_the_paper_s_recipes_have_the_settings_of_its_table() -> None:
    paper = load_recipe("paper-lstm")
    assert (paper.layers, paper.hidden, paper.loss, paper.optimiser, paper.learning_rate) == (
        2,
        50,
        "mse",
        "adam",
        1e-4,
    )
    assert (paper.clip, paper.clip_by, paper.dropout, paper.scaler, paper.feeding) == (
        1.0,
        "value",
        0.5,
        "zscore",
        "one_shot",
    )
    assert load_recipe("paper-rnn") == replace(paper, cell="rnn")
    assert load_recipe("paper-gru") == replace(paper, cell="gru")


def test_a_recipe_takes_over_what_its_base_says_and_means_something_for_its_codec(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('base = "paper-lstm"\ncodec = "mulaw"\nhidden = 32\n')
    recipe = load_recipe(str(path))
    assert (recipe.hidden, recipe.layers, recipe.clip_by) == (32, 2, "value")
    assert "scaler" not in recipe.to_json()


def test_bases_that_go_round_in_a_circle_are_refused(tmp_path: Path) -> None:
    first, second = tmp_path / "first.toml", tmp_path / "second.toml"
    first.write_text(f'base = "{second}"\n')
    second.write_text(f'base = "{first}"\n')
    with pytest.raises(ConfigurationError, match="go round in a circle"):
        load_recipe(str(first))
    first.write_text("base = 3\n")
    with pytest.raises(ConfigurationError, match="base is 3, not the name of a recipe"):
        load_recipe(str(first))


def test_the_defaults_of_the_options_are_those_of_the_recipe_tokens_where_it_names_them() -> None:
    recipe = load_recipe("tokens")
    different = [name for name in FIELDS if getattr(recipe, name) != getattr(Recipe(), name)]
    assert different == []


def test_overrides_are_converted_to_the_option_s_type() -> None:
    recipe = load_recipe("tokens", ["hidden=64", "dropout=0.25", "cell=gru", "learning_rate=1e-4", " layers = 1 "])
    assert (recipe.hidden, recipe.dropout, recipe.cell, recipe.learning_rate, recipe.layers) == (
        64,
        0.25,
        "gru",
        1e-4,
        1,
    )


@pytest.mark.parametrize(
    ("override", "fault"),
    [
        ("hiden=64", "no option 'hiden'; did you mean hidden"),
        ("zzz=1", "no option 'zzz'; there are codec"),
        ("hidden=many", "hidden takes a whole number, not 'many'"),
        ("hidden=1.5", "hidden takes a whole number, not '1.5'"),
        ("hidden=0", "hidden is 0, outside 1..4096"),
        ("dropout=nan", "dropout is nan, outside 0..0.9"),
        ("cell=lstn", "cell can't be 'lstn'; did you mean lstm"),
        ("hidden", "write key=value"),
        ("overlap=6", "overlap is 6, not a power of two"),
        ("sample_rate=5", "sample_rate is neither 0 nor at least 4000"),
        ("input_noise=0.1", "input_noise means nothing for the codec tokens, only for amplitude"),
        ("stride=5", "stride means nothing for feeding=streams, only for windows"),
        ("momentum=0.9", "momentum means nothing for optimiser=adamw, only for sgd"),
    ],
)
def test_a_faulty_override_is_named_with_a_remedy(override: str, fault: str) -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_recipe("tokens", [override])
    assert fault in str(raised.value)


def test_all_faults_are_told_at_once() -> None:
    with pytest.raises(ConfigurationError) as raised:
        load_recipe("tokens", ["hiden=64", "dropout=2", "cell=foo"])
    assert str(raised.value).count(";") >= 3
    for word in ("hiden", "dropout", "foo"):
        assert word in str(raised.value)


def test_an_unknown_recipe_is_answered_with_a_suggestion() -> None:
    with pytest.raises(ConfigurationError, match="did you mean tokens"):
        load_recipe("token")
    with pytest.raises(ConfigurationError, match=r"there are amplitude, mulaw, .*tokens \(a file's name must"):
        load_recipe("xyz")


def test_a_recipe_can_be_a_file_of_one_s_own(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text('codec = "mulaw"\nhidden = 32\n')
    assert load_recipe(str(path)).hidden == 32
    path.write_text("hidden = true\nlayer = 2\n")
    with pytest.raises(ConfigurationError, match=r"hidden takes a whole number, not True.*did you mean layers"):
        load_recipe(str(path))
    path.write_text("hidden = = 2")
    with pytest.raises(ConfigurationError, match="is not valid TOML"):
        load_recipe(str(path))
    with pytest.raises(ConfigurationError, match=r"can't read the recipe .*gone\.toml"):
        load_recipe(str(tmp_path / "gone.toml"))


def test_options_that_exclude_one_another_are_named() -> None:
    with pytest.raises(ConfigurationError, match="loss=mae means nothing for head=gaussian"):
        load_recipe("paper-gaussian", ["loss=mae"])
    with pytest.raises(ConfigurationError, match="layers is 13; of cell=conv at most 12"):
        load_recipe("paper-cnn", ["layers=13"])


def test_the_header_holds_only_options_that_mean_something_for_the_codec() -> None:
    assert "stages" not in load_recipe("mulaw").to_json()
    assert "stages" in load_recipe("tokens").to_json()


def test_every_option_is_described_for_the_help_text() -> None:
    text = describe_options()
    assert all(f"  {name}=" in text for name in FIELDS)
