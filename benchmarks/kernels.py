"""Prints how fast one core steps a network, beside plain loops and what the machine can do at most.

python benchmarks/kernels.py [--hidden 48,128,256,512,1024] [--seconds 0.1]

The network is an LSTM of two layers, one number in and one out, and feeds itself: `run_features`, as it is played.
Real time is 22,050 steps a second. For each size and precision:

    steps/s      median of the repeats, in processor time
    x real time  steps/s over 22,050
    x plain      over that of plain numba loops on float32, which the compiler vectorises as it sees fit; run in turn
    SGEMM        share of the rate of a product of two 1024 x 1024 matrices (NumPy's, one thread)
    memory       share of the rate at which one core reads 256 MiB, in bytes of weights
    deviation    root mean square of what differs from float32 in predicting a sound one step ahead, over the deviation
                 of the prediction in float32
"""

import argparse
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import numpy as np
from numba import njit
from numpy.typing import NDArray

from making import amplitude_checkpoint, melody
from noizenet.checkpoint import Checkpoint
from noizenet_daemon.engine_numba import NumbaEngine, new_network_state
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.precision import PRECISIONS, turned_weights

Array = NDArray[Any]
REAL_TIME, REPEATS = 22_050, 7
BYTES = {"f32": 4, "bf16": 2, "int8": 1}


@njit(fastmath=True, nogil=True, inline="always")
def plain_tanh(x: Any) -> Any:
    """Returns tanh by the same rational function as the kernels'."""
    x = min(max(x, np.float32(-7.90531)), np.float32(7.90531))
    s = x * x
    p = s * np.float32(-2.76076847742355e-16) + np.float32(2.00018790482477e-13)
    p = p * s + np.float32(-8.60467152213735e-11)
    p = p * s + np.float32(5.12229709037114e-08)
    p = p * s + np.float32(1.48572235717979e-05)
    p = p * s + np.float32(6.37261928875436e-04)
    p = p * s + np.float32(4.89352455891786e-03)
    q = s * np.float32(1.19825839466702e-06) + np.float32(1.18534705686654e-04)
    q = q * s + np.float32(2.26843463243900e-03)
    q = q * s + np.float32(4.89352518554385e-03)
    return x * p / q


@njit(fastmath=True, nogil=True, inline="always")
def plain_sigmoid(x: Any) -> Any:
    """Returns 1 / (1 + e^-x)."""
    return np.float32(0.5) + np.float32(0.5) * plain_tanh(np.float32(0.5) * x)


@njit(fastmath=True, nogil=True)
def plain_product(x: Any, weights: Any, out: Any) -> None:
    """Adds x (n,) times weights (n, m) to out (m,), four rows at a time."""
    n, m = weights.shape
    whole = n - n % 4
    for i in range(0, whole, 4):
        a, b, c, d = x[i], x[i + 1], x[i + 2], x[i + 3]
        for j in range(m):
            out[j] += a * weights[i, j] + b * weights[i + 1, j] + c * weights[i + 2, j] + d * weights[i + 3, j]
    for i in range(whole, n):
        for j in range(m):
            out[j] += x[i] * weights[i, j]


@njit(fastmath=True, nogil=True)
def plain_run(inputs: Any, recurrent: Any, biases: Any, head: Any, h: Any, c: Any, gates: Any, out: Any) -> None:
    """Generates out (steps,): the network above in plain loops."""
    units = h.shape[1]
    last = np.zeros(1, np.float32)
    for step in range(out.shape[0]):
        for layer in range(2):
            gates[:] = biases[layer]
            plain_product(h[0] if layer else last, inputs[layer], gates)
            plain_product(h[layer], recurrent[layer], gates)
            for k in range(units):
                i, f = plain_sigmoid(gates[k]), plain_sigmoid(gates[units + k])
                g, o = plain_tanh(gates[2 * units + k]), plain_sigmoid(gates[3 * units + k])
                c[layer, k] = f * c[layer, k] + i * g
                h[layer, k] = o * plain_tanh(c[layer, k])
        last[0] = np.float32(0.0)
        for k in range(units):
            last[0] += h[1, k] * head[k]
        out[step] = last[0]


def plain_runner(checkpoint: Checkpoint, steps: int) -> Callable[[], None]:
    """Returns what generates some steps in plain loops."""
    weights, hidden = checkpoint.weights, checkpoint.network.hidden
    inputs, recurrent = (
        tuple(np.ascontiguousarray(weights[f"rnn.weight_{kind}_l{layer}"].T) for layer in range(2))
        for kind in ("ih", "hh")
    )
    biases = np.stack([weights[f"rnn.bias_ih_l{layer}"] + weights[f"rnn.bias_hh_l{layer}"] for layer in range(2)])
    h, c = (np.zeros((2, hidden), np.float32) for _ in range(2))
    gates, out = np.zeros(4 * hidden, np.float32), np.zeros(steps, np.float32)
    head = weights["output.0.weight"][0]
    return lambda: plain_run(inputs, recurrent, biases, head, h, c, gates, out)


def kernel_runner(engine: NumbaEngine, steps: int) -> Callable[[], None]:
    """Returns what generates some steps with an engine."""
    state, out = new_network_state(engine.shape, 1), np.zeros((steps, 1), np.float32)
    return lambda: engine.run(state, Controls(), out)


def medians(runners: dict[str, Callable[[], Any]]) -> dict[str, float]:
    """Returns the median processor time of each, s; they take turns, so that all meet the same neighbours."""
    times: dict[str, list[float]] = {name: [] for name in runners}
    for repeat in range(REPEATS + 1):
        for name, run in runners.items():
            started = time.thread_time()
            run()
            if repeat:  # the first compiles
                times[name].append(time.thread_time() - started)
    return {name: statistics.median(spent) for name, spent in times.items()}


@njit(nogil=True, fastmath=True)
def read(values: Any) -> Any:
    """Returns the sum of values (4, n), its rows read side by side."""
    total = np.float32(0.0)
    for k in range(values.shape[1]):
        total += values[0, k] + values[1, k] + values[2, k] + values[3, k]
    return total


def limits() -> tuple[float, float]:
    """Returns what the machine can do at most: flop/s of SGEMM, and bytes/s that one core reads."""
    square, large = np.ones((1024, 1024), np.float32), np.ones((4, 1 << 24), np.float32)
    spent = medians({"sgemm": lambda: square @ square, "read": lambda: read(large)})
    return 2.0 * 1024**3 / spent["sgemm"], large.nbytes / spent["read"]


def deviation(checkpoint: Checkpoint, precision: Any) -> float:
    """Returns how far one-step predictions differ from those of float32, relative to their own deviation."""
    sound = melody(0.05)[:, None] / np.float32(0.25)
    found = {}
    for name in ("f32", precision):
        found[name] = np.zeros_like(sound)
        NumbaEngine(checkpoint, name).predict(new_network_state(checkpoint.network, 1), sound, found[name])
    return float(np.sqrt(np.mean(np.square(found[precision] - found["f32"]))) / found["f32"].std())


def measure(hidden: int, seconds: float) -> None:
    """Prints the lines of one size."""
    checkpoint = amplitude_checkpoint(layers=2, hidden=hidden, sample_rate=REAL_TIME)
    count = turned_weights(checkpoint.network)
    steps = max(8, int(seconds * 1e10 / count))
    runners = {"plain": plain_runner(checkpoint, steps)}
    for precision in PRECISIONS:
        runners[precision] = kernel_runner(NumbaEngine(checkpoint, precision), steps)
    spent = medians(runners)
    sgemm, reading = limits()
    for name, time_spent in spent.items():
        rate = steps / time_spent
        line = f"{hidden:6} {name:6}{rate:11,.0f}{rate / REAL_TIME:9.2f}{spent['plain'] / time_spent:9.2f}"
        line += f"{2.0 * count * rate / sgemm:8.0%}{BYTES.get(name, 4) * count * rate / reading:9.0%}"
        print(line + (f"{deviation(checkpoint, name):11.1e}" if name != "plain" else ""), flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--hidden", default="48,128,256,512,1024", help="sizes (default: %(default)s)")
    parser.add_argument("--seconds", type=float, default=0.1, help="of a repeat, about (default: %(default)s)")
    arguments = parser.parse_args()
    sgemm, reading = limits()
    print(f"SGEMM {sgemm / 1e9:.0f} Gflop/s, memory {reading / 1e9:.0f} GB/s on one core")
    print("hidden weights   steps/s   x real  x plain   SGEMM   memory  deviation")
    for hidden in map(int, arguments.hidden.split(",")):
        measure(hidden, arguments.seconds)


if __name__ == "__main__":
    main()
