"""Plays through JACK's dummy driver for a minute while OSC turns three knobs ten times a second.

Prints missing frames, the share of one core, and how long a change of gain takes to be heard. Needs jackd and
oscsend (Debian: jackd2, liblo-tools).

    python benchmarks/live.py [SECONDS] [CHECKPOINT]
"""

import json
import math
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))
from making import tokens_checkpoint
from noizenet_clients.client import Client
from running import daemon

RATE, PERIOD = 48000, 256
LATENCY_MS = 60.0
CHANGES = 20
KNOBS = {"gain_db": (-12.0, 0.0), "temperature": (0.7, 1.2), "noise": (0.0, 0.3)}


def osc(port: int, parameter: str, value: float) -> None:
    """Sends one message with oscsend, as a user's script would."""
    command = ["oscsend", "127.0.0.1", str(port), f"/noizenet/{parameter}", "f", f"{value:g}"]
    subprocess.run(command, check=True)


def cpu_seconds(pid: int) -> float:
    """Returns the processor time that a process has used, proc(5)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def steady(seconds: float, environment: dict[str, str], checkpoint: list[str]) -> dict[str, float]:
    """Plays while the knobs turn."""
    with daemon(*checkpoint, "--latency-ms", LATENCY_MS, environment=environment) as running:
        with Client.over_zeromq(port=running.port("control")) as noize:
            before, used, started = noize.status(), cpu_seconds(running.process.pid), time.monotonic()
            turn = 0
            while (left := started + seconds - time.monotonic()) > 0:
                share = 0.5 + 0.5 * math.sin(0.37 * turn)
                for name, (low, high) in KNOBS.items():
                    osc(running.port("OSC"), name, low + share * (high - low))
                turn += 1
                time.sleep(max(0.0, min(left, started + 0.1 * turn - time.monotonic())))
            elapsed = time.monotonic() - started
            after, spent = noize.status(), cpu_seconds(running.process.pid) - used
        running.interrupt()
    return {
        "seconds": round(elapsed, 1),
        "turns_a_second": round(3 * turn / elapsed, 1),
        "frames_played": int(after["position"]) - int(before["position"]),
        "missing_frames": int(after["missing_frames"]),
        "underruns": int(after["underruns"]),
        "percent_of_a_core": round(100 * spent / elapsed, 1),
        "realtime_factor": float(after["realtime_factor"]),
    }


def heard_after(environment: dict[str, str]) -> dict[str, float]:
    """Measures the time from oscsend to the change at JACK's input, with a checkpoint of steady noise."""
    import jack

    os.environ.update(environment)
    listener = jack.Client("ear")
    ear = listener.inports.register("in")
    heard: list[tuple[float, float]] = []

    @listener.set_process_callback
    def process(frames: int) -> None:  # noqa: ARG001
        heard.append((time.monotonic(), float(np.sqrt(np.mean(np.square(ear.get_array()))))))

    with tempfile.TemporaryDirectory() as folder:
        noise = Path(folder) / "noise.safetensors"
        tokens_checkpoint().save(noise)
        with daemon(noise, "--latency-ms", LATENCY_MS, environment=environment) as running, listener:
            output = listener.get_ports("PortAudio.*", is_output=True, is_audio=True)[0]
            listener.connect(output, ear)
            time.sleep(1.0)
            delays = []
            for _ in range(CHANGES):
                osc(running.port("OSC"), "gain_db", 0.0)
                time.sleep(0.5)
                loud = statistics.median(level for _, level in heard[-50:])
                sent = time.monotonic()
                osc(running.port("OSC"), "gain_db", -12.0)
                time.sleep(0.5)
                limit = 0.35 * loud  # -9 dB: three quarters of the way to -12 dB
                delays.append(1000 * next(t - sent for t, level in heard if t > sent and level < limit))
            running.interrupt()
    return {
        "latency_setting_ms": LATENCY_MS,
        "heard_after_ms_median": round(statistics.median(delays), 1),
        "heard_after_ms_worst": round(max(delays), 1),
    }


def main() -> None:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 60.0
    environment = {"JACK_DEFAULT_SERVER": f"nzbench{os.getpid()}", "JACK_NO_AUDIO_RESERVATION": "1"}
    name = environment["JACK_DEFAULT_SERVER"]
    quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
    server = subprocess.Popen(
        ["jackd", "-n", name, "-r", "-S", "-d", "dummy", "-r", str(RATE), "-p", str(PERIOD)], **quiet
    )
    try:
        subprocess.run(["jack_wait", "-s", name, "-w", "-t", "20"], check=True, **quiet)
        report = steady(seconds, environment, sys.argv[2:3]) | heard_after(environment)
    finally:
        server.terminate()
        server.wait()
    print(json.dumps(report, indent=1))


if __name__ == "__main__":
    main()
