"""Charts as SVG inside the page: their lines and letters take the page's colours, in the light and in the dark."""

import base64
import io
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]

WIDE, SMALL = (640, 220), (340, 150)  # sizes of charts, in the units that letters are 11 high
LEFT, RIGHT, TOP, BOTTOM = 62, 12, 8, 36
COLUMNS = 400  # of a wave or a spectrogram
MOST_POINTS = 600  # of a line
LOWEST_HZ = 40.0
RANGE_DB = 70.0
LEAST_LOUDEST_DB = -40.0  # of a spectrogram: a constant's rounding is drawn as silence
SPECTRUM_ROWS = 120
COLOURS = 6  # that the page's style names, c0 to c5


@dataclass(frozen=True)
class Line:
    """A line of a chart: a name for the legend, and its points."""

    name: str
    x: Sequence[float]
    y: Sequence[float]


@dataclass(frozen=True)
class Axis:
    """An axis: its meaning, its ends, and whether it is logarithmic."""

    meaning: str
    low: float
    high: float
    log: bool = False

    def place(self, value: float) -> float:
        """Returns where a value lies, 0 at the low end and 1 at the high one."""
        if self.log:
            return math.log(max(value, 1e-300) / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)

    def ticks(self) -> list[float]:
        """Returns three to six round values."""
        if self.log:
            lowest, highest = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            powers = [10.0**power for power in range(lowest, highest + 1, max(1, (highest - lowest) // 5))]
            return [power for power in powers if self.low * 0.999 <= power <= self.high * 1.001]
        rough = (self.high - self.low) / 4.0
        unit = 10.0 ** math.floor(math.log10(rough))
        step = next(unit * factor for factor in (1.0, 2.0, 2.5, 5.0, 10.0) if unit * factor >= rough * 0.999)
        first = math.ceil(self.low / step - 1e-9)
        count = math.floor(self.high / step + 1e-9) - first + 1
        return [(first + index) * step for index in range(count)]


@dataclass(frozen=True)
class Frame:
    """The area that is drawn in, with its two axes."""

    size: tuple[int, int]
    across: Axis
    upwards: Axis

    @property
    def width(self) -> int:
        """Of the area inside."""
        return self.size[0] - LEFT - RIGHT

    @property
    def height(self) -> int:
        """Of the area inside."""
        return self.size[1] - TOP - BOTTOM

    def x(self, value: float) -> float:
        """Returns the place of a value across."""
        return LEFT + self.across.place(value) * self.width

    def y(self, value: float) -> float:
        """Returns the place of a value upwards."""
        return TOP + (1.0 - self.upwards.place(value)) * self.height

    def points(self, pairs: Iterable[tuple[float, float]]) -> str:
        """Returns places as SVG lists them."""
        return " ".join(f"{self.x(value):.1f},{self.y(height):.1f}" for value, height in pairs)

    def mark(self, value: float) -> str:
        """Returns a dashed line upwards."""
        place = f"{self.x(value):.1f}"
        return f'<line class="mark" x1="{place}" x2="{place}" y1="{TOP}" y2="{TOP + self.height}"/>'

    def around(self, inside: str, label: str) -> str:
        """Returns the whole chart: what is drawn inside, the frame and the axes."""
        width, height = self.size
        parts = [
            f'<svg class="chart" viewBox="0 0 {width} {height}" role="img" aria-label="{escape(label, quote=True)}">',
            inside,
            f'<rect class="frame" x="{LEFT}" y="{TOP}" width="{self.width}" height="{self.height}"/>',
        ]
        for value in self.across.ticks():
            parts.append(f'<text class="t" x="{self.x(value):.1f}" y="{height - BOTTOM + 14}">{_number(value)}</text>')
        for value in self.upwards.ticks():
            parts.append(f'<text class="t e" x="{LEFT - 6}" y="{self.y(value) + 4:.1f}">{_number(value)}</text>')
        middle_x, middle_y = LEFT + self.width / 2, TOP + self.height / 2
        parts.append(f'<text class="t" x="{middle_x}" y="{height - 6}">{escape(self.across.meaning)}</text>')
        turned = f'transform="translate(12 {middle_y}) rotate(-90)"'
        parts.append(f'<text class="t" {turned}>{escape(self.upwards.meaning)}</text>')
        return "".join([*parts, "</svg>"])


def line_chart(
    lines: Sequence[Line], x: str, y: str, *, log_x: bool = False, label: str = "", size: tuple[int, int] = WIDE
) -> str:
    """Returns a chart of lines; what isn't finite is left out. Empty if there is nothing to draw."""
    kept = [_finite(line, log_x) for line in lines]
    kept = [line for line in kept if len(line.x)]
    if not kept:
        return ""
    across = _axis(x, np.concatenate([line.x for line in kept]), log_x, 0.0)
    frame = Frame(size, across, _axis(y, np.concatenate([line.y for line in kept]), False, 0.05))
    drawn = [
        f'<polyline class="c{number % COLOURS}" points="{frame.points(zip(line.x, line.y, strict=True))}"/>'
        for number, line in enumerate(kept)
    ]
    legend = "".join(
        f'<span class="k c{number % COLOURS}">{escape(line.name)}</span>' for number, line in enumerate(kept)
    )
    return frame.around("".join(drawn), label) + f'<p class="legend">{legend}</p>'


def wave_chart(samples: Array, rate: int, primed_s: float = 0.0, label: str = "") -> str:
    """Returns the wave of samples (n,): the least and the greatest of each column.

    Args:
        primed_s: what the network was given; from there on it plays, and a line marks the place.
    """
    parts = np.array_split(samples, min(COLUMNS, len(samples)))
    times = (np.arange(len(parts)) + 0.5) * len(samples) / rate / len(parts) - primed_s
    peak = max(float(np.abs(samples).max()), 1e-6)
    across = Axis("seconds", -primed_s, len(samples) / rate - primed_s)
    frame = Frame(SMALL, across, Axis("amplitude", -peak, peak))
    edges = [(float(time), float(part.max())) for time, part in zip(times, parts, strict=True)]
    edges += [(float(time), float(part.min())) for time, part in zip(times[::-1], parts[::-1], strict=True)]
    mark = frame.mark(0.0) if primed_s else ""
    return frame.around(f'<polygon class="wave" points="{frame.points(edges)}"/>{mark}', label)


def spectrogram_chart(samples: Array, rate: int, primed_s: float = 0.0, label: str = "") -> str:
    """Returns the spectrogram of samples (n,) over a logarithmic axis of frequency, 70 dB down from the loudest."""
    from matplotlib.image import imsave

    from noizenet_training.pictures.plots import Sound, spectrogram

    edges = np.geomspace(LOWEST_HZ, rate / 2, SPECTRUM_ROWS + 1)
    levels = spectrogram(Sound("", samples, rate), edges)
    levels = levels[:, np.linspace(0, levels.shape[1] - 1, min(COLUMNS, levels.shape[1])).astype(int)]
    loudest = max(float(levels.max()), LEAST_LOUDEST_DB)
    picture = io.BytesIO()
    imsave(picture, levels[::-1], vmin=loudest - RANGE_DB, vmax=loudest, cmap="magma", format="png")
    across = Axis("seconds", -primed_s, len(samples) / rate - primed_s)
    frame = Frame(SMALL, across, Axis("Hz", LOWEST_HZ, rate / 2, log=True))
    data = base64.b64encode(picture.getvalue()).decode()
    image = (
        f'<image x="{LEFT}" y="{TOP}" width="{frame.width}" height="{frame.height}" '
        f'preserveAspectRatio="none" href="data:image/png;base64,{data}"/>'
    )
    return frame.around(image + (frame.mark(0.0) if primed_s else ""), label)


def _finite(line: Line, log_x: bool) -> Line:
    """Returns a line of its finite points, thinned."""
    x, y = np.asarray(line.x, np.float64), np.asarray(line.y, np.float64)
    good = np.isfinite(x) & np.isfinite(y) & ((x > 0) if log_x else True)
    x, y = x[good], y[good]
    if len(x) > MOST_POINTS:
        places = np.geomspace(1, len(x), MOST_POINTS) - 1 if log_x else np.linspace(0, len(x) - 1, MOST_POINTS)
        chosen = np.unique(places.astype(int))
        x, y = x[chosen], y[chosen]
    return Line(line.name, x.tolist(), y.tolist())


def _axis(meaning: str, values: Array, log: bool, margin: float) -> Axis:
    low, high = float(values.min()), float(values.max())
    if log:
        return Axis(meaning, low, max(high, low * 1.01), True)
    spread = (high - low) or max(abs(high), 1.0) * 0.1
    return Axis(meaning, low - margin * spread, low + (1.0 + margin) * spread)


def _number(value: float) -> str:
    if abs(value) < 1e-12:
        return "0"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"
