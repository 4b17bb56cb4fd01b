"""ONNX Runtime on a CPU, one thread: a graph of LSTM nodes and a product, run once a step.

Two sets of state take turns as input and output, bound once: nothing is copied or allocated from step to step.
"""

from typing import Any

import numpy as np

from noizenet.checkpoint import Checkpoint
from noizenet_daemon.benchmark.peers.peer import Array, Peer, PeerUnavailableError, layer_weights

OPSET, IR = 17, 8  # of ONNX; old enough for every ONNX Runtime of today


def onnx_runtime(checkpoint: Checkpoint) -> Peer:
    """Returns the peer.

    Raises:
        PeerUnavailableError: ONNX Runtime isn't installed, or onnx, which writes the graph.
    """
    try:
        import onnx  # noqa: F401
        import onnxruntime
    except ImportError as error:
        raise PeerUnavailableError(f"{error.name} is not installed: pip install 'noizenet[peers]'") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    session = onnxruntime.InferenceSession(
        _model(checkpoint).SerializeToString(), options, providers=["CPUExecutionProvider"]
    )
    state = [_state(checkpoint) for _ in range(2)]
    bindings = []
    for before, after in (state, state[::-1]):
        binding = session.io_binding()
        for name, array in before.items():
            binding.bind_input(name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        for name, array in after.items():
            binding.bind_output(f"{name}_next", "cpu", 0, np.float32, array.shape, array.ctypes.data)
        bindings.append(binding)
    turn = 0

    def run(steps: int) -> Array:
        nonlocal turn
        out = np.zeros(steps, np.float32)
        for n in range(steps):
            session.run_with_iobinding(bindings[turn])
            turn = 1 - turn
            out[n] = state[turn]["x"][0, 0, 0]
        return out

    return run


def _state(checkpoint: Checkpoint) -> dict[str, Array]:
    """Returns silence: what is fed in, (1, 1, 1), and each layer's hidden and cell state, (1, 1, hidden)."""
    size = (1, 1, checkpoint.network.hidden)
    state = {"x": np.zeros((1, 1, 1), np.float32)}
    for layer in range(checkpoint.network.layers):
        state |= {f"h{layer}": np.zeros(size, np.float32), f"c{layer}": np.zeros(size, np.float32)}
    return state


def _model(checkpoint: Checkpoint) -> Any:
    """Returns the graph. ONNX orders the gates i, o, f, g, where PyTorch and checkpoints have i, f, g, o."""
    from onnx import TensorProto, helper, numpy_helper

    hidden = checkpoint.network.hidden
    order = np.concatenate([np.arange(hidden) + hidden * gate for gate in (0, 3, 1, 2)])
    tensors, nodes, fed = [], [], "x"
    for layer in range(checkpoint.network.layers):
        of_input, recurrent, *biases = layer_weights(checkpoint, layer)
        values = {
            "W": of_input[order][None],
            "R": recurrent[order][None],
            "B": np.concatenate([bias[order] for bias in biases])[None],
        }
        tensors += [numpy_helper.from_array(value, f"{name}{layer}") for name, value in values.items()]
        inputs = [fed, *(f"{name}{layer}" for name in values), "", f"h{layer}", f"c{layer}"]
        outputs = ["", f"h{layer}_next", f"c{layer}_next"]
        nodes.append(helper.make_node("LSTM", inputs, outputs, hidden_size=hidden))
        fed = f"h{layer}_next"
    tensors += [
        numpy_helper.from_array(np.ascontiguousarray(checkpoint.weights["output.0.weight"].T), "head"),
        numpy_helper.from_array(checkpoint.weights["output.0.bias"], "bias"),
    ]
    nodes += [helper.make_node("MatMul", [fed, "head"], ["y"]), helper.make_node("Add", ["y", "bias"], ["x_next"])]
    state = _state(checkpoint)
    ends = [
        [helper.make_tensor_value_info(f"{name}{end}", TensorProto.FLOAT, array.shape) for name, array in state.items()]
        for end in ("", "_next")
    ]
    graph = helper.make_graph(nodes, "lstm", *ends, initializer=tensors)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", OPSET)], ir_version=IR)
