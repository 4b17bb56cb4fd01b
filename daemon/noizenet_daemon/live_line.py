"""The live line: level, speed, underruns and latency, rewritten in place on a terminal."""

import sys
from collections.abc import Mapping

from noizenet.parameter import Value

METER_CELLS = 20
METER_RANGE_DB = 60.0


class LiveLine:
    """Shows the status on standard error."""

    def __init__(self, mode: str) -> None:
        """Args:
        mode: "on", "off", or "auto" for on a terminal only.
        """
        self._is_on = mode == "on" or (mode == "auto" and sys.stderr.isatty())

    def show(self, status: Mapping[str, Value]) -> None:
        """Rewrites the line."""
        if self._is_on:
            sys.stderr.write(f"\r{live_line(status)}\x1b[K")
            sys.stderr.flush()

    def close(self) -> None:
        """Leaves the last state standing, and the cursor below it."""
        if self._is_on:
            sys.stderr.write("\n")
            sys.stderr.flush()


def live_line(status: Mapping[str, Value]) -> str:
    """Returns the line for what `Instrument.status` answers."""
    level = float(status["level_db"])
    cells = round(METER_CELLS * min(max(1.0 + level / METER_RANGE_DB, 0.0), 1.0))
    meter = "#" * cells + "." * (METER_CELLS - cells)
    return (
        f"[{meter}] {level:6.1f} dB  {float(status['realtime_factor']):5.1f} x real time  "
        f"underruns {status['underruns']}  latency {float(status['latency_ms']):4.0f} ms  {status['checkpoint']}"
    )
