"""The generator: both engines alike, the same for the same seed, primed as if it had played."""

import gc
import sys
import tracemalloc
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numba.core.runtime import _nrt_python, rtsys

from equations import next_cells
from making import (
    Array,
    Cell,
    amplitude_checkpoint,
    gaussian_checkpoint,
    melody,
    memory_checkpoint,
    mulaw_checkpoint,
    stereo_checkpoint,
    tokens_checkpoint,
    write_sound,
)
from noizenet.checkpoint import Checkpoint
from noizenet.codecs import sound_shape
from noizenet.errors import SoundFileError, UsageError
from noizenet.protocol import NOISE_KINDS, NOISE_MODES, NOISE_TARGETS, PARAMETERS
from noizenet.states import arrays_of
from noizenet_daemon.generator import EngineName, Generator, GeneratorState
from noizenet_daemon.kernels.noise import Controls
from noizenet_daemon.kernels.roaming import FRAME
from rolling import cell_oldest_first

CELLS: list[Cell] = ["rnn", "lstm", "gru", "conv"]
MAKERS: list[Callable[..., Checkpoint]] = [
    tokens_checkpoint,
    mulaw_checkpoint,
    amplitude_checkpoint,
    gaussian_checkpoint,
    stereo_checkpoint,
    memory_checkpoint,
]
DEFAULTS = {name: parameter.default for name, parameter in PARAMETERS.items()} | {"live_level_db": -20.0}


def play(generator: Generator, state: GeneratorState, blocks: int, **values: Any) -> Array:
    """Returns the next blocks, with the parameters of the protocol at `values` or their defaults."""
    controls = generator.controls(DEFAULTS | values)
    out = np.full((blocks, generator.chunk_frames, generator.channels), np.nan, np.float32)
    for block in out:
        generator.generate(state, controls, block)
    return out.reshape(-1)


def steps_of(checkpoint: Checkpoint, engine: EngineName, steps: int, **values: Any) -> Array:
    """Returns the codes or features of the first steps; of a memory also, in a last column, the frames played."""
    generator = Generator(checkpoint, engine)
    blocks = -(-steps // (1 if generator.codec.hop > 1 else 128))
    state = generator.new_state(7)
    controls = generator.controls(DEFAULTS | values)
    out = np.zeros((generator.chunk_frames, generator.channels), np.float32)
    found = []
    for _ in range(blocks):
        generator.generate(state, controls, out)
        found.append(state.steps.copy())
        if state.memory:
            found[-1] = np.append(found[-1], state.memory.roaming.places[[[FRAME]]], axis=1)
    return np.concatenate(found)


def assert_engines_agree(checkpoint: Checkpoint, steps: int = 256, **values: Any) -> None:
    numba, torch = (steps_of(checkpoint, engine, steps, **values) for engine in ("numba", "torch"))
    if checkpoint.network.head == "categorical":
        assert np.array_equal(numba, torch)
        assert len(np.unique(numba, axis=0)) > 1
    else:
        assert np.abs(numba - torch).max() < 1e-4


@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("make", MAKERS)
def test_numba_equals_torch(make: Callable[..., Checkpoint], cell: Cell, layers: int) -> None:
    assert_engines_agree(make(cell, layers))


@pytest.mark.parametrize("target", NOISE_TARGETS)
@pytest.mark.parametrize("kind", NOISE_KINDS)
@pytest.mark.parametrize("make", MAKERS)
def test_numba_equals_torch_with_noise(make: Callable[..., Checkpoint], kind: str, target: str) -> None:
    for cell in ("lstm", "conv"):
        assert_engines_agree(make(cell, 2), noise=0.3, noise_kind=kind, noise_target=target)


@pytest.mark.parametrize("cell", ["rnn", "gru"])
def test_noise_on_the_cell_goes_to_the_hidden_state_where_there_is_no_cell(cell: Cell) -> None:
    checkpoint = tokens_checkpoint(cell)
    assert_engines_agree(checkpoint, noise=0.3, noise_target="cell")
    in_cell, in_hidden = (steps_of(checkpoint, "numba", 50, noise=0.3, noise_target=t) for t in ("cell", "hidden"))
    assert np.array_equal(in_cell, in_hidden)


@pytest.mark.parametrize("mode", NOISE_MODES)
def test_numba_equals_torch_in_every_noise_mode(mode: str) -> None:
    # without states the amplitude network settles within the block: on_collapse has something to do
    assert_engines_agree(amplitude_checkpoint(), 4096, noise=0.5, noise_mode=mode, noise_period_s=0.05)
    assert_engines_agree(tokens_checkpoint(), noise=0.5, noise_mode=mode, noise_period_s=0.05)


@pytest.mark.parametrize(
    "values", [{"temperature": 0.1}, {"temperature": 2.0}, {"top_p": 0.5}, {"top_p": 0.9, "temperature": 1.5}]
)
@pytest.mark.parametrize("make", [tokens_checkpoint, mulaw_checkpoint, gaussian_checkpoint])
def test_numba_equals_torch_however_it_draws(make: Callable[..., Checkpoint], values: dict[str, Any]) -> None:
    assert_engines_agree(make("gru"), **values)


def test_numba_and_torch_give_the_same_samples() -> None:
    checkpoint = tokens_checkpoint()
    generators = Generator(checkpoint), Generator(checkpoint, "torch")
    sounds = [play(generator, generator.new_state(3), 50, noise=0.1) for generator in generators]
    assert np.array_equal(*sounds)


@pytest.mark.parametrize("make", MAKERS)
def test_the_same_seed_gives_the_same_samples_and_another_does_not(make: Callable[..., Checkpoint]) -> None:
    generator = Generator(make())
    first, again, other = (play(generator, generator.new_state(seed), 20, noise=0.2) for seed in (1, 1, 2))
    assert np.array_equal(first, again)
    assert not np.array_equal(first, other)
    assert np.array_equal(play(Generator(make()), generator.new_state(1), 20, noise=0.2), first)


def test_voices_of_one_seed_differ() -> None:
    for make in (tokens_checkpoint, mulaw_checkpoint):
        generator = Generator(make())
        sounds = [play(generator, generator.new_state(1, voice), 20) for voice in (1, 2, 3)]
        assert not np.array_equal(sounds[0], sounds[1])
        assert not np.array_equal(sounds[1], sounds[2])
        assert not np.array_equal(sounds[0], sounds[2])


@pytest.mark.parametrize("engine", ["numba", "torch"])
@pytest.mark.parametrize("cell", ["lstm", "conv"])
@pytest.mark.parametrize("make", MAKERS)
def test_a_copy_of_a_state_goes_on_exactly_like_it(
    make: Callable[..., Checkpoint], cell: Cell, engine: EngineName
) -> None:
    generator = Generator(make(cell, 3), engine)
    state = generator.new_state(1)
    play(generator, state, 7, noise=0.2)
    copy = generator.copy_of(state)
    rest = play(generator, state, 9, noise=0.2)
    assert np.array_equal(play(generator, copy, 9, noise=0.2), rest)
    for a, b in zip(arrays_of(state), arrays_of(copy), strict=True):
        assert np.array_equal(a, b)
        assert not np.shares_memory(a, b)


def test_a_state_starts_from_one_of_the_checkpoint_s_own() -> None:
    checkpoint = tokens_checkpoint(states=("a", "b", "c"))
    generator = Generator(checkpoint)
    for seed, voice, name in ((0, 1, "a"), (1, 1, "c"), (1, 2, "a"), (2, 1, "b"), (3, 1, "a")):
        state = generator.new_state(seed, voice)
        assert np.array_equal(state.network.cells.hidden, checkpoint.states[name]["hidden"])
        assert np.array_equal(state.network.last, checkpoint.states[name]["last"])


@pytest.mark.parametrize("values", [{"temperature": 0.1}, {"temperature": 2.0}, {"temperature": 2.0, "top_p": 0.05}])
@pytest.mark.parametrize("make", MAKERS)
def test_extremes_of_temperature_play_on(make: Callable[..., Checkpoint], values: dict[str, Any]) -> None:
    generator = Generator(make())
    state = generator.new_state(1)
    assert np.isfinite(play(generator, state, 100, **values)).all()
    assert state.guard.counts[0] == 0


@pytest.mark.parametrize("target", NOISE_TARGETS)
@pytest.mark.parametrize("kind", NOISE_KINDS)
@pytest.mark.parametrize("make", MAKERS)
def test_the_most_noise_plays_on(make: Callable[..., Checkpoint], kind: str, target: str) -> None:
    for cell in CELLS:
        generator = Generator(make(cell))
        state = generator.new_state(1)
        sound = play(generator, state, 60, noise=1.0, noise_kind=kind, noise_target=target, temperature=2.0)
        assert np.isfinite(sound).all()
        assert state.guard.counts[0] == 0


@pytest.mark.parametrize("kind", NOISE_KINDS)
@pytest.mark.parametrize("cell", CELLS)
def test_noise_brings_a_collapsed_network_back_to_life(cell: Cell, kind: str) -> None:
    generator = Generator(amplitude_checkpoint(cell))
    still = play(generator, generator.new_state(1), 40)
    values = {"noise": 1.0, "noise_kind": kind, "noise_mode": "on_collapse", "live_level_db": 0.0}
    stirred = play(generator, generator.new_state(1), 40, **values)
    assert np.ptp(still[-256:]) < 1e-3
    assert np.array_equal(stirred[:1024], still[:1024])
    assert np.ptp(stirred[1536:]) > 0.001  # four times what counts as movement, and a stuck network has none


@pytest.mark.parametrize("target", NOISE_TARGETS)
def test_perlin_noise_is_fast_enough_to_be_heard_where_a_step_is_a_sample(target: str) -> None:
    generator = Generator(amplitude_checkpoint(sample_rate=22050))
    sound = play(generator, generator.new_state(1), 170, noise=1.0, noise_kind="perlin", noise_target=target)[1024:]
    power = np.square(np.abs(np.fft.rfft(sound - sound.mean())))
    frequency = np.fft.rfftfreq(len(sound), 1 / 22050)
    assert power[(frequency > 20.0) & (frequency < 400.0)].sum() > 0.5 * power.sum()


@pytest.mark.parametrize("source", ["file", "silence", "normal", "perlin"])
@pytest.mark.parametrize("cell", ["lstm", "conv"])
@pytest.mark.parametrize("make", MAKERS)
def test_priming_equals_listening_step_by_step(
    make: Callable[..., Checkpoint], cell: Cell, source: str, tmp_path: Path
) -> None:
    checkpoint = make(cell, 2, sample_rate=2000)
    generator = Generator(checkpoint)
    network, weights = checkpoint.network, checkpoint.weights
    if source == "file":
        source = str(write_sound(tmp_path / "prime.wav", melody(0.5, checkpoint.sample_rate), checkpoint.sample_rate))
    state, seconds = generator.primed_state(source, seed=5)
    samples = generator._prime_samples(source, 5)
    assert seconds == pytest.approx(len(samples) / checkpoint.sample_rate)
    steps = checkpoint.codec.encode(checkpoint.codec.new_encoder_state(), samples)
    hidden, memory = np.zeros((2, network.hidden)), np.zeros((network.cell_rows, network.hidden))
    for step in steps[:-1]:  # the last is what the network has put out, and is fed in next
        x = step
        if network.head == "categorical":
            x = np.concatenate([weights["embedding"][stage, code] for stage, code in enumerate(step)])
        next_cells(network, weights, x, hidden, memory)
    assert np.abs(state.network.cells.hidden - hidden).max() < 1e-4
    assert np.abs(cell_oldest_first(network, state.network.cells) - memory).max() < 1e-4
    assert np.array_equal(state.network.last, steps[-1])
    torch_state, _ = Generator(checkpoint, "torch").primed_state(source, seed=5)
    assert np.abs(torch_state.network.cells.hidden - hidden).max() < 1e-4
    assert np.abs(cell_oldest_first(network, torch_state.network.cells) - memory).max() < 1e-4


def test_every_way_of_priming_plays_and_is_repeatable(tmp_path: Path) -> None:
    checkpoint = tokens_checkpoint()
    generator = Generator(checkpoint)
    # of another rate and with two channels: it is mixed down and resampled
    stereo = np.stack([melody(1.0, 16000), melody(1.0, 16000, seed=1)], axis=1)
    file = str(write_sound(tmp_path / "prime.flac", stereo, 16000))
    endings = {}
    for source, expected_s in ((file, 1.0), ("silence", 2.0), ("normal", 2.0), ("perlin", 2.0), ("corpus", 0.0)):
        sounds = []
        for _ in range(2):
            state, seconds = generator.primed_state(source, seed=1)
            assert seconds == pytest.approx(expected_s, abs=0.01)
            sounds.append(play(generator, state, 30))
        assert np.array_equal(*sounds)
        assert np.isfinite(sounds[0]).all()
        endings[source] = generator.primed_state(source, seed=1)[0].network.cells.hidden
    different = {array.tobytes() for array in endings.values()}
    assert len(different) == 5


def test_priming_hears_the_last_ten_seconds_only(tmp_path: Path) -> None:
    checkpoint = tokens_checkpoint(sample_rate=2000)
    generator = Generator(checkpoint)
    file = write_sound(tmp_path / "long.wav", melody(12.0, 2000), 2000)
    assert generator.primed_state(str(file), 0)[1] == pytest.approx(10.0)


def test_priming_with_what_is_too_short_or_no_sound_is_refused(tmp_path: Path) -> None:
    generator = Generator(tokens_checkpoint())
    short = write_sound(tmp_path / "short.wav", np.zeros(20, np.float32))
    with pytest.raises(UsageError, match="it has 20 samples, and this checkpoint needs at least 64"):
        generator.primed_state(str(short), 0)
    text = tmp_path / "text.wav"
    text.write_text("not a sound")
    with pytest.raises(SoundFileError, match=r"text\.wav"):
        generator.primed_state(str(text), 0)


def test_a_voice_that_fails_begins_again_where_it_was_primed() -> None:
    generator = Generator(tokens_checkpoint())
    state, _ = generator.primed_state("normal", 0)
    hidden = state.network.cells.hidden.copy()
    play(generator, state, 5)
    for _ in range(3):
        state.network.cells.hidden[:] = np.nan
        play(generator, state, 1)
    assert np.array_equal(state.network.cells.hidden, hidden)


def test_controls_are_those_of_the_protocol() -> None:
    generator = Generator(tokens_checkpoint(sample_rate=22050, hop=64))
    values = {"noise": 0.3, "noise_kind": "perlin", "noise_target": "cell", "noise_mode": "periodic"}
    controls = generator.controls(DEFAULTS | values | {"noise_period_s": 0.5, "temperature": 1, "top_p": 1})
    assert (controls.kind, controls.target, controls.mode) == (2, 2, 2)
    assert controls.period == round(0.5 * 22050 / 64)
    assert controls.hold == int(0.5 * 22050 / 64)
    assert controls.perlin_step == pytest.approx(2.0 * 64 / 22050)
    assert all(type(value) is float for value in (controls.temperature, controls.top_p, controls.noise))
    assert generator.controls(DEFAULTS | {"noise_period_s": 0.0001}).period == 1
    of_samples = Generator(mulaw_checkpoint()).controls(DEFAULTS)
    assert of_samples.hold == 1024
    assert of_samples.perlin_step == pytest.approx(220.0 / 8000)


def blocks_of(generator: Generator) -> Callable[[int], None]:
    """Returns a function that plays some blocks, noise and all, into a buffer made beforehand."""
    state = generator.new_state(1)
    controls = Controls(noise=0.1, top_p=0.9)
    out = np.zeros((generator.chunk_frames, generator.channels), np.float32)

    def play_blocks(count: int) -> None:
        for _ in range(count):
            generator.generate(state, controls, out)

    return play_blocks


def kept_by_playing_on(make: Callable[..., Checkpoint]) -> int:
    """Returns how many more of Python's own memory blocks are in use after 500 blocks of sound: of 4 times, the least.

    What a block keeps, it keeps each time; what else happens in a process, now and then, does not. The interpreter
    keeps up to 2000 freed tuples of a size for later: the first 1000 blocks fill those lists, and the garbage
    collector, which would empty them, is off meanwhile.
    """
    play_blocks = blocks_of(Generator(make()))
    gc.collect()
    gc.disable()
    play_blocks(1000)
    kept = []
    for _ in range(4):
        before = sys.getallocatedblocks()
        play_blocks(500)
        kept.append(sys.getallocatedblocks() - before)
    return min(kept)


@pytest.mark.parametrize("make", MAKERS)
def test_playing_on_keeps_no_memory(make: Callable[..., Checkpoint]) -> None:
    """In a process of its own, where nothing else allocates."""
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as process:
        assert process.submit(kept_by_playing_on, make).result() < 50


@pytest.mark.parametrize("make", MAKERS)
def test_a_block_borrows_next_to_nothing(make: Callable[..., Checkpoint]) -> None:
    """What is measured: the most that Python and NumPy hold during a block, above what they held before; of 50, the
    median.

    It isn't zero (1 to 3 kB were seen): a call from Python makes tuples, views and small lists, and frees them.
    """
    play_blocks = blocks_of(Generator(make()))
    play_blocks(100)
    borrowed = []
    tracemalloc.start()
    try:
        play_blocks(10)
        for _ in range(50):
            tracemalloc.reset_peak()
            before, _ = tracemalloc.get_traced_memory()
            play_blocks(1)
            borrowed.append(tracemalloc.get_traced_memory()[1] - before)
    finally:
        tracemalloc.stop()
    assert np.median(borrowed) < 8192


@pytest.mark.parametrize("cell", ["lstm", "conv"])
@pytest.mark.parametrize("make", MAKERS)
def test_the_kernels_allocate_nothing_while_they_step(make: Callable[..., Checkpoint], cell: Cell) -> None:
    """What is measured: numba's own count of allocations, the same for 1 step as for 500.

    Those there are wrap the arrays handed in from Python; none is made by a step.
    """
    generator = Generator(make(cell, 2))
    state = generator.new_state(1)
    controls = Controls(noise=0.1, top_p=0.9)
    counts = []
    _nrt_python.memsys_enable_stats()
    try:
        for length in (1, 1, 500):
            steps = np.zeros((length, generator.codec.width), state.steps.dtype)
            out = np.zeros(sound_shape(generator.codec, length * generator.codec.hop), np.float32)
            before = rtsys.get_allocation_stats().alloc
            generator._engine.run(state.network, controls, steps)
            generator.codec.decode(state.decoder, steps, out)
            counts.append(rtsys.get_allocation_stats().alloc - before)
    finally:
        _nrt_python.memsys_disable_stats()
    assert counts[1] == counts[2]
