"""What the network hears in training: noisy, softer, or other codes than its targets, as much as asked for."""

import numpy as np
import pytest
import torch

from making import melody
from noizenet.codecs.mulaw import MulawCodec, code_levels
from noizenet.network import NetworkShape
from noizenet_training.learning.disturbing import disturbed
from noizenet_training.recipe import Recipe


def test_noise_on_numbers_has_the_deviation_asked_for_and_none_by_default() -> None:
    shape = NetworkShape("rnn", 1, 8, "gaussian", features=1)
    inputs = torch.zeros(4, 5000, 1)
    recipe = Recipe(codec="amplitude", input_noise=0.2)
    noisy = disturbed(inputs, shape, recipe, torch.Generator().manual_seed(0))
    assert float(noisy.std()) == pytest.approx(0.2, rel=0.03)
    assert disturbed(inputs, shape, Recipe(codec="amplitude"), torch.Generator()) is inputs


def test_noise_on_codes_moves_them_by_whole_codes_and_never_over_an_end() -> None:
    shape = NetworkShape("rnn", 1, 8, "categorical", 1, 256, 3, 6)
    codes = torch.full((4, 5000, 1), 100)
    recipe = Recipe(codec="mulaw", input_noise=2.0, corruption=0.0)
    noisy = disturbed(codes, shape, recipe, torch.Generator().manual_seed(0))
    assert noisy.dtype == torch.int64
    assert float((noisy - codes).double().std()) == pytest.approx((2.0**2 + 1 / 12) ** 0.5, rel=0.03)
    for end in (0, 255):
        noisy = disturbed(torch.full((4, 5000, 1), end), shape, recipe, torch.Generator().manual_seed(0))
        assert int(noisy.min()) >= 0
        assert int(noisy.max()) <= 255
        assert float((noisy == end).double().mean()) > 0.5
    both = disturbed(codes, shape, Recipe(codec="mulaw", input_noise=1.0, corruption=0.5), torch.Generator())
    assert float(((both - codes).abs() > 10).double().mean()) == pytest.approx(0.5 * 235 / 256, abs=0.02)


def test_a_share_of_the_windows_is_heard_softer_by_one_gain_each_in_one_piece() -> None:
    shape = NetworkShape("lstm", 1, 8, "categorical", 1, 256, 3, 6)
    codec = MulawCodec(8000)
    music = codec.encode(codec.new_encoder_state(), melody(0.25, 8000))
    codes = torch.from_numpy(music).long().expand(4000, -1, -1)
    recipe = Recipe(codec="mulaw", softening=0.3, corruption=0.0)
    softened = disturbed(codes, shape, recipe, torch.Generator().manual_seed(0))
    changed = (softened != codes)[:, :, 0]
    assert float(changed.any(dim=1).double().mean()) == pytest.approx(0.3, abs=0.03)
    levels = code_levels()
    whole = 0
    for row in torch.nonzero(changed.any(dim=1))[:200, 0].tolist():
        places = np.flatnonzero(changed[row])
        first, last = int(places[0]), int(places[-1])
        whole += last - first > 0.95 * len(music)
        before, after = (levels[part[first : last + 1, 0]] for part in (music, softened[row].numpy()))
        assert last - first < 100 or after.std() < 0.15 * before.std()
    assert 30 < whole < 100  # a quarter, and some more


def test_nothing_is_softened_unless_asked_for() -> None:
    shape = NetworkShape("lstm", 1, 8, "categorical", 1, 256, 3, 6)
    codes = torch.full((4, 50, 1), 100)
    assert disturbed(codes, shape, Recipe(codec="mulaw", corruption=0.0), torch.Generator()) is codes
