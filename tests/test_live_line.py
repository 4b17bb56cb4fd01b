"""The live line."""

import pytest

from noizenet.parameter import Value
from noizenet_daemon.live_line import METER_CELLS, LiveLine, live_line

STATUS: dict[str, Value] = {
    "level_db": -15.0,
    "realtime_factor": 41.25,
    "underruns": 3,
    "latency_ms": 63.2,
    "checkpoint": "demo",
}


def test_it_shows_level_speed_underruns_and_latency() -> None:
    assert live_line(STATUS) == (
        "[###############.....]  -15.0 dB   41.2 x real time  underruns 3  latency   63 ms  demo"
    )


@pytest.mark.parametrize(("level", "cells"), [(0.0, 20), (6.0, 20), (-30.0, 10), (-60.0, 0), (-120.0, 0)])
def test_the_meter_stays_in_its_frame(level: float, cells: int) -> None:
    meter = live_line(STATUS | {"level_db": level})[1 : METER_CELLS + 1]
    assert meter == "#" * cells + "." * (METER_CELLS - cells)


def test_it_is_rewritten_in_place_and_left_standing(capsys: pytest.CaptureFixture[str]) -> None:
    line = LiveLine("on")
    line.show(STATUS)
    line.show(STATUS)
    line.close()
    assert capsys.readouterr() == ("", 2 * f"\r{live_line(STATUS)}\x1b[K" + "\n")


@pytest.mark.parametrize("mode", ["off", "auto"])
def test_without_a_terminal_it_says_nothing(mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    line = LiveLine(mode)
    line.show(STATUS)
    line.close()
    assert capsys.readouterr() == ("", "")
