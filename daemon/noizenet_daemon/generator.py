"""The generator: a checkpoint's network and codec, and one explicit state in and out of each block.

Rendering, the daemon and training's preview all play through it, so the same seed and settings give the same
samples everywhere.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from noizenet.checkpoint import Checkpoint
from noizenet.codecs import CodecState, steps_per_second
from noizenet.errors import UsageError
from noizenet.perlin import perlin_noise
from noizenet.states import Workspace, copy_state
from noizenet_daemon.cost import weights_in_step
from noizenet_daemon.engine_numba import NumbaEngine, new_network_state
from noizenet_daemon.engines import EngineName, new_engine
from noizenet_daemon.kernels.networks import NetworkState
from noizenet_daemon.kernels.noise import PERLIN_HZ, Controls
from noizenet_daemon.memory_player import MemoryPlayer, MemoryState
from noizenet_daemon.noise_amount import noise_amount
from noizenet_daemon.precision import PrecisionChoice
from noizenet_daemon.quarantine import Quarantine, guarded, quarantine, remember_start
from noizenet_daemon.shared_engine import SharedEngine, can_share

Array = NDArray[Any]
PREDICTED_AT_ONCE = 1 << 15  # steps: an interruption waits for no more
SAMPLE_CODEC_CHUNK = 128  # steps at once where a step is one sample: 3 to 6 ms
LEAST_SHARED_STEPS = 32  # in a block: for fewer, copying states to and fro costs more than it gains
LEAST_WEIGHTS_FOR_THREADS = 2e6  # of a step, of voices that play a memory: what ships is 0.6 as fast on two threads
COLLAPSE_HOLD_S = 0.5  # output that repeats for this long is stuck ...
COLLAPSE_HOLD_SAMPLES = 1024  # ... or for this many steps, where a step is one sample
PRIME_S = 10.0  # longest stretch of a sound that priming listens to
NOISE_PRIME_S = 2.0  # length of a prime of noise or silence
PRIME_LEVEL = np.float32(0.1)  # deviation of noise: the level of quiet music
PERLIN_PRIME_HZ = 220.0  # cells of the first lattice in a second
PERLIN_PRIME_OCTAVES = 5  # the last has 3,520 cells a second
CORPUS = "corpus"
SEED_STRIDE = 5  # states lie in the order of the corpus: neighbouring seeds begin far apart in it


class Together(Protocol):
    """Steps several voices side by side, as many as `together` says; see `SharedEngine`."""

    @property
    def together(self) -> int: ...
    def run(self, states: Sequence[NetworkState], controls: Sequence[Controls], outs: Sequence[Array]) -> None: ...


class GeneratorState(NamedTuple):
    """One voice: its network, decoder, place in the memory if there is one, quarantine, and the block's steps."""

    network: NetworkState
    decoder: CodecState
    memory: MemoryState | tuple[()]
    guard: Quarantine
    steps: Workspace


class Generator:
    """A checkpoint, ready to play. Immutable: voices share it, each with a state of its own.

    Attributes:
        sample_rate: frames per second of its blocks.
        chunk_frames, channels: of a block; the same always.
        gains_from_threads: whether voices of it are dearer than handing them to another thread.
    """

    def __init__(
        self, checkpoint: Checkpoint, engine: EngineName = "numba", precision: PrecisionChoice = "auto"
    ) -> None:
        """Takes and raises what `new_engine` does."""
        self.checkpoint = checkpoint
        self.codec = checkpoint.codec
        self.sample_rate = self.codec.sample_rate
        self.channels = self.codec.channels
        groups = 1 if self.codec.hop > 1 else SAMPLE_CODEC_CHUNK
        self._chunk_steps = groups * self.codec.group
        self.chunk_frames = groups * self.codec.hop
        self.step_rate = steps_per_second(self.codec)
        self._engine = new_engine(checkpoint, engine, precision)
        self._shared: Together | None = None
        self._memory = MemoryPlayer(checkpoint, checkpoint.memory) if checkpoint.memory else None
        self.gains_from_threads = not self._memory or weights_in_step(checkpoint.network) >= LEAST_WEIGHTS_FOR_THREADS

    def new_state(self, seed: int, voice: int = 1) -> GeneratorState:
        """Returns a state that starts from one of the checkpoint's own hidden states, which the seed chooses.

        Args:
            voice: voices of one seed start and run differently.
        """
        state = self._silent_state(seed + 1_000_003 * (voice - 1))
        names = sorted(self.checkpoint.states)
        if names:
            start = self.checkpoint.states[names[(SEED_STRIDE * seed + voice - 1) % len(names)]]
            state.network.cells.hidden[:] = start["hidden"]
            state.network.cells.cell[:] = start["cell"]
            state.network.last[:] = start["last"]
            if "recent" in start:
                state.network.tiers.recent[:] = start["recent"]
        remember_start(state.guard)
        return state

    def _silent_state(self, seed: int) -> GeneratorState:
        shape = self.checkpoint.network
        kind = np.int32 if shape.head == "categorical" else np.float32
        memory = self._memory.new_state() if self._memory else ()
        parts = new_network_state(shape, seed), self.codec.new_decoder_state(seed), memory
        (network, decoder, memory), guard = guarded(parts, self.chunk_frames, self.channels)
        return GeneratorState(network, decoder, memory, guard, np.zeros((self._chunk_steps, self.codec.width), kind))

    def copy_of(self, state: GeneratorState) -> GeneratorState:
        """Returns a copy of a state of this generator."""
        copy = self._silent_state(0)
        copy_state(state, copy)
        return copy

    def generate(self, state: GeneratorState, controls: Controls, out: Array) -> None:
        """Writes the next block into `out`, float32 (chunk_frames, channels), contiguous, and moves `state` on.

        Allocates nothing.
        """
        self._engine.run(state.network, controls, state.steps)
        self._sound_out(state, controls, out)

    def generate_together(
        self, states: Sequence[GeneratorState], controls: Sequence[Controls], outs: Sequence[Array]
    ) -> None:
        """Writes the next blocks of as many voices as `together` says, each as `generate` would alone."""
        assert self._shared
        self._shared.run([state.network for state in states], controls, [state.steps for state in states])
        for state, one, out in zip(states, controls, outs, strict=True):
            self._sound_out(state, one, out)

    def share(self, voices: int) -> None:
        """Lets so many voices step side by side from now on, where that is quicker. They belong to one thread then.

        The kernels step four together, whatever `voices` is.
        """
        if not isinstance(self._engine, NumbaEngine):
            self._shared = self._engine.together(voices)
        elif not self._shared and self._chunk_steps >= LEAST_SHARED_STEPS and can_share(self._engine):
            self._shared = SharedEngine(self.checkpoint, self._engine, self._chunk_steps)

    @property
    def together(self) -> int:
        """Voices that step side by side; 1 if none do."""
        return self._shared.together if self._shared else 1

    def _sound_out(self, state: GeneratorState, controls: Controls, out: Array) -> None:
        """Turns the steps that a voice has made into its block."""
        sound = out if self.channels > 1 else out[:, 0]
        if self._memory and state.memory:
            self._memory.step(state.memory, state.network, controls, state.steps[0])
            self._memory.decode(state.memory, state.decoder, state.steps, sound)
            self._memory.mix(state.memory, out)
        else:
            self.codec.decode(state.decoder, state.steps, sound)
        cells = state.network.cells
        # a code of -1 could not be drawn; features that are no numbers are found in the sound
        is_whole = self.codec.classes == 0 or bool(state.steps.min() >= 0)
        quarantine(state.guard, state[:3], out, (cells.hidden, cells.cell), is_whole)

    def expected(self, steps: Array) -> Array:
        """Returns what the network expects in the place of each step (n, width) of a sound, of the same kind.

        It expects each having heard all true ones before it. The first stands as it is: nothing was heard before it.
        """
        state = new_network_state(self.checkpoint.network, 0)
        found = steps.copy()
        self._engine.listen(state, steps[:1])
        for start in range(1, len(steps), PREDICTED_AT_ONCE):
            part = slice(start, start + PREDICTED_AT_ONCE)
            self._engine.predict(state, steps[part], found[part])
        return found

    def primed_state(self, source: str, seed: int, voice: int = 1) -> tuple[GeneratorState, float]:
        """Returns a state warmed by a sound, and that sound's seconds.

        Args:
            source: a sound file; or `corpus` (the checkpoint's own states), `normal` or `perlin` (noise),
                `silence`.

        Raises:
            SoundFileError: the file can't be read or holds nothing.
            UsageError: the sound is shorter than one step of the codec.
        """
        if source == CORPUS:
            return self.new_state(seed, voice), 0.0
        samples = self._prime_samples(source, seed)
        state = self._silent_state(seed + 1_000_003 * (voice - 1))
        steps = self.codec.encode(self.codec.new_encoder_state(), samples)
        if len(steps) == 0:
            raise UsageError(
                f"can't prime with {source}: it has {len(samples)} samples, and this checkpoint needs at least "
                f"{self.codec.hop}: choose a longer sound"
            )
        self._engine.listen(state.network, steps)
        remember_start(state.guard)
        return state, len(samples) / self.sample_rate

    def _prime_samples(self, source: str, seed: int) -> Array:
        """Returns what priming listens to, at the model's rate, in its channels.

        `normal` is static: every frequency equally. `perlin` wavers around a deep hum (its first lattice has 220 cells
        a second, so that most of it lies around 110 Hz), with ever weaker wind above it up to 3.5 kHz. Both have a
        deviation of 0.1, about -20 dBFS, and last two seconds, as does `silence`; all three are the same on both sides.
        """
        count = max(int(NOISE_PRIME_S * self.sample_rate), self.codec.hop)
        if source == "silence":
            samples: Array = np.zeros(count, np.float32)
        elif source == "normal":
            samples = (PRIME_LEVEL * np.random.default_rng(seed).standard_normal(count)).astype(np.float32)
        elif source == "perlin":
            samples = PRIME_LEVEL * perlin_noise(count, PERLIN_PRIME_HZ, self.sample_rate, PERLIN_PRIME_OCTAVES, seed)
        else:
            from noizenet.sound_file import read_channels

            longest = max(int(PRIME_S * self.sample_rate), self.codec.hop)
            return read_channels(Path(source), self.sample_rate, self.channels)[-longest:]
        return samples if self.channels == 1 else np.stack([samples] * self.channels, axis=1)

    def controls(self, values: dict[str, Any]) -> Controls:
        """Returns what the kernels take for values of the parameters in `noizenet.protocol`."""
        from noizenet.protocol import NOISE_KINDS, NOISE_MODES, NOISE_TARGETS

        steps_are_samples = self.codec.hop <= self.codec.group
        hold = COLLAPSE_HOLD_SAMPLES if steps_are_samples else int(COLLAPSE_HOLD_S * self.step_rate)
        return Controls(
            temperature=float(values["temperature"]),
            top_p=float(values["top_p"]),
            stray=float(values["stray"]),
            noise=noise_amount(values, draws_codes=self.codec.classes > 0, steps_are_samples=steps_are_samples),
            kind=NOISE_KINDS.index(values["noise_kind"]),
            target=NOISE_TARGETS.index(values["noise_target"]),
            mode=NOISE_MODES.index(values["noise_mode"]),
            period=max(1, round(float(values["noise_period_s"]) * self.step_rate)),
            # drift that a frame shows is far too slow to be heard in samples: 4e-6 deviations from one to the next
            perlin_step=(PERLIN_PRIME_HZ if steps_are_samples else PERLIN_HZ) / self.step_rate,
            hold=max(hold, 2),
        )
