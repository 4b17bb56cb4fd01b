"""How fast a checkpoint plays: block by block, as the daemon makes them, without an output."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from noizenet.checkpoint import Checkpoint
from noizenet_daemon.benchmark.block_times import BlockTimes, time_blocks
from noizenet_daemon.benchmark.fresh import FRESH, fresh_checkpoint
from noizenet_daemon.benchmark.resident import resident_bytes
from noizenet_daemon.config import OPTIONS
from noizenet_daemon.cost import BYTES_PER_WEIGHT, weights_in_step
from noizenet_daemon.generator import Generator
from noizenet_daemon.kernels.shared_products import TOGETHER
from noizenet_daemon.performance import Performance, initial_states
from noizenet_daemon.precision import PRECISIONS, Precision
from noizenet_daemon.quick_start import without_collecting
from noizenet_daemon.warming import warm_up

BLOCK_FRAMES: int = OPTIONS["block_frames"][1]  # the daemon's own default
MOST_VOICES = round(OPTIONS["voices"][0].maximum or 1)
ROUNDING = 1e-6  # a number of voices that is whole but for this is whole
# The engine numba in each precision, and the other engines.
Contestant = Literal["f32", "bf16", "int8", "torch", "cuda"]
CONTESTANTS: tuple[Contestant, ...] = (*PRECISIONS, "torch", "cuda")


@dataclass(frozen=True)
class Playing:
    """How a checkpoint played.

    Attributes:
        name: the recipe's, or the file's.
        contestant: a precision of the engine numba, or another engine.
        sample_rate: frames per second of the blocks, the checkpoint's own.
        block_frames: of a block.
        steps_per_second: of processor time, all included that one voice needs: network, codec, memory, safety chain;
            also the time in which the processor waits for a GPU.
        realtime_factor: seconds of sound in a second of processor time.
        block_ms: percentiles of the time on the clock that a block took, and the longest, ms.
        voices: how many play in real time on this core, or on the GPU, 64 at most; None if it wasn't measured.
        resident_bytes: memory of the process that played it, everything included.
        weights: that a step is multiplied with.
        weight_bytes: what they take.
    """

    name: str
    contestant: Contestant
    sample_rate: int
    block_frames: int
    steps_per_second: float
    realtime_factor: float
    block_ms: dict[str, float]
    voices: int | None
    resident_bytes: int
    weights: float
    weight_bytes: float


def checkpoint_of(what: str) -> Checkpoint:
    """Returns a recipe's fresh checkpoint, or the one in a file; raises as `Checkpoint.load` does."""
    return fresh_checkpoint(what) if what in FRESH else Checkpoint.load(Path(what))


def generator_of(what: str, contestant: Contestant) -> Generator:
    """Returns a checkpoint, ready to play; raises as `Checkpoint.load` and `Generator` do."""
    if contestant == "torch" or contestant == "cuda":
        return Generator(checkpoint_of(what), contestant, "f32")
    return Generator(checkpoint_of(what), "numba", contestant)


def measure_playing(what: str, contestant: Contestant, seconds: float) -> Playing:
    """Returns how a recipe or a checkpoint file plays.

    Args:
        seconds: of work for one voice, about; the search for the number of voices takes as long again.
    """
    with without_collecting():
        generator = generator_of(what, contestant)
        warm_up(generator, TOGETHER)
    times = play(generator, 1, seconds)
    resident = resident_bytes()
    voices = None if contestant == "torch" else voices_in_time(generator, seconds / 6)
    shape = generator.checkpoint.network
    weights = weights_in_step(shape)
    precision: Precision = "f32" if contestant == "torch" or contestant == "cuda" else contestant
    return Playing(
        name=generator.checkpoint.name or what,
        contestant=contestant,
        sample_rate=times.sample_rate,
        block_frames=times.block_frames,
        steps_per_second=times.realtime_factor * generator.step_rate,
        realtime_factor=times.realtime_factor,
        block_ms=times.milliseconds(),
        voices=voices,
        resident_bytes=resident,
        weights=weights,
        weight_bytes=BYTES_PER_WEIGHT[precision] * weights,
    )


def play(generator: Generator, voices: int, seconds: float) -> BlockTimes:
    """Returns what blocks of so many voices take, at the checkpoint's own rate and channels."""
    if voices > 1:
        warm_up(generator, voices, listens=False)
    performance = Performance(
        generator,
        initial_states(generator, "corpus", 1, voices),
        sample_rate=generator.sample_rate,
        channels=generator.channels,
        block_frames=BLOCK_FRAMES,
    )
    return time_blocks(performance, BLOCK_FRAMES, seconds, chunk_frames=generator.chunk_frames)


def voices_in_time(generator: Generator, seconds: float, share: float = 1.0) -> int:
    """Returns how many voices one core plays in real time, 0 to 64.

    Args:
        seconds: of work for each number of voices that is tried: 1, 2, 4 ...
        share: of the time that making them may take.
    """
    return most_in_time(lambda voices: 1.0 / play(generator, voices, seconds).realtime_factor, share)


def most_in_time(load: Callable[[int], float], share: float) -> int:
    """Returns the most voices, 0 to 64, whose load is at most `share`, if it is a line between the powers of two.

    Args:
        load: of so many voices: processor time over the time that they sound.
    """
    fewer, lighter = 0, 0.0
    voices = 1
    while voices <= MOST_VOICES:
        heavier = load(voices)
        if heavier > share:
            return fewer + int((voices - fewer) * max(0.0, share - lighter) / (heavier - lighter) + ROUNDING)
        fewer, lighter = voices, heavier
        voices *= 2
    return MOST_VOICES
