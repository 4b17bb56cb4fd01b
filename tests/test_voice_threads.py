"""Voices on several threads sound, together, bit for bit as on one."""

import gc
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from making import Array, amplitude_checkpoint, memory_checkpoint, mulaw_checkpoint, tokens_checkpoint
from noizenet.checkpoint import Checkpoint
from noizenet.errors import UsageError
from noizenet_daemon.engines import check_threads
from noizenet_daemon.generator import Generator
from noizenet_daemon.performance import Performance, initial_states, render_frames
from noizenet_daemon.voice_threads import VoiceThreads, dealt

FRAMES = 6000
BLOCK = 300


def performance(generator: Generator, voices: int, threads: int) -> Performance:
    states = initial_states(generator, "corpus", 1, voices)
    return Performance(
        generator, states, sample_rate=generator.sample_rate, channels=2, block_frames=BLOCK, threads=threads
    )


def played(generator: Generator, voices: int, threads: int) -> Array:
    """Returns a sound in which knobs are turned, and all voices start anew, in the middle of blocks."""
    made = performance(generator, voices, threads)
    made.at(777, lambda: made.set("temperature", 0.5, voices))
    made.at(1234, lambda: made.set("pan", -0.5, 1))
    made.at(3333, lambda: made.replace(generator, initial_states(generator, "corpus", 5, voices)))
    return render_frames(made, FRAMES, BLOCK)


@pytest.mark.parametrize("make", [amplitude_checkpoint, mulaw_checkpoint, tokens_checkpoint, memory_checkpoint])
def test_the_sound_does_not_depend_on_the_number_of_threads(make: Callable[[], Checkpoint]) -> None:
    generator = Generator(make())
    generator.share(9)
    generator.gains_from_threads = True  # even where it would be quicker without
    alone = played(generator, 9, 1)
    assert np.ptp(alone) > 0.0
    for threads in (2, 3, 64):
        assert np.array_equal(played(generator, 9, threads), alone)


def test_each_share_is_worked_on_by_a_thread_of_its_own_and_the_first_by_the_caller() -> None:
    voices: Any = list(range(5))
    meeting = threading.Barrier(3, timeout=10.0)  # all three are at work at the same time

    def work(share: Any) -> tuple[list[int], int]:
        meeting.wait()
        return list(share), threading.get_ident()

    found = VoiceThreads(voices, 3).each(work)
    assert [share for share, _ in found] == [[0], [1, 2], [3, 4]]
    assert found[0][1] == threading.get_ident()
    assert len({thread for _, thread in found}) == 3


@pytest.mark.parametrize(
    ("voices", "threads", "together", "shares"),
    [
        (1, 4, 1, [1]),
        (4, 2, 4, [2, 2]),
        (8, 2, 4, [4, 4]),
        (13, 3, 4, [4, 4, 5]),
        (6, 1, 4, [6]),
        (7, 2, 1, [3, 4]),
    ],
)
def test_voices_are_dealt_evenly_and_in_whole_groups(
    voices: int, threads: int, together: int, shares: list[int]
) -> None:
    numbers: Any = list(range(voices))
    found = dealt(numbers, threads, together)
    assert [len(share) for share in found] == shares
    assert [number for share in found for number in share] == numbers


def test_what_fails_on_another_thread_is_raised_when_all_have_ended_and_work_goes_on() -> None:
    threads = VoiceThreads(list(range(4)), 4)  # type: ignore[arg-type]
    ended = []

    def work(share: Any) -> None:
        if share[0] in (1, 2):
            raise ValueError(f"voice {share[0]}")
        ended.append(share[0])

    with pytest.raises(ValueError, match="voice 1"):
        threads.each(work)
    assert sorted(ended) == [0, 3]
    assert threads.each(lambda share: share[0]) == [0, 1, 2, 3]


def test_threads_end_with_their_performance() -> None:
    generator = Generator(amplitude_checkpoint())
    before = set(threading.enumerate())
    made = performance(generator, 4, 3)
    render_frames(made, BLOCK, BLOCK)
    helpers = set(threading.enumerate()) - before
    assert len(helpers) == 2
    del made
    gc.collect()
    for helper in helpers:
        helper.join(10.0)
        assert not helper.is_alive()


def test_work_is_done_once_on_each_thread() -> None:
    made = performance(Generator(amplitude_checkpoint()), 4, 3)
    seen: list[int] = []
    made.on_threads(lambda: seen.append(threading.get_ident()))
    assert len(set(seen)) == len(seen) == 3


@pytest.mark.parametrize(
    ("make", "gains"), [(amplitude_checkpoint, True), (tokens_checkpoint, True), (memory_checkpoint, False)]
)
def test_threads_are_used_where_voices_are_dear(make: Callable[[], Checkpoint], gains: bool) -> None:
    generator = Generator(make())
    seen: set[int] = set()
    generate = generator.generate

    def watched(state: Any, controls: Any, out: Array) -> None:
        seen.add(threading.get_ident())
        generate(state, controls, out)

    generator.generate = watched  # type: ignore[method-assign]
    render_frames(performance(generator, 4, 2), FRAMES, BLOCK)
    assert len(seen) == (2 if gains else 1)
    assert generator.gains_from_threads is gains


def test_an_engine_that_plays_all_voices_at_once_takes_one_thread() -> None:
    check_threads("numba", 8)
    check_threads("torch", 1)
    with pytest.raises(UsageError, match="torch plays all voices at once, on one thread: leave out threads 2"):
        check_threads("torch", 2)
