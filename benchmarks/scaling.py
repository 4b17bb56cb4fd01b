"""Prints and draws how the cost of playing grows: with hidden units, with voices, and with the length of a sound.

    python benchmarks/scaling.py [--hidden N,...] [--voices N,...] [--minutes M,...] [--out build/scaling.svg]

Hidden units: the LSTM of two layers, in steps for a second of processor time, beside peers, by turns as `noizenet
bench` does it. Voices: all of them together, in seconds of sound of each voice for a second of processor time, by turns
as `voices.py` does it. Length: `noizenet render` of the checkpoint that ships, in processor time and in the most memory
that its process held; once before it counts, as the first compiles.
"""

import argparse
import os
import subprocess
import tempfile
import time
from pathlib import Path

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"

import voices  # sets up the path to what the tests make
from matplotlib import rcParams, ticker
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from making import amplitude_checkpoint
from noizenet.checkpoint import Checkpoint
from noizenet_daemon.benchmark.sizes import measure_size
from noizenet_daemon.config import SHIPPED_CHECKPOINT

Curves = dict[str, list[tuple[float, float]]]  # of each line its points

TURNS, TURN_S = 5, 0.2
VOICE_S = 0.5  # of one voice a round; of the codec tokens eight times as much


def by_hidden(sizes: list[int]) -> Curves:
    """Returns steps per second over hidden units."""
    curves: Curves = {}
    for hidden in sizes:
        for found in measure_size(hidden, TURN_S, TURNS).contenders:
            curves.setdefault(found.name, []).append((hidden, found.steps_per_second))
    return curves


def by_voices(counts: list[int]) -> Curves:
    """Returns how many times real time all voices together are played, over their number."""
    networks = {
        SHIPPED_CHECKPOINT.stem: (Checkpoint.load(SHIPPED_CHECKPOINT), 8.0 * VOICE_S),
        "LSTM 48": (amplitude_checkpoint(layers=2, hidden=48, sample_rate=22_050), VOICE_S),
        "LSTM 128": (amplitude_checkpoint(layers=2, hidden=128, sample_rate=22_050), VOICE_S),
    }
    curves: Curves = {}
    for name, (checkpoint, seconds) in networks.items():
        shares = name != SHIPPED_CHECKPOINT.stem
        playing = {(count, shares): voices.playing(checkpoint, count, shares) for count in counts}
        spent = voices.medians(playing, seconds)
        curves[name] = [(count, 1.0 / spent[count, shares]) for count in counts]
    return curves


def by_minutes(minutes: list[float]) -> tuple[Curves, Curves]:
    """Returns processor seconds, and memory in MB, of rendering so many minutes."""
    seconds: list[tuple[float, float]] = []
    memory: list[tuple[float, float]] = []
    with tempfile.TemporaryDirectory() as folder:
        command = ["noizenet", "render", str(SHIPPED_CHECKPOINT), "--out", f"{folder}/sound.wav", "--seconds"]
        subprocess.run([*command, "1"], stdout=subprocess.DEVNULL, check=True)
        for length in minutes:
            process = subprocess.Popen([*command, str(60.0 * length)], stdout=subprocess.DEVNULL).pid
            held, ended, used = 0.0, 0, None
            while not ended:
                held = max(held, most_held(process))
                time.sleep(0.05)
                ended, status, used = os.wait4(process, os.WNOHANG)
            if status:
                raise SystemExit(f"scaling.py: {' '.join(command)} failed")
            seconds.append((length, used.ru_utime + used.ru_stime))
            memory.append((length, held))
    return {"processor time": seconds}, {"most memory": memory}


def most_held(process: int) -> float:
    """Returns the most memory that a process has held so far, MB, proc(5); 0 at its end."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) * 1024 / 1e6


def show(title: str, across: str, curves: Curves) -> None:
    """Prints a table: a row for each place across, a column for each curve."""
    print(f"\n{title}\n\n| {across} | {' | '.join(curves)} |\n|{'---|' * (len(curves) + 1)}")
    for place in sorted({x for points in curves.values() for x, _ in points}):
        values = [dict(points).get(place) for points in curves.values()]
        print(f"| {place:g} | {' | '.join('' if value is None else f'{value:,.4g}' for value in values)} |", flush=True)


def draw(axes: Axes, title: str, across: str, curves: Curves) -> None:
    """Draws curves over logarithms of both; over zero, where nothing doubles."""
    for name, points in curves.items():
        axes.loglog(*zip(*points, strict=True), marker="o", markersize=3, label=name)
    axes.set(title=title, xlabel=across)
    values = [y for points in curves.values() for _, y in points]
    if max(values) < 2.0 * min(values):
        axes.set_yscale("linear")
        axes.set_ylim(0.0, 1.5 * max(values))
    places = sorted({x for points in curves.values() for x, _ in points})
    axes.set_xticks(places, [f"{place:g}" for place in places])
    axes.xaxis.set_minor_locator(ticker.NullLocator())
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")


def numbers(text: str) -> list[float]:
    return [float(number) for number in text.split(",")]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hidden", type=numbers, default="16,32,64,128,256,512,1024", metavar="N,...")
    parser.add_argument("--voices", type=numbers, default="1,2,4,8,16,32,64", metavar="N,...")
    parser.add_argument("--minutes", type=numbers, default="0.5,1,4,15,60", metavar="M,...")
    parser.add_argument("--out", type=Path, default=Path("build/scaling.svg"), metavar="F.svg")
    given = parser.parse_args()
    figure = Figure(figsize=(14, 4), layout="constrained")
    panels = iter(figure.subplots(1, 4))

    def both(title: str, across: str, curves: Curves) -> None:
        show(title, across, curves)
        draw(next(panels), title, across, curves)

    both("LSTM of two layers: steps/s", "hidden units", by_hidden([int(size) for size in given.hidden]))
    both("All voices: times real time", "voices", by_voices([int(count) for count in given.voices]))
    seconds, memory = by_minutes(given.minutes)
    both("Rendering: seconds of one core", "minutes of sound", seconds)
    both("Rendering: MB", "minutes of sound", memory)
    rcParams["svg.fonttype"] = "none"
    given.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(given.out)


if __name__ == "__main__":
    main()
