"""Back-propagation in segments: the same gradients as at once, for every cell."""

import pytest
import torch
from torch import Tensor

from making import Cell
from noizenet.network import NetworkShape
from noizenet_training.learning.networks import HiddenState, Network
from noizenet_training.learning.propagation import MOST_BYTES, Learner, Steps, propagate, segment_steps


def gradients(network: Network, steps: Steps, segment: int | None) -> tuple[dict[str, Tensor], Tensor, HiddenState]:
    """Returns the gradients, the summed losses and the state after the last step."""
    network.zero_grad(set_to_none=True)
    torch.manual_seed(7)
    losses, state = propagate(Learner(network, "mse"), network, steps, network.new_state(2), 0.05, segment)
    found = {name: value.grad.clone() for name, value in network.named_parameters() if value.grad is not None}
    return found, losses, state


@pytest.mark.parametrize("cell", ["rnn", "lstm", "gru", "conv"])
@pytest.mark.parametrize("dropout", [0.0, 0.4])
@pytest.mark.parametrize("head", ["linear", "categorical"])
def test_segments_give_the_gradients_of_the_whole(cell: Cell, dropout: float, head: str) -> None:
    torch.manual_seed(0)
    counted = torch.ones(2, 23, dtype=torch.bool)
    counted[1, 17:] = False
    if head == "linear":
        network = Network(NetworkShape(cell, 2, 8, "linear", features=2), dropout)
        steps = Steps(torch.randn(2, 23, 2), torch.randn(2, 23, 2), counted)
    else:
        network = Network(NetworkShape(cell, 2, 8, "categorical", 2, 5, 4, 6), dropout)
        steps = Steps(torch.randint(5, (2, 23, 2)), torch.randint(5, (2, 23, 2)), counted)
    network.train()
    in_parts, losses, state = gradients(network, steps, 5)
    if dropout:  # masks are drawn segment by segment: what holds is that a second turn draws the same
        again, _, _ = gradients(network, steps, 5)
        assert all(torch.equal(again[name], in_parts[name]) for name in again)
        return
    whole, whole_losses, whole_state = gradients(network, steps, None)
    assert whole.keys() == in_parts.keys()
    assert all(torch.allclose(whole[name], in_parts[name], atol=1e-5) for name in whole)
    assert torch.allclose(losses, whole_losses, rtol=1e-5)
    assert all(torch.allclose(part, end, atol=1e-6) for part, end in zip(state, whole_state, strict=True))


def test_a_segment_is_computed_again_with_the_dropout_of_its_first_time() -> None:
    network = Network(NetworkShape("conv", 2, 8, "linear", features=2), 0.5).train()
    steps = Steps(torch.randn(2, 20, 2), torch.randn(2, 20, 2), torch.ones(2, 20, dtype=torch.bool))
    found, _, _ = gradients(network, steps, 10)
    torch.manual_seed(7)
    network.zero_grad(set_to_none=True)
    learner = Learner(network, "mse")
    # the same two halves, in one graph
    random = torch.get_rng_state()
    _, state = network.recur(steps.inputs[:, :10], network.new_state(2))
    after = torch.get_rng_state()
    torch.set_rng_state(random)
    first, *state = learner(steps.part(0, 10), *network.new_state(2))
    torch.set_rng_state(after)
    second, *_ = learner(steps.part(10, 20), *state)
    (0.05 * (first + second).sum()).backward()
    for name, value in network.named_parameters():
        assert value.grad is not None
        assert torch.allclose(value.grad, found[name], atol=1e-6)


def test_random_numbers_go_on_after_the_last_segment() -> None:
    network = Network(NetworkShape("gru", 2, 8, "linear", features=2), 0.5).train()
    steps = Steps(torch.randn(2, 20, 2), torch.randn(2, 20, 2), torch.ones(2, 20, dtype=torch.bool))
    torch.manual_seed(7)
    seen = []
    for _ in range(3):
        propagate(Learner(network, "mse"), network, steps, network.new_state(2), 0.05, 5)
        seen.append(torch.get_rng_state())
    assert not torch.equal(seen[0], seen[1])
    assert not torch.equal(seen[1], seen[2])


def test_a_song_is_only_cut_into_segments_when_memory_would_not_do() -> None:
    cpu, steps = torch.device("cpu"), 15 * 22_050
    paper = NetworkShape("gru", 2, 50, "linear", features=1)
    segment = segment_steps(paper, 1, steps, cpu)
    assert 1000 < segment < steps
    assert segment_steps(paper, 1, 22_050, cpu) == 22_050
    assert segment_steps(paper, 1, steps, torch.device("cuda")) == steps
    tokens = NetworkShape("lstm", 2, 256, "categorical", 4, 128, 64, 192)
    assert segment_steps(tokens, 8, 128, cpu) == 128
    assert segment_steps(NetworkShape("conv", 1, 1 << 12, "linear", features=1), 1024, MOST_BYTES, cpu) == 1
