"""The measurements of `noizenet bench` as tables in Markdown: they read well on a terminal, and go into documents."""

from collections.abc import Sequence
from typing import Any

REAL_TIME = 22_050  # steps a second of the paper's LSTM
PLAYING_HEADS = (
    "recipe", "played with", "steps/s", "x real time", "p50 ms", "p95 ms", "p99 ms", "max ms", "of a block", "voices",
    "MB", "SGEMM", "memory",
)  # fmt: skip
SIZE_HEADS = ("hidden", "stepped by", "steps/s", "x real time", "f32 is", "SGEMM", "memory", "deviation")
PLAYING_WIDTHS = (15, 11, 9, 11, 7, 7, 7, 7, 10, 6, 5, 5, 6)
SIZE_WIDTHS = (6, 17, 9, 11, 9, 5, 6, 9)
LEFT = 2  # columns of words
NAMES = {"torch": "PyTorch", "cuda": "CUDA graphs"}  # of engines; a precision is its own


def machine_lines(machine: dict[str, Any], ceilings: dict[str, float]) -> list[str]:
    """Returns what the tables were made on, and the limits of one core."""
    return [
        "{processor}, {cores} cores; {system}; Python {python}, NumPy {numpy}, numba {numba}".format(**machine),
        f"One core at most: SGEMM {ceilings['sgemm'] / 1e9:.1f} Gflop/s, "
        f"reading memory {ceilings['reading'] / 1e9:.1f} GB/s",
    ]


def playing_heads() -> list[str]:
    """Returns the head of the table of what plays."""
    return _heads(PLAYING_HEADS, PLAYING_WIDTHS)


def size_heads() -> list[str]:
    """Returns the head of the table of the LSTM's sizes."""
    return _heads(SIZE_HEADS, SIZE_WIDTHS)


def playing_line(row: dict[str, Any]) -> str:
    """Returns the line of one recipe, played in one way."""
    block = row["block_ms"]
    return _line(
        (
            row["name"],
            NAMES.get(row["contestant"], row["contestant"]),
            f"{row['steps_per_second']:,.0f}",
            _factor(row["realtime_factor"]),
            *(f"{block[name]:.2f}" for name in ("p50", "p95", "p99", "max")),
            f"{1000.0 * row['block_frames'] / row['sample_rate']:.2f}",
            "" if row["voices"] is None else str(row["voices"]),
            f"{row['resident_bytes'] / 1e6:.0f}",
            f"{row['sgemm']:.0%}",
            f"{row['reading']:.0%}",
        ),
        PLAYING_WIDTHS,
    )


def size_lines(size: dict[str, Any]) -> list[str]:
    """Returns the lines of one size; `f32 is` says how many times as fast as a contender the kernels in float32 are."""
    rates = {one["name"]: one["steps_per_second"] for one in size["contenders"]}
    lines = []
    for one in size["contenders"]:
        rate = one["steps_per_second"]
        cells = (
            str(size["hidden"]),
            one["name"],
            f"{rate:,.0f}",
            _factor(rate / REAL_TIME),
            f"{rates['f32'] / rate:.2f} x",
            *("" if one[name] is None else f"{one[name]:.0%}" for name in ("sgemm", "reading")),
            "" if one["deviation"] is None else f"{one['deviation']:.1e}",
        )
        lines.append(_line(cells, SIZE_WIDTHS))
    return lines


def _factor(value: float) -> str:
    """Returns a number with three digits, more or less."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def _heads(names: Sequence[str], widths: Sequence[int]) -> list[str]:
    rules = ["-" * width if place < LEFT else "-" * (width - 1) + ":" for place, width in enumerate(widths)]
    return [_line(names, widths), _line(rules, widths)]


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Returns a row; words to the left, numbers to the right."""
    aligned = [cell.ljust(width) for cell, width in zip(cells[:LEFT], widths[:LEFT], strict=True)]
    aligned += [cell.rjust(width) for cell, width in zip(cells[LEFT:], widths[LEFT:], strict=True)]
    return f"| {' | '.join(aligned)} |"
