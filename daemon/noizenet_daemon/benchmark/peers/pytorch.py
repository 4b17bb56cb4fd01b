"""PyTorch on a CPU, one thread: its LSTM stepped as users write it (eager), and a step through `torch.compile`."""

from collections.abc import Callable

import numpy as np

from noizenet.checkpoint import Checkpoint
from noizenet_daemon.benchmark.peers.peer import Array, Peer, PeerUnavailableError, layer_weights

MISSING = "PyTorch is not installed: pip install 'noizenet[cuda]' (a build for the CPU suffices)"


def eager(checkpoint: Checkpoint) -> Peer:
    """Returns `torch.nn.LSTM` with `torch.nn.Linear`, called step by step.

    Raises:
        PeerUnavailableError: PyTorch is not installed.
    """
    try:
        import torch
    except ImportError:
        raise PeerUnavailableError(MISSING) from None
    torch.set_num_threads(1)
    shape = checkpoint.network
    lstm, head = torch.nn.LSTM(1, shape.hidden, shape.layers), torch.nn.Linear(shape.hidden, 1)
    named = {name: torch.from_numpy(array) for name, array in checkpoint.weights.items()}
    lstm.load_state_dict({k.removeprefix("rnn."): v for k, v in named.items() if k.startswith("rnn.")})
    head.load_state_dict({k.removeprefix("output.0."): v for k, v in named.items() if k.startswith("output.0.")})
    x = torch.zeros(1, 1)
    state = (torch.zeros(shape.layers, shape.hidden), torch.zeros(shape.layers, shape.hidden))

    def run(steps: int) -> Array:
        nonlocal x, state
        out = np.zeros(steps, np.float32)
        with torch.inference_mode():
            for n in range(steps):
                top, state = lstm(x, state)
                x = head(top)
                out[n] = x.item()
        return out

    return run


def compiled(checkpoint: Checkpoint) -> Peer:
    """Returns a step of all layers and the head, put through `torch.compile`; it compiles here, which takes a while.

    Raises:
        PeerUnavailableError: PyTorch is not installed, or can't compile here.
    """
    try:
        import torch
    except ImportError:
        raise PeerUnavailableError(MISSING) from None
    torch.set_num_threads(1)
    layers = range(checkpoint.network.layers)
    weights = [tuple(torch.from_numpy(array) for array in layer_weights(checkpoint, layer)) for layer in layers]
    head = tuple(torch.from_numpy(checkpoint.weights[f"output.0.{kind}"]) for kind in ("weight", "bias"))

    def step(x: torch.Tensor, h: list[torch.Tensor], c: list[torch.Tensor]) -> torch.Tensor:
        for layer in layers:
            h[layer], c[layer] = torch.lstm_cell(x, [h[layer], c[layer]], *weights[layer])
            x = h[layer]
        return torch.nn.functional.linear(x, *head)

    fast: Callable[..., torch.Tensor] = torch.compile(step)
    x = torch.zeros(1, 1)
    h, c = ([torch.zeros(1, checkpoint.network.hidden) for _ in layers] for _ in range(2))

    def run(steps: int) -> Array:
        nonlocal x
        out = np.zeros(steps, np.float32)
        with torch.no_grad():
            for n in range(steps):
                x = fast(x, h, c)
                out[n] = x.item()
        return out

    try:
        with torch.no_grad():
            fast(x, [value.clone() for value in h], [value.clone() for value in c])
    except Exception as error:  # its compilers raise whatever they like
        raise PeerUnavailableError(f"torch.compile can't compile here ({_first_line(error)}): install g++") from None
    return run


def _first_line(error: Exception) -> str:
    """Returns the first line of what an error says, without its end."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:120]
