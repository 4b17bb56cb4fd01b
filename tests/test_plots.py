"""Pictures of sounds."""

from pathlib import Path

import numpy as np
import pytest
from matplotlib.image import imread

from making import melody, tone, write_sound
from noizenet.errors import InputFileError, SoundFileError, UsageError
from noizenet_training.pictures.plots import Sound, plot_files, plot_sound, sound_figure, spectrogram

RATE = 22050
EDGES = np.linspace(0.0, RATE / 2, 401)


@pytest.mark.parametrize("seconds", [0.001, 0.5, 3.0])
def test_a_sound_of_any_length_is_drawn(tmp_path: Path, seconds: float) -> None:
    path = tmp_path / "a.png"
    plot_sound(melody(seconds), RATE, path, "a melody")
    picture = imread(path)
    assert picture.shape[:2] == (1000, 1200)
    assert picture.std() > 0.05


@pytest.mark.parametrize("frequency", ["linear", "log"])
def test_silence_and_a_single_sample_are_drawn(tmp_path: Path, frequency: str) -> None:
    for number, samples in enumerate((np.zeros(1000, np.float32), np.ones(1, np.float32))):
        write_sound(tmp_path / f"{number}.wav", samples, 8000)
    plot_files([tmp_path / "0.wav", tmp_path / "1.wav"], tmp_path / "a.png", frequency)
    assert (tmp_path / "a.png").exists()


def test_a_picture_has_wave_envelope_zoom_spectrogram_and_a_scale() -> None:
    figure = sound_figure([Sound("a", tone(2.0), RATE)])
    wave, envelope, zoom, spectrum, scale = figure.axes
    assert [axes.get_ylabel() for axes in (wave, envelope, zoom, spectrum)] == [
        "amplitude",
        "RMS, dBFS",
        "amplitude",
        "frequency, Hz",
    ]
    assert scale.get_ylabel().startswith("dB")
    assert (wave.get_xlim(), zoom.get_xlim(), spectrum.get_ylim()) == ((0, 2), (0, 10), (0, RATE / 2))
    levels = envelope.lines[0].get_ydata()
    assert np.allclose(levels, 20 * np.log10(0.5 / np.sqrt(2)), atol=0.1)


def test_the_zoomed_wave_begins_where_the_sound_does() -> None:
    samples = np.concatenate([np.zeros(RATE, np.float32), tone(1.0)])
    zoom = sound_figure([Sound("a", samples, RATE)]).axes[2]
    assert zoom.get_xlabel() == "time, ms, from 1.000 s"
    time, shown = zoom.lines[0].get_data()
    assert time[-1] == pytest.approx(10.0, abs=0.1)
    assert np.array_equal(shown, samples[RATE + 1 :][: len(shown)])  # a sine's first sample is 0
    both = [Sound("a", samples, RATE), Sound("b", tone(1.0) + 0.1, RATE)]
    assert [axes.get_xlabel() for axes in sound_figure(both).axes[4:6]] == ["time, ms", "time, ms"]


def test_sounds_side_by_side_have_the_same_scales() -> None:
    loud, soft = Sound("loud", tone(3.0), RATE), Sound("soft", 0.01 * melody(1.0, 8000), 8000)
    figure = sound_figure([loud, soft], "log")
    grid = np.array(figure.axes[:8]).reshape(4, 2)
    assert [axes.get_title() for axes in grid[0]] == ["loud", "soft"]
    for left, right in grid:
        assert (left.get_xlim(), left.get_ylim()) == (right.get_xlim(), right.get_ylim())
    meshes = [axes.collections[0] for axes in grid[3]]
    assert meshes[0].get_clim() == meshes[1].get_clim()
    assert all(axes.get_yscale() == "log" for axes in grid[3])


@pytest.mark.parametrize("edges", [EDGES, np.geomspace(30.0, RATE / 2, 401)])
def test_a_tone_lies_at_its_frequency_and_level_on_both_axes(edges: np.ndarray) -> None:
    levels = spectrogram(Sound("a", tone(1.0, RATE, 1000.0, 0.5), RATE), edges).mean(axis=1)
    row = int(levels.argmax())
    assert edges[row] <= 1000.0 + RATE / 2048
    assert edges[row + 1] >= 1000.0 - RATE / 2048
    assert levels[row] == pytest.approx(20 * np.log10(0.5), abs=1.5)  # a tone between two bins loses up to 1.4 dB


def test_what_lies_above_a_sound_s_own_range_is_silence() -> None:
    levels = spectrogram(Sound("a", melody(1.0, 8000), 8000), EDGES)
    assert levels[EDGES[:-1] > 4100].max() == -120.0
    assert levels[EDGES[:-1] < 3900].max() > -60.0


def test_only_the_first_seconds_are_drawn_when_asked_for(tmp_path: Path) -> None:
    write_sound(tmp_path / "a.wav", np.stack([melody(2.0), tone(2.0)], axis=1))
    plot_files([tmp_path / "a.wav"], tmp_path / "all.svg")
    plot_files([tmp_path / "a.wav"], tmp_path / "first.svg", seconds=0.5)
    plot_files([tmp_path / "a.wav"], tmp_path / "again.svg", seconds=0.5)
    whole, first, again = ((tmp_path / f"{name}.svg").read_text() for name in ("all", "first", "again"))
    assert first != whole
    assert len(first) == len(again)


def test_what_can_t_be_drawn_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputFileError, match=r"can't draw .*a\.xyz"):
        plot_sound(melody(0.1), RATE, tmp_path / "a.xyz", "a")
    with pytest.raises(InputFileError, match=r"can't write .*gone/a\.png"):
        plot_sound(melody(0.1), RATE, tmp_path / "gone" / "a.png", "a")
    with pytest.raises(SoundFileError, match=r"gone\.wav"):
        plot_files([tmp_path / "gone.wav"], tmp_path / "a.png")
    with pytest.raises(UsageError, match="9 sounds are too many for one picture: 8 at most"):
        plot_files([tmp_path / "a.wav"] * 9, tmp_path / "a.png")
    assert not list(tmp_path.iterdir())
