"""Roaming: a voice in its memory, playing real sound, leaving one place for another or for what the network draws.

The network goes on underneath all the time. It hears what is played, so that its hidden state knows where the music
is, and takes over whenever the voice goes free. How fast a voice gets restless is the performer's `stray`; temperature,
top_p and noise hurry it too, each as it does elsewhere: higher ones roam, lower ones repeat.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.compiling import copy, inlined, kernel, njit
from noizenet_daemon.kernels.arithmetic import quotient
from noizenet_daemon.kernels.retrieving import begin, likeness, look, pass_step, retrieve
from noizenet_daemon.kernels.rng import normal, uniform

Array = NDArray[Any]

FRAME, READ, OLD, FADED, WANTED, BEGUN, LEAVINGS = range(7)
NONE = -1
FADE_HOPS = 2  # length of a crossfade
SLOWEST = 16.0  # times the pace, at stray 0
FASTEST_S = 0.35  # at stray 1, or ...
FASTEST = 0.25  # times the pace, if that is less
SURPRISE = 2.0  # a hidden state unlike any here hurries a voice by up to e to that
LEAST_STEPS = 6  # between two departures: three crossfades
SPREAD = 0.25  # deviation of the time to the next departure, in units of its mean
FREE_FROM = 0.5  # stray below which a voice never goes free
FREE_AT_MOST = 0.4  # share of departures that go free at stray 1


class Roaming(NamedTuple):
    """Where a voice is in its memory.

    Attributes:
        places: int64 (7,): FRAME of the memory, or NONE; READ and OLD, the samples that the present and the left place
            are heard from next; FADED, samples of their crossfade gone; WANTED, 1 while the network's own is wanted;
            BEGUN, 0 before the first step; LEAVINGS, departures so far.
        clock: float64 (5,): restlessness since the last departure, and where it departs, both in units of 1; steps
            since then; how much of the network's own is heard, 0..1; likeness of the sounds of a crossfade, 0..1.
    """

    places: Array
    clock: Array


RESTLESS, DEPARTS, STEPS, OWN, ALIKE = range(5)


def is_own_heard(roaming: Roaming) -> bool:
    """Returns whether anything of what the network draws will be heard in the next hop."""
    return bool(roaming.places[WANTED] or roaming.clock[OWN] > 0.0)


def new_roaming() -> Roaming:
    """Returns the state of a voice that finds its first place at its first step."""
    return Roaming(np.array([NONE, 0, NONE, 0, 0, 0, 0], np.int64), np.array([0.0, 1.0, 0.0, 1.0, 0.0]))


@kernel
def pace_of(stray: float, usual_s: float) -> float:
    """Returns the seconds between departures: SLOWEST times the usual ones at 0, those at 0.5, the fastest at 1."""
    if stray < 0.5:
        return float(usual_s * SLOWEST ** (1.0 - 2.0 * stray))
    return float(usual_s * min(FASTEST_S / usual_s, FASTEST) ** (2.0 * stray - 1.0))


@kernel
def free_share(stray: float) -> float:
    """Returns the share of departures that go free."""
    return float(FREE_AT_MOST * max(0.0, (stray - FREE_FROM) / (1.0 - FREE_FROM)) ** 1.5)


@kernel
def roam(tables: Any, search: Any, roaming: Any, controls: Any, hidden: Any, codes: Any, rng: Any) -> None:
    """Moves a voice on by a step, after the network has drawn one.

    Args:
        hidden: of the network's last layer, before what `codes` say was heard.
        codes: those drawn, int32 (S,); those of the memory's frame take their place unless the voice is free.
    """
    places, clock = roaming.places, roaming.clock
    look(tables, search, hidden)
    pass_step(search)
    frame = places[FRAME]
    alike = likeness(tables, search, frame) if frame >= 0 else 1.0
    hurry = controls.temperature * controls.temperature * controls.top_p * np.exp(SURPRISE * (1.0 - alike))
    clock[RESTLESS] += hurry / (pace_of(controls.stray, tables.pace_s) * tables.second)
    clock[STEPS] += 1.0
    at_end = frame >= 0 and frame >= tables.lasts[frame]
    if at_end or places[BEGUN] == 0 or (clock[RESTLESS] >= clock[DEPARTS] and clock[STEPS] >= LEAST_STEPS):
        _depart(tables, search, roaming, controls, codes, at_end, rng)
        places[BEGUN] = 1
    elif frame >= 0:
        places[FRAME] = frame + 1
    frame = places[FRAME]
    if frame >= 0:
        search.heat[frame] += 1.0
        copy(tables.codes[frame], codes)


@inlined
def _depart(tables: Any, search: Any, roaming: Any, controls: Any, codes: Any, at_end: bool, rng: Any) -> None:
    places, clock = roaming.places, roaming.clock
    frame = places[FRAME]
    clock[RESTLESS], clock[STEPS] = 0.0, 0.0
    if frame >= 0:
        search.left[places[LEAVINGS] % search.left.shape[0]] = frame
        search.since[places[LEAVINGS] % search.left.shape[0]] = 0
        places[LEAVINGS] += 1
    clock[DEPARTS] = min(max(1.0 + SPREAD * normal(rng), 0.3), 2.0)
    if frame >= 0 and uniform(rng) < free_share(controls.stray):
        places[FRAME], places[WANTED] = NONE, 1
        return
    search.point[:] = 0.0
    if frame >= 0:
        copy(tables.points[frame], search.point)
    else:
        for stage in range(codes.shape[0]):
            for k in range(search.point.shape[0]):
                search.point[k] += tables.code_points[stage, codes[stage], k]
    ahead = int(pace_of(controls.stray, tables.pace_s) * tables.second)
    if at_end:
        found = begin(tables, search, ahead, controls, rng)
    else:
        found = min(retrieve(tables, search, frame, ahead, controls, rng) + 1, tables.places.shape[0] - 1)
    read = tables.places[found]
    places[OLD] = places[READ] if frame >= 0 else NONE
    if frame >= 0:
        read, clock[ALIKE] = _aligned(tables, places[READ], found)
    places[FRAME], places[READ], places[FADED], places[WANTED] = found, read, 0, 0


@njit(fastmath=True)
def _correlation(sound: Any, a: int, b: int, length: int, stride: int) -> float:
    """Returns the correlation of two stretches of the sound, -1..1, all channels summed; looks at each stride-th."""
    product, first, second = np.float32(0.0), np.float32(1e-9), np.float32(1e-9)
    for n in range(0, length, stride):
        x, y = np.float32(0.0), np.float32(0.0)
        for channel in range(sound.shape[1]):
            x += sound[a + n, channel]
            y += sound[b + n, channel]
        product += x * y
        first += x * x
        second += y * y
    return float(quotient(product, np.sqrt(first * second)))


@inlined
def _aligned(tables: Any, leaving: int, frame: int) -> tuple[int, float]:
    """Returns where to hear a frame from, up to a hop off its place, so that its wave goes on from the one left.

    And how well it does, 0..1. Source: Verhelst and Roelands, "An overlap-add technique based on waveform similarity
    (WSOLA)", 1993.
    """
    length = FADE_HOPS * tables.hop
    place = tables.places[frame]
    low = max(tables.places[tables.firsts[frame]], place - tables.hop)
    high = place + tables.hop
    best, found = -2.0, place
    for start in range(low, high + 1, 4):
        value = _correlation(tables.sound, leaving, start, length, 4)
        if value > best:
            best, found = value, start
    coarse = found
    best = -2.0
    for start in range(max(low, coarse - 3), min(high, coarse + 3) + 1):
        value = _correlation(tables.sound, leaving, start, length, 1)
        if value > best:
            best, found = value, start
    return found, max(best, 0.0)


@kernel
def sound_out(tables: Any, roaming: Any, out: Any) -> None:
    """Mixes a hop of the memory's sound into what the codec put out for the same step, float32 (hop, channels)."""
    places, clock = roaming.places, roaming.clock
    fade = FADE_HOPS * tables.hop
    alike = clock[ALIKE]
    for n in range(out.shape[0]):
        clock[OWN] = min(clock[OWN] + 1.0 / fade, 1.0) if places[WANTED] else max(clock[OWN] - 1.0 / fade, 0.0)
        if clock[OWN] >= 1.0:
            continue
        if clock[OWN] == 0.0 and places[OLD] < 0:  # what the rest comes to then, at a twentieth of the time
            for channel in range(out.shape[1]):
                out[n, channel] = tables.sound[places[READ], channel]
            places[READ] += 1
            continue
        new, old = 1.0, 0.0
        if places[OLD] >= 0:
            x = (places[FADED] + 0.5) / fade
            level = 1.0 / np.sqrt(x * x + (1.0 - x) * (1.0 - x) + 2.0 * alike * x * (1.0 - x))
            new, old = x * level, (1.0 - x) * level
        own = np.sin(0.5 * np.pi * clock[OWN])
        real = np.cos(0.5 * np.pi * clock[OWN])
        for channel in range(out.shape[1]):
            value = new * tables.sound[places[READ], channel]
            if places[OLD] >= 0:
                value += old * tables.sound[places[OLD], channel]
            out[n, channel] = np.float32(own * out[n, channel] + real * value)
        places[READ] += 1
        if places[OLD] >= 0:
            places[OLD] += 1
            places[FADED] += 1
            if places[FADED] >= fade:
                places[OLD] = NONE
