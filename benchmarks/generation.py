"""Prints how fast one core generates: each checkpoint named, or each codec with random weights.

python benchmarks/generation.py [CHECKPOINT...]
"""

import os
import statistics
import sys
import time
from pathlib import Path

os.environ.setdefault("OMP_NUM_THREADS", "1")
sys.path.insert(0, str(Path(__file__).parent.parent / "tests"))

import numpy as np

from making import amplitude_checkpoint, gaussian_checkpoint, mulaw_checkpoint, tiered_checkpoint, tokens_checkpoint
from noizenet.checkpoint import Checkpoint
from noizenet_daemon.config import SHIPPED_CHECKPOINT
from noizenet_daemon.generator import Generator
from noizenet_daemon.kernels.noise import Controls

SECONDS, REPEATS = 4.0, 5
# the recipe's sizes
SAMPLERNN = {"hidden": 256, "frame": 32, "reach": 32, "embedding": 8, "conditioning": 64, "head_hidden": 192}


def measure(name: str, checkpoint: Checkpoint) -> None:
    """Prints the median of some runs, and the spread of single chunks."""
    for engine in ("numba", "torch"):
        generator = Generator(checkpoint, engine)
        state, chunk = generator.new_state(1), np.zeros((generator.chunk_frames, generator.channels), np.float32)
        generator.generate(state, Controls(), chunk)
        seconds = SECONDS if engine == "numba" else SECONDS / 10
        count = max(1, round(seconds * generator.sample_rate / generator.chunk_frames))
        factors, spent = [], []
        for _ in range(REPEATS):
            for _ in range(count):
                started = time.perf_counter()
                generator.generate(state, Controls(), chunk)
                spent.append(time.perf_counter() - started)
            factors.append(count * generator.chunk_frames / generator.sample_rate / sum(spent[-count:]))
        p50, p99 = np.percentile(spent, [50, 99]) * 1000
        print(
            f"{name} {engine}: {statistics.median(factors):.1f} x real time, "
            f"{statistics.median(factors) * generator.step_rate:,.0f} steps/s; {generator.chunk_frames} frames "
            f"take {p50:.2f} ms (p99 {p99:.2f}, longest {max(spent) * 1000:.2f})",
            flush=True,
        )


def main() -> None:
    for path in map(Path, sys.argv[1:]):
        measure(path.stem, Checkpoint.load(path))
    if len(sys.argv) == 1:
        measure("shipped", Checkpoint.load(SHIPPED_CHECKPOINT))
        measure("tokens 1x16", tokens_checkpoint())
        measure("mulaw 2x128", mulaw_checkpoint(layers=2, hidden=128, sample_rate=22050))
        measure("samplernn", tiered_checkpoint(**SAMPLERNN, sample_rate=22050))
        measure("amplitude 2x50", amplitude_checkpoint(layers=2, hidden=50, sample_rate=22050))
        measure("gaussian 2x50", gaussian_checkpoint(layers=2, hidden=50, sample_rate=22050))
        measure("conv 10x32", amplitude_checkpoint("conv", layers=10, hidden=32, sample_rate=22050))


if __name__ == "__main__":
    main()
