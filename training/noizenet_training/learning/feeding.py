"""How the corpus is fed to the network: the recipe's option `feeding`.

    streams    many places side by side, hidden states carried: `noizenet_training.learning.batches`
    one_shot   a whole stretch in each batch, each from a new state: one gradient for a song
    windows    one window after another through all stretches, the state carried from each to the next
    shuffled   windows from random places, each from a new state

The last three are the paper's. Windows of one_shot and of windows follow one another in a fixed order, so that a
batch is found by its number alone: training may stop and go on anywhere.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet_training.learning.batches import Batch, training_batches
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.shelf import let_go

Array = NDArray[Any]

BATCHES_HELD = 64  # that are read before steps that lie in files are let go
ONE_STREAM = ("one_shot", "windows")  # what can't be shared out among processes


def feed(
    recipe: Recipe,
    stretches: Sequence[Array],
    streams: int,
    rng: np.random.Generator,
    number: int,
    context: int = 0,
) -> Iterator[Batch]:
    """Yields batches without end from stretches of steps (n, width), each of at least two.

    Args:
        streams: of a batch, if the recipe's feeding has several.
        rng: of the places that are random.
        number: of batches that training has had, for the feedings that have an order.
        context: steps that are told before each chunk, see `NetworkShape.context`; of the feeding streams.
    """
    if recipe.feeding == "one_shot":
        batches = one_shot(stretches, number)
    elif recipe.feeding == "windows":
        batches = windows(stretches, recipe.unroll, recipe.stride or recipe.unroll, number)
    elif recipe.feeding == "shuffled":
        batches = shuffled(stretches, streams, recipe.unroll, rng)
    else:
        batches = training_batches(stretches, streams, recipe.unroll, rng, context)
    for turn, batch in enumerate(batches):
        yield batch
        if turn % BATCHES_HELD == BATCHES_HELD - 1:
            for steps in stretches:
                let_go(steps)


def one_shot(stretches: Sequence[Array], number: int) -> Iterator[Batch]:
    """Yields each stretch whole, in the order of the corpus and round again, from the batch of that number on."""
    total = sum(len(steps) - 1 for steps in stretches)
    while True:
        song = number % len(stretches)
        steps = stretches[song]
        yield _one_window(steps, True, (len(steps) - 1) / total, song)
        number += 1


def windows(stretches: Sequence[Array], unroll: int, stride: int, number: int) -> Iterator[Batch]:
    """Yields the windows of all stretches in order and round again, from the batch of that number on.

    Each begins `stride` steps after the last. The state is carried on from each window's end into the next window,
    which overlaps if the stride is shorter, and over the border of stretches, and from the last to the first: so
    the paper's author trained. The last window of a stretch may be shorter.
    """
    # one at the start, and one more for each stride that is needed to reach the last step
    counts = [
        1 + max(0, min(-(-(len(steps) - 1 - unroll) // stride), (len(steps) - 2) // stride)) for steps in stretches
    ]
    borders = np.cumsum(counts)
    while True:
        place = number % int(borders[-1])
        song = int(np.searchsorted(borders, place, side="right"))
        first = int(place - borders[song] + counts[song]) * stride
        steps = stretches[song][first : first + unroll + 1]
        yield _one_window(steps, number == 0, 1.0 / int(borders[-1]), song)
        number += 1


def shuffled(stretches: Sequence[Array], streams: int, unroll: int, rng: np.random.Generator) -> Iterator[Batch]:
    """Yields windows from random places, each equally likely; of a stretch shorter than a window, all of it."""
    places = np.array([max(len(steps) - unroll, 1) for steps in stretches])
    borders = np.cumsum(places)
    total = sum(len(steps) - 1 for steps in stretches)
    kind, width = stretches[0].dtype, stretches[0].shape[1]
    while True:
        both = np.zeros((streams, unroll + 1, width), kind)
        counted = np.zeros((streams, unroll), bool)
        for stream, place in enumerate(rng.integers(borders[-1], size=streams)):
            song = int(np.searchsorted(borders, place, side="right"))
            first = int(place - borders[song] + places[song])
            part = stretches[song][first : first + unroll + 1]
            both[stream, : len(part)] = part
            counted[stream, : len(part) - 1] = True
        yield Batch(both[:, :-1], both[:, 1:], counted, np.ones(streams, bool), int(counted.sum()) / total)


def _one_window(steps: Array, fresh: bool, share: float, song: int) -> Batch:
    """Returns a batch of one stream."""
    counted = np.ones((1, len(steps) - 1), bool)
    return Batch(steps[None, :-1], steps[None, 1:], counted, np.array([fresh]), share, song)
