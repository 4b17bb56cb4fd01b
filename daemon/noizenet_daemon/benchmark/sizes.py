"""The paper's LSTM in several sizes: this project's kernels in each precision, beside peers, by turns.

Two layers, one number in and one out, which is fed back: the network alone, without codec and safety chain.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from noizenet.checkpoint import Checkpoint
from noizenet_daemon.benchmark.alternating import Measure, median_rates, stepping_measure
from noizenet_daemon.benchmark.ceilings import Ceilings, reading_measure, sgemm_measure
from noizenet_daemon.benchmark.fresh import lstm_of
from noizenet_daemon.benchmark.peers.onnx_runtime import onnx_runtime
from noizenet_daemon.benchmark.peers.peer import Array, Peer, PeerUnavailableError
from noizenet_daemon.benchmark.peers.plain import plain_loops
from noizenet_daemon.benchmark.peers.program import Program
from noizenet_daemon.benchmark.peers.pytorch import compiled, eager
from noizenet_daemon.cost import BYTES_PER_WEIGHT, weights_in_step
from noizenet_daemon.engine_numba import NumbaEngine, new_network_state
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.precision import PRECISIONS, Precision

PEERS: dict[str, Callable[[Checkpoint], Peer]] = {
    "plain numba loops": plain_loops,
    "PyTorch eager": eager,
    "torch.compile": compiled,
    "ONNX Runtime": onnx_runtime,
}
RESERVED = (*PRECISIONS, *PEERS)
DEVIATION_STEPS = 1024


@dataclass(frozen=True)
class Contender:
    """How fast one way steps the LSTM of one size.

    Attributes:
        name: a precision of the kernels, or a peer's.
        steps_per_second: median of the turns; of processor time, but of a program as it says.
        sgemm, reading: shares of the ceilings that its products and its weights take, 0..1 and more; None of a program.
        deviation: root mean square of what differs from float32 in predicting a sound one step ahead, over the
            deviation of the prediction in float32; None of a peer.
    """

    name: str
    steps_per_second: float
    sgemm: float | None
    reading: float | None
    deviation: float | None


@dataclass(frozen=True)
class Size:
    """The LSTM with so many hidden units, all contenders in one run.

    Attributes:
        missing: why a peer took no part, in a sentence each.
    """

    hidden: int
    ceilings: Ceilings
    contenders: list[Contender]
    missing: list[str]


def kernel_peer(checkpoint: Checkpoint, precision: Precision) -> Peer:
    """Returns the engine `numba` as a peer."""
    engine = NumbaEngine(checkpoint, precision)
    state, controls = new_network_state(engine.shape, 1), Controls()

    def run(steps: int) -> Array:
        out = np.zeros((steps, 1), np.float32)
        engine.run(state, controls, out)
        return out[:, 0]

    return run


def measure_size(hidden: int, seconds: float, turns: int, programs: Sequence[Program] = ()) -> Size:
    """Returns how fast each contender is.

    Args:
        seconds: of each turn, about; programs decide for themselves.
        turns: of each contender, all one after another.

    Raises:
        PeerUnavailableError: a program that ran at first failed later.
    """
    checkpoint = lstm_of(hidden)
    missing: list[str] = []
    measures: dict[str, Measure] = {"sgemm": sgemm_measure(), "reading": reading_measure()}
    for precision in PRECISIONS:
        measures[precision] = stepping_measure(kernel_peer(checkpoint, precision), seconds)
    for name, make in PEERS.items():
        try:
            measures[name] = stepping_measure(make(checkpoint), seconds)
        except PeerUnavailableError as error:
            missing.append(str(error))
    for program in programs:
        try:
            program.steps_per_second(hidden)  # whether it runs at all, and reads its files for the first time
        except PeerUnavailableError as error:
            missing.append(str(error))
        else:
            measures[program.name] = partial(program.steps_per_second, hidden)
    rates = median_rates(measures, turns)
    ceilings = Ceilings(rates.pop("sgemm"), rates.pop("reading"))
    found = [_contender(checkpoint, name, rate, ceilings) for name, rate in rates.items()]
    return Size(hidden, ceilings, found, missing)


def _contender(checkpoint: Checkpoint, name: str, rate: float, ceilings: Ceilings) -> Contender:
    weights = weights_in_step(checkpoint.network)
    if name not in RESERVED:
        return Contender(name, rate, None, None, None)
    found = next((one for one in PRECISIONS if one == name), None)
    return Contender(
        name,
        rate,
        ceilings.share_of_sgemm(weights, rate),
        ceilings.share_of_reading(weights * BYTES_PER_WEIGHT[found or "f32"], rate),
        deviation(checkpoint, found) if found else None,
    )


def deviation(checkpoint: Checkpoint, precision: Precision) -> float:
    """Returns how far one-step predictions of a tone differ from those of float32, relative to their deviation."""
    time = np.arange(DEVIATION_STEPS) / checkpoint.sample_rate
    sound = (np.sin(2.0 * np.pi * 220.0 * time) + np.sin(2.0 * np.pi * 3000.0 * time)).astype(np.float32)[:, None]
    expected, found = (np.zeros_like(sound) for _ in range(2))
    kinds: tuple[tuple[Precision, Array], ...] = (("f32", expected), (precision, found))
    for kind, out in kinds:
        NumbaEngine(checkpoint, kind).predict(new_network_state(checkpoint.network, 1), sound, out)
    return float(np.sqrt(np.mean(np.square(found - expected))) / expected.std())
