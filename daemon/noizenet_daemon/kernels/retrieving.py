"""Where in its memory a voice goes on: a real frame that once followed a hidden state like its own.

Of each frame that may come before the next one played, the score is

    likeness of the hidden states / LIKENESS - SEAM x distance of the spectra
    - FLOW x distance of the seconds that follow, on the whole - BEAT x how far their pulses lie apart
    - HEAT x how much its place was played of late - AHEAD x seconds that its stretch is ahead of the others

Where the second that follows is on the whole like the one that would have followed here, as loud and of like colour,
and rises and falls when that would have, a phrase goes on into another as it would have into its own, on the beat. Its
notes must not be the same: a frame whose continuation moves like the one that is being left, or like that of one left
shortly before, is no departure (see `kernels.departing`) and taken only if there is nothing else. Distances count up to
a limit: a pause, or another recording, is as unlike one music as another, and has its turn when it wasn't heard for
long: soon, if the present one is ahead of it, so that within the time of the whole memory each is heard for about as
long as it is. Of the best CHOSEN_FROM one is drawn, by temperature and top_p, as a code is drawn from logits.

Source: hidden states that retrieve what followed like ones, after Khandelwal et al., "Generalization through
memorization: nearest neighbor language models", 2020; jumps between like contexts, after Assayag and Dubnov, "Using
factor oracles for machine improvisation", 2004.
"""

from typing import Any

import numpy as np

from noizenet.compiling import inlined, kernel, njit
from noizenet_daemon.kernels.arithmetic import quotient
from noizenet_daemon.kernels.cells import FAST
from noizenet_daemon.kernels.departing import departure, distance, is_near, least_departure, off_beat, takes_up
from noizenet_daemon.kernels.drawing import draw_class
from noizenet_daemon.kernels.rng import uniform

LIKENESS = np.float32(0.1)  # of cosines: one that is 0.1 higher is e times as likely
SEAM = np.float32(4.5)  # for a distance as of a frame from the mean of its stretch
SEAM_AT_MOST = np.float32(3.0)  # of that distance
FLOW = np.float32(8.0)  # for the same between the means of a second
FLOW_AT_MOST = np.float32(2.0)
BEAT = np.float32(4.0)  # for pulses as unlike as two at random are
HEAT = np.float32(32.0)  # for a place that was played as often as places were on average
AHEAD = np.float32(0.9)  # for a second that a stretch was played beyond its share
MOST_SCORED = 8192  # frames; of longer memories, evenly spread ones from a random first
LEAST_REST = 4  # frames after a place taken at random: two crossfades
MOST_REFUSED = 256  # places that take up what was left of late: then they are allowed
BARRED = np.float32(-1e30)
NO_DEPARTURE = np.float32(1e6)


@njit(fastmath=FAST)
def look(tables: Any, search: Any, hidden: Any) -> None:
    """Sets `search.key` to a hidden state (H,), as the keys see it."""
    square = np.float32(1e-12)
    for k in range(search.key.shape[0]):
        total = np.float32(0.0)
        for h in range(hidden.shape[0]):
            total += tables.axes[k, h] * (hidden[h] - tables.centre[h])
        search.key[k] = total
        square += total * total
    for k in range(search.key.shape[0]):
        search.key[k] = quotient(search.key[k], np.sqrt(square))


@njit(fastmath=FAST)
def likeness(tables: Any, search: Any, frame: int) -> float:
    """Returns the cosine between `search.key` and the key of a frame."""
    total = np.float32(0.0)
    for k in range(search.key.shape[0]):
        total += search.key[k] * tables.keys[frame, k]
    return float(total)


@njit(fastmath=FAST)
def pass_step(search: Any) -> None:
    """Lets a step pass: heat decays, to 1/e in the time that playing the whole memory four times would take."""
    for n in range(search.since.shape[0]):
        search.since[n] += 1
    factor = np.float32(1.0 - 0.25 / search.heat.shape[0])
    for n in range(search.heat.shape[0]):
        search.heat[n] *= factor


@njit(fastmath=FAST)
def _sum_up_heat(search: Any) -> None:
    search.sums[0] = 0.0
    for n in range(search.heat.shape[0]):
        search.sums[n + 1] = search.sums[n] + search.heat[n]


@inlined
def _heat(search: Any, low: int, high: int) -> Any:
    """Returns how often the frames from `low` to before `high` were played of late: 1 is the mean of all, or once.

    Once, where the mean is less: nothing else would count before all has been played.
    """
    total = search.heat.shape[0]
    per_frame = max(search.sums[total] / total, np.float32(1.0))
    return (search.sums[high] - search.sums[low]) / (np.float32(high - low) * per_frame)


@inlined
def _ahead_s(tables: Any, search: Any, frame: int) -> Any:
    """Returns for how many seconds more than its share of the memory a frame's stretch was played of late; 0 of one."""
    count, first, end = search.heat.shape[0], tables.firsts[frame], tables.lasts[frame] + 1
    share = np.float32(end - first) / np.float32(count)
    return (search.sums[end] - search.sums[first] - share * search.sums[count]) / np.float32(tables.second)


@njit(fastmath=FAST)
def _score(tables: Any, search: Any, frame: int, ahead: int, first: int, stride: int) -> None:
    """Fills `scores` and `departures` of each `stride`th frame; a departure of -1 marks one that is barred."""
    count = search.heat.shape[0]
    _sum_up_heat(search)
    half = tables.second // 2
    reach = ahead if ahead > 2 * tables.second else half
    for n in range(first, count, stride):
        if n + half > tables.lasts[n] or is_near(search.left, n, tables.second):
            search.scores[n], search.departures[n] = BARRED, -1.0
            continue
        heat = _heat(search, max(n - half, tables.firsts[n]), min(n + reach, tables.lasts[n] + 1))
        search.scores[n] = (
            np.float32(likeness(tables, search, n)) / LIKENESS
            - SEAM * min(distance(tables.points, n, search.point), SEAM_AT_MOST)
            - HEAT * heat
            - AHEAD * _ahead_s(tables, search, n)
        )
        search.departures[n] = np.float32(2.0)
        if frame >= 0:
            search.scores[n] -= FLOW * min(distance(tables.outlooks, n, tables.outlooks[frame]), FLOW_AT_MOST)
            search.scores[n] -= BEAT * off_beat(tables, frame, n)
            search.departures[n] = departure(tables, frame, n)


@kernel
def _best(scores: Any, first: int, stride: int) -> int:
    best = first
    for n in range(first, scores.shape[0], stride):
        if scores[n] > scores[best]:
            best = n
    return best


@kernel
def _drawn(tables: Any, search: Any, least: float, stride: int, first: int, controls: Any, rng: Any) -> int:
    """Returns one of the frames with the best scores, drawn by temperature and top_p; -1 if all are barred."""
    refused = 0
    for rank in range(search.likely.shape[0]):
        best = _best(search.scores, first, stride)
        while refused < MOST_REFUSED and search.scores[best] > -NO_DEPARTURE and takes_up(tables, search, best, least):
            search.scores[best] -= 2.0 * NO_DEPARTURE
            refused += 1
            best = _best(search.scores, first, stride)
        search.chosen[rank], search.likely[rank] = best, search.scores[best]
        search.scores[best] = 2.0 * BARRED
    if search.likely[0] <= BARRED:
        return -1
    drawn = draw_class(search.likely, controls.temperature, controls.top_p, uniform(rng))
    return int(search.chosen[max(drawn, 0)])


@inlined
def begin(tables: Any, search: Any, ahead: int, controls: Any, rng: Any) -> int:
    """Returns the first frame of a stretch: where to go on at the end of one.

    Nothing leads to beginnings but ends: who departed from ends as from all else would play them too seldom.
    """
    _sum_up_heat(search)
    for n in range(search.scores.shape[0]):
        search.scores[n] = BARRED
        if tables.firsts[n] == n:
            heat = _heat(search, n, min(n + max(ahead, 1), tables.lasts[n] + 1))
            search.scores[n] = -SEAM * distance(tables.points, n, search.point) - HEAT * heat
    return _drawn(tables, search, 0.0, 1, 0, controls, rng)


@inlined
def retrieve(tables: Any, search: Any, frame: int, ahead: int, controls: Any, rng: Any) -> int:
    """Returns the frame after which to go on; `search.key` and `search.point` say what it is to be like.

    Args:
        frame: the one that is being left; -1 if none of the memory's.
        ahead: frames that are likely to be played from the one found: beyond two seconds, how often all of them were
            played counts, not only how often the second around it was.
    """
    count = search.heat.shape[0]
    stride = -(-count // MOST_SCORED)
    first = int(uniform(rng) * stride)
    _score(tables, search, frame, ahead, first, stride)
    least = least_departure(tables, search.departures, frame, first, stride, controls.stray)
    for n in range(first, count, stride):
        if search.departures[n] < least:
            search.scores[n] -= 2.0 * NO_DEPARTURE
    drawn = _drawn(tables, search, least, stride, first, controls, rng)
    while drawn < 0:  # the memory is too short for all that is barred: any place that goes on for longer than a fade
        place = int(uniform(rng) * count)
        rest, whole = tables.lasts[place] - place, tables.lasts[place] - tables.firsts[place]
        drawn = place if rest >= min(LEAST_REST, whole // 2) else -1
    return drawn
