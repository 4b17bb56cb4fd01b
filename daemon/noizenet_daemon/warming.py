"""Warming up: everything that is compiled or allocated at first use is used once before the sound starts."""

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

from noizenet_daemon.generator import CORPUS, Generator
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.performance import Performance

SAY_AFTER_S = 1.5
MOMENTS = (Controls(), Controls(noise=0.1, top_p=0.9))  # without noise and with all that there is


def warm_up(generator: Generator, voices: int = 1, listens: bool = True) -> None:
    """Plays a moment of a generator, noise and all. Nothing is heard.

    Args:
        voices: as many will play; where it is quicker, some of them step side by side from now on.
        listens: whether it listens to a moment of silence before, as it may have to later on.
    """
    state, _ = generator.primed_state("silence" if listens else CORPUS, 0)
    block = np.zeros((generator.chunk_frames, generator.channels), np.float32)
    for controls in MOMENTS:
        generator.generate(state, controls, block)
    performance = Performance(generator, [state], sample_rate=generator.sample_rate, channels=2, block_frames=64)
    performance.replace(generator, [generator.copy_of(state)])
    performance.render(np.zeros((64, 2), np.float32))
    if voices > 1:
        generator.share(voices)
        states = [generator.copy_of(state) for _ in range(voices)]
        if 1 < generator.together <= voices:
            blocks = [block.copy() for _ in range(generator.together)]
            for controls in MOMENTS:
                generator.generate_together(states[: len(blocks)], [controls] * len(blocks), blocks)
        performance = Performance(generator, states, sample_rate=generator.sample_rate, channels=2, block_frames=64)
        performance.render(np.zeros((64, 2), np.float32))


@contextmanager
def said_if_slow(sentence: str) -> Iterator[None]:
    """Prints a sentence on standard error if what is inside takes long."""
    timer = threading.Timer(SAY_AFTER_S, lambda: print(sentence, file=sys.stderr, flush=True))
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
