"""One-step prediction: the network hears the true steps, and of each what it had expected is written.

What was expected is the likeliest that the network can say without a draw: the features or their means, and of each
code the likeliest. A stage is told what was expected of the stages before it, not what came: the true codes of the
step itself would give away part of what is to be predicted.

`predict_*` go on from what the network has heard, as `listen_*` do, and change the state in place.
"""

from typing import Any

from noizenet.compiling import copy, kernel
from noizenet_daemon.kernels.cells import step_layers
from noizenet_daemon.kernels.denormals import flush_denormals, restore_denormals
from noizenet_daemon.kernels.drawing import likeliest
from noizenet_daemon.kernels.stepping import feed_codes, feed_features, put_out_features, score_stage


@kernel
def predict_codes(weights: Any, state: Any, codes: Any, out: Any) -> None:
    """Hears codes, int32 (n, S), and writes for each step what was expected in its place into `out`, alike."""
    denormals = flush_denormals()
    for n in range(codes.shape[0]):
        feed_codes(weights, state, False)
        step_layers(weights.layers, state.cells)
        for stage in range(state.last.shape[0]):
            score_stage(weights, state, out[n], stage)
            out[n, stage] = likeliest(state.probabilities)
        copy(codes[n], state.last)
    restore_denormals(denormals)


@kernel
def predict_features(weights: Any, state: Any, features: Any, out: Any) -> None:
    """Hears features, float32 (n, F), and writes for each step what was expected in its place into `out`, alike."""
    denormals = flush_denormals()
    width = state.last.shape[0]
    for n in range(features.shape[0]):
        feed_features(weights, state, False)
        step_layers(weights.layers, state.cells)
        put_out_features(weights, state)
        copy(state.units[:width], out[n])
        copy(features[n], state.last)
    restore_denormals(denormals)
