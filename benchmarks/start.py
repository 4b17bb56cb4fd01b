"""Prints how long `noizenet daemon` takes from its command to its first sound, and what memory it holds.

    python benchmarks/start.py [--times N] [CHECKPOINT ...]

Into nothing (`--output null`), without a checkpoint with that which ships. One start before does not count: it may
compile the kernels. The sound begins just before the daemon says what it plays, which is when the clock is stopped. The
processor time is what it and its interpreter have used until then.
"""

import argparse
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

from live import cpu_seconds

from running import daemon


def start(checkpoint: list[str]) -> tuple[float, float, float]:
    """Returns the seconds until there is sound, by the clock and of the processor, and the memory held then, MB."""
    started = time.perf_counter()
    with daemon(*checkpoint, "--output", "null") as running:
        took, used = time.perf_counter() - started, cpu_seconds(running.process.pid)
        time.sleep(1.0)
        lines = Path(f"/proc/{running.process.pid}/status").read_text().splitlines()
        held = next(int(line.split()[1]) for line in lines if line.startswith("VmRSS:"))
        running.interrupt()
    return took, used, held * 1024 / 1e6


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("checkpoints", nargs="*", metavar="CHECKPOINT")
    parser.add_argument("--times", type=int, default=7, metavar="N")
    given = parser.parse_args()
    print("| checkpoint | s to first sound: median | longest | s of processor time | MB |\n|---|---|---|---|---|")
    for named in [[path] for path in given.checkpoints] or [[]]:
        try:
            start(named)
        except AssertionError as error:  # the daemon ended, and said why
            raise SystemExit(f"start.py: {error}") from None
        times, used, held = zip(*(start(named) for _ in range(given.times)), strict=True)
        name = Path(named[0]).stem if named else "what ships"
        print(
            f"| {name} | {statistics.median(times):.2f} | {max(times):.2f} | {statistics.median(used):.2f} | "
            f"{max(held):.0f} |",
            flush=True,
        )


if __name__ == "__main__":
    main()
