"""The paper's figures: the values that are drawn, and the pictures."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from making import melody, tone, write_sound
from noizenet.errors import InputFileError, SoundFileError, UsageError
from noizenet_training.pictures.activations import ACTIVATIONS, activation_figure
from noizenet_training.pictures.descent import (
    cliff,
    cliff_gradient,
    clip_by_norm,
    clip_by_value,
    descend,
    sines,
    sines_gradient,
)
from noizenet_training.pictures.drawings import clipping_figure, descent_figure, fourier_figure, perlin_figure
from noizenet_training.pictures.figures import FIGURES, write_all, write_figure

RATE = 22050


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("heaviside", [0.0, 0.0, 0.0, 1.0, 1.0]),
        ("relu", [0.0, 0.0, 0.0, 0.5, 1000.0]),
        ("sigmoid", [0.0, 0.37754067, 0.5, 0.62245933, 1.0]),
        ("tanh", [-1.0, -0.46211716, 0.0, 0.46211716, 1.0]),
    ],
)
def test_activations_have_the_values_of_their_equations(name: str, values: list[float]) -> None:
    places = np.array([-1000.0, -0.5, 0.0, 0.5, 1000.0])
    with np.errstate(all="raise"):
        assert ACTIVATIONS[name][1](places) == pytest.approx(values, abs=1e-8)


@pytest.mark.parametrize("name", ACTIVATIONS)
def test_a_drawn_activation_is_its_function(name: str) -> None:
    (axes,) = activation_figure(name).axes
    curves = [line for line in axes.lines if len(line.get_xdata()) > 2]
    x = np.concatenate([line.get_xdata() for line in curves])
    y = np.concatenate([line.get_ydata() for line in curves])
    assert (x.min(), x.max(), len(x)) == (-5.0, 5.0, 1001)
    assert np.array_equal(y, ACTIVATIONS[name][1](x))
    assert axes.get_xlabel() == "x"


def test_a_step_is_drawn_without_a_slope() -> None:
    (axes,) = activation_figure("heaviside").axes
    below, above = axes.lines[:2]
    assert (below.get_xdata()[-1], set(below.get_ydata())) == (0.0, {0.0})
    assert set(above.get_ydata()) == {1.0}


def difference_quotient(function: Callable[..., np.ndarray], place: np.ndarray) -> np.ndarray:
    near = 1e-6 * np.eye(2)
    rises = [function(*(place + step)) - function(*(place - step)) for step in near]
    return np.array([float(rise) for rise in rises]) / 2e-6


@pytest.mark.parametrize("place", [(1.4, 0.5), (-2.0, 3.0)])
def test_the_gradient_of_the_sines_is_theirs(place: tuple[float, float]) -> None:
    expected = difference_quotient(sines, np.array(place))
    assert sines_gradient(np.array(place)) == pytest.approx(expected, abs=1e-8)


@pytest.mark.parametrize("place", [(4.6, -2.9), (4.65, -2.45), (5.0, -2.0)])
def test_the_gradient_of_the_cliff_is_its(place: tuple[float, float]) -> None:
    expected = difference_quotient(cliff, np.array(place))
    assert cliff_gradient(np.array(place)) == pytest.approx(expected, rel=1e-4, abs=1e-8)


def test_descent_goes_down_at_every_step_and_ends_in_a_minimum() -> None:
    heights = sines(*descend(sines_gradient, (1.4, 0.5), 0.15, 200).T)
    assert (np.diff(heights[:100]) < 0).all()
    assert heights[-1] == pytest.approx(-2.0, abs=1e-9)


def test_momentum_comes_to_the_minimum_sooner_and_beyond_it() -> None:
    plain = sines(*descend(sines_gradient, (1.4, 0.5), 0.15, 60).T)
    heavy = sines(*descend(sines_gradient, (1.4, 0.5), 0.15, 60, momentum=0.8).T)
    assert np.argmax(heavy < -1.8) < np.argmax(plain < -1.8)
    assert (np.diff(heavy) > 0).any()
    assert heavy[-1] == pytest.approx(-2.0, abs=1e-3)


def test_clipping_bounds_a_step_and_only_the_norm_keeps_its_direction() -> None:
    slope = np.array([30.0, 0.1])
    assert clip_by_value(0.3)(slope) == pytest.approx([0.3, 0.1])
    shortened = clip_by_norm(0.3)(slope)
    assert np.hypot(*shortened) == pytest.approx(0.3)
    assert shortened[1] / shortened[0] == pytest.approx(slope[1] / slope[0])
    small = np.array([0.1, -0.1])
    assert np.array_equal(clip_by_norm(0.3)(small), small)
    assert np.array_equal(clip_by_value(0.3)(small), small)
    assert np.array_equal(clip_by_norm(0.3)(np.zeros(2)), np.zeros(2))


def test_the_descent_figure_shows_both_paths_twice() -> None:
    surface, losses = descent_figure().axes
    assert [line.get_label() for line in losses.lines] == ["without momentum", "momentum 0.8"]
    assert len(surface.lines) == 2
    assert (np.diff(losses.lines[0].get_ydata()) < 0).all()
    assert surface.get_zlabel() == "f(x, y)"


def test_at_the_cliff_only_the_unclipped_step_is_long() -> None:
    above, lengths, _ = clipping_figure().axes
    assert len(above.lines) == 3
    unclipped, by_value, by_norm, bound = lengths.lines
    limit = bound.get_ydata()[0]
    assert unclipped.get_ydata().max() > 3 * limit
    assert by_value.get_ydata().max() <= np.sqrt(2) * limit * (1 + 1e-9)
    assert by_norm.get_ydata().max() <= limit * (1 + 1e-9)


def test_perlin_noise_is_drawn_as_a_sound_and_by_its_seed() -> None:
    waves = [perlin_figure(seed).axes[2].lines[0].get_ydata() for seed in (0, 0, 1)]
    assert np.array_equal(waves[0], waves[1])
    assert not np.array_equal(waves[0], waves[2])
    assert len(perlin_figure().axes) == 5
    assert perlin_figure().axes[3].get_yscale() == "log"


def test_the_transform_of_a_tone_has_its_peak_there(tmp_path: Path) -> None:
    files = [write_sound(tmp_path / "a.wav", tone(1.0, RATE, 1000.0)), write_sound(tmp_path / "b.wav", melody(2.0))]
    figure = fourier_figure(files)
    grid = np.array(figure.axes).reshape(3, 2)
    assert [axes.get_title() for axes in grid[0]] == ["a.wav", "b.wav"]
    assert all(axes.get_xlabel() == "frequency, Hz" for axes in grid[1:].ravel())
    frequencies, levels = grid[2, 0].lines[0].get_data()
    assert frequencies[levels.argmax()] == pytest.approx(1000.0, rel=0.02)
    assert levels.max() == pytest.approx(20 * np.log10(0.25), abs=0.1)  # half of the amplitude, on either side of 0
    assert len(grid[1, 0].collections) == 2


@pytest.mark.parametrize("samples", [2, 3, 22])
def test_the_transform_of_a_few_samples_is_drawn(tmp_path: Path, samples: int) -> None:
    write_figure("fourier", [write_sound(tmp_path / "a.wav", melody(1.0)[:samples])], tmp_path / "a.png")
    assert (tmp_path / "a.png").exists()


def test_every_figure_without_sounds_is_written(tmp_path: Path) -> None:
    paths = write_all(tmp_path / "figures")
    assert [path.stem for path in paths] == [name for name in FIGURES if name != "fourier"]
    assert all(imread(path).std() > 0.05 for path in paths)
    assert write_all(tmp_path / "figures") == paths


def test_what_can_t_be_drawn_is_named(tmp_path: Path) -> None:
    out = tmp_path / "f.png"
    with pytest.raises(UsageError, match=r"no figure 'sigmiod' \(did you mean sigmoid\?\): there are heaviside, relu"):
        write_figure("sigmiod", [], out)
    with pytest.raises(UsageError, match="the figure fourier needs sounds: noizenet figure fourier A"):
        write_figure("fourier", [], out)
    with pytest.raises(UsageError, match=r"relu is made from its equation: leave out a\.wav"):
        write_figure("relu", [Path("a.wav")], out)
    with pytest.raises(UsageError, match="9 sounds are too many"):
        write_figure("fourier", [Path("a.wav")] * 9, out)
    single = write_sound(tmp_path / "single.wav", np.ones(1, np.float32))
    with pytest.raises(SoundFileError, match=r"single\.wav is too short for a transform"):
        write_figure("fourier", [single], out)
    single.unlink()
    with pytest.raises(InputFileError, match="can't make the folder"):
        write_all(tmp_path / "gone" / "deeper")
    assert not list(tmp_path.iterdir())
