"""How a network plays by itself while it is being trained: the other half of choosing the best weights.

The held-out loss alone stops too early. On music that hardly repeats itself it is least when the network has
learnt what may sound at any time, but not yet how one spectrum leads to another; run free, it plays a soup of
frames, or drifts into the background noise. So the network also plays for a while, and what it plays is
compared with the corpus, in the codec's own axes, without making sound of it.
"""

import time
from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from noizenet.codecs.tokens import TokensCodec
from noizenet_training.judging.distances import frechet_distance
from noizenet_training.learning.networks import Network
from noizenet_training.starts import start_states

Array = NDArray[Any]

DRIFT_S = 10.0  # from each of the eight starts, unheard: time to fall into a rut, if there is one
HEARD_S = 10.0  # and then compared
AXES = 32  # the first principal axes hold what is heard most
SAMPLE = 20  # a part of the playing, so much smaller, tells how long it takes
SECONDS_AT_ONCE = 600
LEAST_WINDOWS = 4  # seconds of corpus, for two halves that have a covariance


class FreeRunning:
    """The corpus, as a network's playing is compared with it.

    Args:
        stretches: training steps (n, stages).
        seed: of what is drawn; the same draws each time, so that only the weights make a difference.
    """

    def __init__(self, codec: TokensCodec, stretches: Sequence[Array], seed: int) -> None:
        self._codec = codec
        self._stretches = stretches
        self._seed = seed
        self._second = max(2, round(codec.sample_rate / codec.hop))
        self._known = np.concatenate([self._features(steps) for steps in stretches])
        self._itself = 0.0
        if len(self._known) >= LEAST_WINDOWS:
            self._itself = frechet_distance(self._known[::2], self._known[1::2])

    @property
    def is_possible(self) -> bool:
        """Whether the corpus is long enough, and varied enough, to be compared with."""
        return self._itself > 0.0

    def distance(self, network: Network) -> float:
        """Returns how far the network's playing is from the corpus; 1 = as far as the corpus' own halves."""
        played = self._play(network, round((DRIFT_S + HEARD_S) * self._second))
        heard = np.concatenate([self._features(steps[round(DRIFT_S * self._second) :]) for steps in played])
        return frechet_distance(heard, self._known) / self._itself

    def expected_s(self, network: Network) -> float:
        """Returns the seconds that `distance` will take, from a twentieth of the playing."""
        times = []
        for steps in (1, 1, 1 + round((DRIFT_S + HEARD_S) * self._second / SAMPLE)):  # the very first is slow
            started = time.perf_counter()
            self._play(network, steps)
            times.append(time.perf_counter() - started)
        return times[1] + SAMPLE * max(times[2] - times[1], 0.0)

    def _play(self, network: Network, steps: int) -> Array:
        threads = torch.get_num_threads()
        torch.set_num_threads(1)  # eight streams are too few to share out: threads would only wait for one another
        try:
            return free_run(network, self._stretches, steps, self._seed)
        finally:
            torch.set_num_threads(threads)

    def _features(self, steps: Array) -> Array:
        """Returns mean, deviation and mean change from step to step of each axis in each full second."""
        count = len(steps) // self._second
        rows = [np.zeros((0, 3 * min(AXES, self._codec.codebooks.shape[2])), np.float32)]
        for first in range(0, count, SECONDS_AT_ONCE):
            last = min(first + SECONDS_AT_ONCE, count)
            part = steps[max(0, first * self._second - 1) : last * self._second]
            points = sum(self._codec.codebooks[stage][part[:, stage], :AXES] for stage in range(self._codec.width))
            change = np.abs(np.diff(points, axis=0, prepend=points[:1] if not first else points[:0]))
            shape = (last - first, self._second, points.shape[1])
            points, change = points[-len(change) :].reshape(shape), change.reshape(shape)
            rows.append(np.concatenate([points.mean(axis=1), points.std(axis=1), change.mean(axis=1)], axis=1))
        return np.concatenate(rows)


def free_run(network: Network, stretches: Sequence[Array], steps: int, seed: int) -> Array:
    """Returns the codes (starts, steps, stages) that a network draws at temperature 1, from its starts."""
    starts = list(start_states(network, stretches).values())
    network.eval()
    device = network.device
    generator = torch.Generator(device).manual_seed(seed)
    hidden, cell = (
        torch.from_numpy(np.stack([start[part] for start in starts], axis=1)).to(device) for part in ("hidden", "cell")
    )
    last = torch.from_numpy(np.stack([start["last"] for start in starts])).long().to(device)[:, None]
    played = torch.zeros(len(starts), steps, network.shape.stages, dtype=torch.long, device=device)
    state = (hidden, cell)
    with torch.inference_mode():
        for step in range(steps):
            top, state = network.recur(last, state)
            last = played[:, step : step + 1]
            for stage in range(network.shape.stages):
                chances = torch.softmax(network.logits(top, stage, last)[:, 0], -1)
                last[:, 0, stage] = torch.multinomial(chances, 1, generator=generator)[:, 0]
    return played.cpu().numpy()
