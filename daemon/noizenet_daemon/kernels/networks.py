"""What a network is to the kernels: its weights, and what a voice's network remembers."""

from typing import Any, NamedTuple

from numpy.typing import NDArray

from noizenet.states import Workspace
from noizenet_daemon.kernels.cells import CellState, Layers
from noizenet_daemon.kernels.matrices import Matrices

Array = NDArray[Any]


class CategoricalWeights(NamedTuple):
    """A network over codes. S stages, C classes, E embedding, D units in the head, G gates x H.

    Attributes:
        table: what each code adds to the gates of layer 0: its embedding times the input weights, (S, C, G).
        input: input weights of layer 0, for noise on the input, one (S E, G).
        input_scale: root mean square of the embedding: the unit of noise on the input.
        embedding: (S, C, E).
        condition, condition_bias: S matrices (H + (S - 1) E, D), and (S, D); of stages not known yet, zero.
        output, output_bias: S matrices (D, C), and (S, C).
    """

    layers: Layers
    table: Array
    input: Matrices
    input_scale: float
    embedding: Array
    condition: Matrices
    condition_bias: Array
    output: Matrices
    output_bias: Array


class LinearWeights(NamedTuple):
    """A network over real numbers: F features in and out.

    Attributes:
        input: one (F, G).
        drawn: whether the head is "gaussian".
        output, output_bias: one (H, F), and (F,); of the head "gaussian" (H, 2 F), and (2 F,).
    """

    layers: Layers
    input: Matrices
    input_scale: float
    drawn: bool
    output: Matrices
    output_bias: Array


class TierState(NamedTuple):
    """What two tiers remember between them. F steps a frame, K numbers of conditioning, D units of the perceptron.

    Attributes:
        recent: the last codes, oldest first, int32 (span,).
        place: steps made since the cells turned last, int64 (1,); at F they turn before the next.
        told: what the cells said to each step of this frame, float32 (F, K).
        mixed: workspace, (D,).
    """

    recent: Array
    place: Array
    told: Array
    mixed: Workspace


class NetworkState(NamedTuple):
    """All that a voice's network remembers, and its workspace.

    Attributes:
        last: what the last step put out: codes int32 (S,) or features float32 (F,).
        rng: see `kernels.rng`.
        pink: filters of pink noise, float32 (units, POLES): see `kernels.pink`.
        steps: steps run so far, int64 (1,).
        history, runs: see `kernels.collapse`.
        fed: workspace: the input of layer 0, (S E,) or (F,).
        known: workspace: hidden state and embeddings of the stages drawn so far, (H + (S - 1) E,).
        units: workspace of the head, (D,); what it puts out of features, (F,) or (2 F,).
        positive: workspace: which units of the head are above 0, int64, as many.
        probabilities: workspace, (C,).
        tiers: what a network of two tiers remembers beside that; of others, empty.
    """

    cells: CellState
    last: Array
    rng: Array
    pink: Array
    steps: Array
    history: Array
    runs: Array
    fed: Workspace
    known: Workspace
    units: Workspace
    positive: Workspace
    probabilities: Workspace
    tiers: TierState
