"""The loops by which the paper's program lets a network predict on from its own predictions, and the loop it describes.

The paper describes a window of sound that the network is fed, and into which each prediction is ingested while its
oldest sample leaves. Its program slices, at step i from 0, the samples i to (size - 1 + i) out of what the steps before
have already sliced: the window loses not one sample a step but i. Of a prime of 22,050 samples one is left at the 212th
step, 0.96 % of it. Here the same network runs in four loops, each an endless iterator of (prediction, samples fed):

    as written          that slicing, the hidden state carried from step to step
    in the notebook     that slicing, each step from a hidden state of zeros: in the end a function of one number
    as described        each prediction is fed once, the hidden state carried: what a window is to a recurrent network
    sliding window      as described, word for word: the whole window again at each step, from zeros

Source: Watson, "Noize net", 2021, section 5.5, and the functions `predict` and `predict3` of its program.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.errors import UsageError
from noizenet_training.judging.collapse import STILL, steps_until_collapse
from noizenet_training.learning.networks import HiddenState, Network

Array = NDArray[Any]
Predictions = Iterator[tuple[float, int]]

WRITTEN, NOTEBOOK, DESCRIBED, SLIDING = "as written", "in the notebook", "as described", "sliding window"
LOOPS = (WRITTEN, NOTEBOOK, DESCRIBED, SLIDING)
SLIDING_SAMPLES = 500  # of the window that is fed whole at each step; more cost time and change nothing


@dataclass(frozen=True)
class LoopRun:
    """What a network did in one loop.

    Attributes:
        name: of the loop.
        outputs: predictions in the codec's numbers, float64 (steps,).
        fed: samples fed for each, int64 (steps,).
        constant_after: steps until the output is stuck for the rest; None if it never is.
        one_sample_at: number, from 1, of the first step whose window has shrunk to one sample; None if none has.
        departs_at: number, from 1, of the first step whose output isn't that of the loop as described, by more than
            0.1 % of the prime's deviation; None if there is none.
    """

    name: str
    outputs: Array
    fed: Array
    constant_after: int | None
    one_sample_at: int | None
    departs_at: int | None

    def to_json(self) -> dict[str, Any]:
        """Returns plain values, without the outputs but for the last."""
        return {
            "loop": self.name,
            "constant_after": self.constant_after,
            "one_sample_at": self.one_sample_at,
            "departs_at": self.departs_at,
            "last_output": float(self.outputs[-1]),
        }


def as_written(network: Network, prime: Array, carry: bool) -> Predictions:
    """Predicts on from a prime (n,) by slicing the slice.

    Args:
        carry: keep the hidden state from step to step, though the window is fed again; False as in the notebook.
    """
    window, newest = prime, prime[-1]
    state = network.new_state(1)
    step = 0
    while True:
        window = np.append(window[step : len(prime) - 1 + step], newest)
        newest, after = _predict(network, window, state)
        state = after if carry else state
        yield newest, len(window)
        step += 1


def as_described(network: Network, prime: Array) -> Predictions:
    """Predicts on from a prime (n,): hears it once, then each prediction once."""
    newest, state = _predict(network, prime, network.new_state(1))
    fed = len(prime)
    while True:
        yield newest, fed
        newest, state = _predict(network, np.array([newest]), state)
        fed = 1


def sliding_window(network: Network, prime: Array) -> Predictions:
    """Predicts on from a prime (n,): at each step the whole window, from a state of zeros."""
    window = prime
    while True:
        newest, _ = _predict(network, window, network.new_state(1))
        yield newest, len(window)
        window = np.append(window[1:], newest)


def network_of(checkpoint: Checkpoint) -> Network:
    """Returns a checkpoint's network.

    Raises:
        UsageError: it doesn't predict the next amplitude and nothing else, as the paper's loops need.
    """
    shape = checkpoint.network
    if checkpoint.codec.name != "amplitude" or shape.head != "linear" or shape.features != 1:
        raise UsageError(
            f"the loops of the paper run networks that predict one amplitude a step; {checkpoint.name} is of the codec "
            f"{checkpoint.codec.name} with {checkpoint.codec.width} numbers a step and the head {shape.head}"
        )
    network = Network(shape)
    network.load_weights(checkpoint.weights)
    return network


def run_loops(network: Network, prime: Array, steps: int, sample_rate: int, tick: Callable[[], None]) -> list[LoopRun]:
    """Returns what a network does in each of the loops.

    Args:
        prime: scaled samples (n,), n > 1.
        tick: called after each step of each loop.
    """
    network.eval()
    loops: dict[str, Predictions] = {
        WRITTEN: as_written(network, prime, carry=True),
        NOTEBOOK: as_written(network, prime, carry=False),
        DESCRIBED: as_described(network, prime),
        SLIDING: sliding_window(network, prime[-SLIDING_SAMPLES:]),
    }
    ran: dict[str, list[tuple[float, int]]] = {name: [] for name in loops}
    for name, predictions in loops.items():
        for predicted in islice(predictions, steps):
            ran[name].append(predicted)
            tick()
    described = np.array([output for output, _ in ran[DESCRIBED]])
    return [_measured(name, pairs, described, float(prime.std()), sample_rate) for name, pairs in ran.items()]


def _predict(network: Network, heard: Array, state: HiddenState) -> tuple[float, HiddenState]:
    """Returns the prediction after samples (n,) heard from a state, and the state after them."""
    steps = torch.from_numpy(np.asarray(heard, np.float32))[None, :, None]
    with torch.inference_mode():
        top, state = network.recur(steps, state)
        return float(network.predict(top[:, -1:])), state


def _measured(
    name: str, pairs: list[tuple[float, int]], described: Array, deviation: float, sample_rate: int
) -> LoopRun:
    """Returns the figures of one loop.

    Args:
        described: outputs of the loop as described.
        deviation: of the prime.
    """
    outputs, fed = np.array([output for output, _ in pairs]), np.array([samples for _, samples in pairs])
    shrinks = name in (WRITTEN, NOTEBOOK)
    return LoopRun(
        name,
        outputs,
        fed,
        steps_until_collapse(outputs, deviation, sample_rate),
        _first(fed == 1) if shrinks else None,
        _first(np.abs(outputs - described) > STILL * deviation),
    )


def _first(true: Array) -> int | None:
    """Returns the number, from 1, of the first that is true."""
    places = np.flatnonzero(true)
    return int(places[0]) + 1 if len(places) else None
