"""Prints how fast training is beside a plain PyTorch loop of the same network, and what an update's time goes into.

    python benchmarks/training.py [--seconds S] [--recipes R,...] SOUND...

One thread. Each recipe is trained as `noizenet train` trains it: batches cut from the corpus, disturbed, carried
states, a loss for each stage, checks, clipping. The plain loop does the least that learning needs with the same
network, optimiser and sizes: one batch, made beforehand and the same at each update, forward, a loss, back, a step.
Both take turns, five each, and the median counts. The rate is in updates for a second of processor time.
"""

import argparse
import statistics
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from torch.nn import functional

from noizenet.errors import NoizeNetError
from noizenet_training.codecs.codec_fitting import fit_codec
from noizenet_training.learning.batches import Batch, encode_stretches
from noizenet_training.learning.distributed import Group
from noizenet_training.learning.disturbing import disturbed
from noizenet_training.learning.feeding import feed
from noizenet_training.learning.losses import stage_weights, step_tensor
from noizenet_training.learning.networks import Network, network_shape
from noizenet_training.learning.optimisers import new_optimiser
from noizenet_training.learning.sample_rnn import new_network
from noizenet_training.learning.updates import Learning
from noizenet_training.recipe import Recipe
from noizenet_training.recipe_reading import load_recipe
from noizenet_training.sounds.corpus import load_corpus

RECIPES = "tokens,mulaw,samplernn,amplitude,paper-cnn"
TURNS = 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sounds", type=Path, nargs="+", metavar="SOUND")
    parser.add_argument("--seconds", type=float, default=20.0, metavar="S", help="for each recipe and each of the two")
    parser.add_argument("--recipes", default=RECIPES, metavar="R,...")
    given = parser.parse_args()
    torch.set_num_threads(1)
    try:
        recipes = {name: load_recipe(name, ["split=time"]) for name in given.recipes.split(",")}
        print("| recipe | updates/s | plain loop | of it | cutting | disturbing | forward, back | step |")
        print("|---|---|---|---|---|---|---|---|")
        for name, recipe in recipes.items():
            print(f"| {name} | {measured(recipe, given.sounds, given.seconds / TURNS)} |", flush=True)
    except NoizeNetError as error:
        raise SystemExit(f"training.py: {error}") from None


def measured(recipe: Recipe, sounds: list[Path], turn_s: float) -> str:
    """Returns a row's columns."""
    corpus = load_corpus(sounds, recipe)
    codec = fit_codec(recipe, corpus.training, corpus.sample_rate, 0)
    shape = network_shape(recipe, codec)
    steps = encode_stretches(codec, corpus.training, shape.context)
    learning = Learning(new_network(shape, recipe.dropout), recipe, stage_weights(codec, steps), Group())
    learning.start_round((0, 0))
    batches = feed(recipe, steps, recipe.streams, np.random.default_rng(0), 0, shape.context)
    parts = np.zeros(3)
    ours, theirs = updates(learning, batches, recipe.learning_rate, parts), plain_updates(recipe, learning, batches)
    rates = [(rate(ours, turn_s), rate(theirs, turn_s)) for _ in range(TURNS + 1)][1:]  # the first warms up
    own = statistics.median(pair[0] for pair in rates)
    plain = statistics.median(pair[1] for pair in rates)
    ratio = statistics.median(pair[0] / pair[1] for pair in rates)
    drawing = rate(disturbances(recipe, learning.network, next(batches)), turn_s / 5)
    shares = parts / parts.sum()
    disturbing = own / drawing
    return (
        f"{own:.2f} | {plain:.2f} | {ratio:.0%} | {shares[0]:.1%} | {disturbing:.1%} | "
        f"{shares[1] - disturbing:.1%} | {shares[2]:.1%}"
    )


def rate(run: Iterator[None], seconds: float) -> float:
    """Returns how often a second `run` goes on, in processor time."""
    count, start = 0, time.process_time()
    while (spent := time.process_time() - start) < seconds or not count:
        next(run)
        count += 1
    return count / spent if spent else 0.0


def updates(learning: Learning, batches: Iterator[Batch], learning_rate: float, parts: np.ndarray) -> Iterator[None]:
    """Trains, an update at a time; adds the seconds that cutting, propagation and steps took to `parts`."""
    while True:
        times = [time.process_time()]
        batch = next(batches)
        times.append(time.process_time())
        loss, _ = learning.propagate(batch, lambda: 0.0)
        times.append(time.process_time())
        learning.step(batch, loss, learning_rate)
        times.append(time.process_time())
        parts += np.diff(times)
        yield


def disturbances(recipe: Recipe, network: Network, batch: Batch) -> Iterator[None]:
    """Disturbs a batch again and again."""
    generator = torch.Generator()
    while True:
        disturbed(step_tensor(batch.inputs, torch.device("cpu")), network.shape, recipe, generator)
        yield


def plain_updates(recipe: Recipe, learning: Learning, batches: Iterator[Batch]) -> Iterator[None]:
    """Does what a plain loop does, with a network of its own of the same shape."""
    network = new_network(learning.network.shape, recipe.dropout)
    optimiser = new_optimiser(recipe, network.parameters())
    batch = next(batch for batch in batches if batch.counted.all())
    inputs, targets = (step_tensor(part, torch.device("cpu")) for part in (batch.inputs, batch.targets))
    loss_of = plain_loss(network, targets)
    state = network.new_state(len(inputs))
    while True:
        top, (hidden, cell) = network.recur(inputs, state)
        loss = loss_of(top)
        optimiser.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        torch.nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimiser.step()
        state = hidden.detach(), cell.detach()
        yield


def plain_loss(network: Network, targets: torch.Tensor) -> Callable[[torch.Tensor], torch.Tensor]:
    """Returns what makes the mean loss of the top layer's output."""
    if network.shape.head != "categorical":
        return lambda top: functional.mse_loss(network.predict(top), targets)
    return lambda top: torch.stack(
        [
            functional.cross_entropy(network.logits(top, stage, targets).flatten(0, 1), targets[..., stage].flatten())
            for stage in range(network.shape.stages)
        ]
    ).sum()


if __name__ == "__main__":
    main()
