"""The cell conv: what it hears, what it remembers, and that the past alone decides."""

import numpy as np
import pytest
import torch
from torch import Tensor

from noizenet.network import NetworkShape
from noizenet_training.learning.convolution import Convolutions
from noizenet_training.learning.networks import Network


def convolutions(inputs: int = 3, hidden: int = 5, layers: int = 4, dropout: float = 0.0) -> Convolutions:
    torch.manual_seed(0)
    return Convolutions(inputs, hidden, layers, dropout).eval()


def silence(hidden: int = 5, layers: int = 4) -> tuple[Tensor, Tensor]:
    return torch.zeros(layers, 2, hidden), torch.zeros((1 << layers) - 1, 2, hidden)


@pytest.mark.parametrize("parts", [(1, 1, 38), (7, 2, 31), (16, 16, 8), (39, 1)])
def test_streamed_equals_whole(parts: tuple[int, ...]) -> None:
    cell, steps = convolutions(), torch.randn(2, 40, 3)
    with torch.inference_mode():
        whole, after = cell(steps, silence())
        state, heard, first = silence(), [], 0
        for length in parts:
            top, state = cell(steps[:, first : first + length], state)
            heard.append(top)
            first += length
    assert torch.allclose(torch.cat(heard, 1), whole[:, :first], atol=1e-6)
    if first == 40:
        assert all(torch.allclose(part, end, atol=1e-6) for part, end in zip(state, after, strict=True))


def test_an_output_depends_on_the_sixteen_steps_up_to_it_and_on_no_later_one() -> None:
    cell = convolutions(layers=4)
    steps = torch.randn(2, 40, 3)
    with torch.inference_mode():
        before, _ = cell(steps, silence())
        steps[:, 12] += 1.0
        after, _ = cell(steps, silence())
    changed = (before != after).any(dim=2).any(dim=0).nonzero()[:, 0].tolist()
    assert changed == list(range(12, 12 + 16))


def test_layers_above_the_first_pass_their_input_on() -> None:
    cell = convolutions()
    for layer in range(1, 4):
        for parameter in (cell.get_parameter(f"weight_ih_l{layer}"), cell.get_parameter(f"bias_ih_l{layer}")):
            torch.nn.init.zeros_(parameter)
    one = convolutions(layers=1)
    one.load_state_dict({name: value for name, value in cell.state_dict().items() if name.endswith("_l0")})
    steps = torch.randn(2, 9, 3)
    with torch.inference_mode():
        assert torch.allclose(cell(steps, silence())[0], one(steps, silence(layers=1))[0])


def test_its_state_has_the_shapes_that_the_checkpoint_states() -> None:
    shape = NetworkShape("conv", 3, 8, "linear", features=2)
    network = Network(shape)
    _, (hidden, cell) = network.recur(torch.randn(1, 5, 2), network.new_state(1))
    found = {"hidden": tuple(hidden[:, 0].shape), "cell": tuple(cell[:, 0].shape)}
    assert found == {name: shape.state_shapes()[name] for name in found}


def test_dropout_between_layers_works_in_training_only() -> None:
    cell, steps = convolutions(dropout=0.5), torch.randn(2, 20, 3)
    assert torch.equal(cell(steps, silence())[0], cell(steps, silence())[0])
    cell.train()
    assert not torch.equal(cell(steps, silence())[0], cell(steps, silence())[0])
    single = convolutions(layers=1, dropout=0.5).train()
    assert torch.equal(single(steps, silence(layers=1))[0], single(steps, silence(layers=1))[0])


def test_it_learns_what_only_the_past_can_tell() -> None:
    torch.manual_seed(0)
    rng = np.random.default_rng(0)
    steps = torch.from_numpy(rng.choice([-1.0, 1.0], (4, 200, 1)).astype(np.float32))
    network = Network(NetworkShape("conv", 3, 16, "linear", features=1))
    optimiser = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(150):
        top, _ = network.recur(steps, network.new_state(4))
        loss = (network.predict(top)[:, 5:] - steps[:, :-5]).square().mean()
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimiser.step()
    assert float(loss.detach()) < 0.1
