"""The decoder of a voice in its memory rests while nobody hears it, and is awake when it is heard."""

import numpy as np
import pytest

from making import Array, memory_checkpoint
from noizenet.nearness import spectral_convergence
from noizenet_daemon.kernels.roaming import OWN, WANTED
from noizenet_daemon.memory_player import MemoryPlayer, MemoryState


def heard(state: MemoryState, is_heard: bool) -> MemoryState:
    """Returns the state, which hears what the network draws or doesn't."""
    state.roaming.places[WANTED], state.roaming.clock[OWN] = is_heard, float(is_heard)
    return state


def decoded(rest: slice, steps: int = 120, catches_up: bool = True) -> Array:
    """Returns the sound (samples,) of steps of a memory, whose decoder rests for some of them."""
    checkpoint = memory_checkpoint()
    assert checkpoint.memory
    player, codec = MemoryPlayer(checkpoint, checkpoint.memory), checkpoint.codec
    state, decoder = player.new_state(), codec.new_decoder_state(1)
    out = np.full((steps, codec.hop), np.nan, np.float32)
    for n in range(steps):
        resting = range(steps)[rest]
        if not catches_up and n == resting.stop:
            state.counts[1] = 0
        player.decode(heard(state, n not in resting), decoder, checkpoint.memory.codes[n : n + 1], out[n])
    return out.reshape(-1)


def test_what_is_not_heard_is_not_decoded(monkeypatch: pytest.MonkeyPatch) -> None:
    checkpoint = memory_checkpoint()
    player = MemoryPlayer(checkpoint, checkpoint.memory)  # type: ignore[arg-type]
    calls: list[int] = []
    monkeypatch.setattr(type(checkpoint.codec), "decode", lambda *given: calls.append(int(given[2][0, 0])))
    state, out = player.new_state(), np.full(checkpoint.codec.hop, np.nan, np.float32)
    for number in range(20):
        player.decode(heard(state, False), None, np.full((1, checkpoint.codec.width), number, np.int32), out)
    assert not calls
    assert not out.any()
    player.decode(heard(state, True), None, np.full((1, checkpoint.codec.width), 20, np.int32), out)
    reach = checkpoint.codec.delay // checkpoint.codec.hop + 1
    assert calls == list(range(20 - reach, 21))


def test_a_decoder_that_has_rested_sounds_as_if_it_had_not() -> None:
    """Its phases are others, its magnitudes the same, from the first sample that is heard."""
    rest = slice(20, 80)
    whole, rested = decoded(slice(0, 0)), decoded(rest)
    hop = len(whole) // 120
    assert np.array_equal(whole[: 20 * hop], rested[: 20 * hop])
    assert not rested[20 * hop : 80 * hop].any()
    after = slice(80 * hop, None)
    unprepared = decoded(rest, catches_up=False)
    assert spectral_convergence(whole[after], rested[after]) < -6.0
    start = slice(80 * hop, 84 * hop)
    power, wrong = (np.square(sound[start]).sum() / np.square(whole[start]).sum() for sound in (rested, unprepared))
    assert abs(np.log(power)) < min(0.5, abs(np.log(wrong)))
