"""Batches for truncated back-propagation: the corpus as parallel streams, read chunk by chunk.

Every stretch of the corpus is tiled with chunks of `unroll` steps, from a random place on. The chunks of all
stretches, in random order of the stretches, are dealt to the streams in equal runs. A stream's hidden state
is carried from chunk to chunk and starts anew wherever its next chunk doesn't continue the last: at the
border of a file or of a held-out stretch. So nothing is learnt about what follows what by mere order of
files, and each pass cuts the corpus elsewhere.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.codecs import Codec
from noizenet_training.sounds.shelf import Shelf, in_pieces

Array = NDArray[Any]

SHIFTED_S = 7200.0


class Batch(NamedTuple):
    """One chunk of every stream.

    Attributes:
        inputs: steps, (streams, unroll, width); before them, if the network looks back, as many as it must know.
        targets: the steps that follow each, (streams, unroll, width).
        counted: whether the target is real; False in padding, bool (streams, unroll).
        fresh: whether the stream's hidden state starts anew before this chunk, bool (streams,).
        share: of a pass over all stretches, that this batch is.
        song: index of the stretch that it comes from; None if its streams come from several.
    """

    inputs: Array
    targets: Array
    counted: Array
    fresh: Array
    share: float
    song: int | None = None


def encode_stretches(
    codec: Codec, stretches: Sequence[Array], context: int = 0, shelf: Shelf | None = None, threads: int = 1
) -> list[Array]:
    """Returns the steps (n, width) of each stretch of sound; stretches without two steps are left out.

    The first steps of a stretch, which still hold the encoder's initial silence, are dropped, as many as the codec lags
    behind (of a codec that decodes one frame late, one more than there need be). As windows
    never reach over a stretch's border, training and held-out steps have no sample in common.

    Args:
        context: steps that a stretch must have beside those two; see `NetworkShape.context`.
        shelf: what keeps the steps; None = one of its own.
        threads: stretches that are encoded at the same time.
    """
    shelf = shelf or Shelf()
    with ThreadPoolExecutor(threads) as pool:
        encoded = list(pool.map(lambda stretch: shelf.keep(_steps(codec, stretch)), stretches))
    return [steps for steps in encoded if len(steps) > context + 1]


def _steps(codec: Codec, stretch: Array) -> Iterator[Array]:
    """Yields the steps of a stretch in pieces (n, width), but for the first ones."""
    state = codec.new_encoder_state()
    unwanted = codec.delay * codec.group // codec.hop
    for piece in in_pieces(stretch):
        steps = codec.encode(state, piece)
        yield steps[unwanted:]
        unwanted = max(0, unwanted - len(steps))


def shifted(codec: Codec, stretches: Sequence[Array], shifts: int) -> list[Array]:
    """Returns the stretches of sound without their first k hop / shifts samples, k from 1 to shifts - 1.

    Read with them, the same music falls into frames, and so into codes, a little differently: more to learn
    from, and no code by code version of it to learn by heart. A corpus that is long enough to learn from is shifted
    fewer times, or not at all, so that no more than `SHIFTED_S` are read.
    """
    if codec.hop <= codec.group:
        return []  # a step is a sample: there is nothing between two of them
    shifts = min(shifts, int(SHIFTED_S * codec.sample_rate / max(sum(map(len, stretches)), 1)))
    return [stretch[k * codec.hop // shifts :] for k in range(1, shifts) for stretch in stretches]


def training_batches(
    stretches: Sequence[Array], streams: int, unroll: int, rng: np.random.Generator, context: int = 0
) -> Iterator[Batch]:
    """Yields batches without end, pass after pass over stretches of steps (n, width)."""
    while True:
        yield from one_pass(stretches, streams, unroll, rng, context)


def one_pass(
    stretches: Sequence[Array], streams: int, unroll: int, rng: np.random.Generator, context: int = 0
) -> Iterator[Batch]:
    """Yields the batches of one pass.

    Args:
        context: steps before its chunk that each stream is told as well, not to be predicted.
    """
    tiled = []  # (stretch, first step) of each chunk
    for stretch in rng.permutation(len(stretches)):
        usable = len(stretches[stretch]) - 1 - context
        start = int(rng.integers(min(unroll, max(1, usable - unroll + 1))))
        firsts = np.arange(start, usable, unroll)
        tiled.append(np.stack([np.full(len(firsts), stretch), firsts], axis=1))
    chunks = np.concatenate(tiled)
    chunks = np.roll(chunks, -int(rng.integers(len(chunks))), axis=0)
    streams = min(streams, len(chunks))
    run = -(-len(chunks) // streams)
    # The last run is filled up from the start, so that every stream has equally many chunks.
    chunks = np.resize(chunks, (run * streams, 2))
    kind, width = stretches[0].dtype, stretches[0].shape[1]
    for turn in range(run):
        inputs = np.zeros((streams, context + unroll, width), kind)
        targets = np.zeros((streams, unroll, width), kind)
        counted = np.zeros((streams, unroll), bool)
        fresh = np.ones(streams, bool)
        for stream in range(streams):
            stretch, first = chunks[stream * run + turn]
            part = stretches[stretch][first : first + context + unroll + 1]
            real = len(part) - 1 - context
            inputs[stream, : len(part) - 1] = part[:-1]
            targets[stream, :real] = part[context + 1 :]
            counted[stream, :real] = True
            fresh[stream] = turn == 0 or tuple(chunks[stream * run + turn - 1]) != (stretch, first - unroll)
        yield Batch(inputs, targets, counted, fresh, 1.0 / run)
