"""Every method of the instrument, on a running engine. The test itself listens, so nothing depends on the clock."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from making import amplitude_checkpoint, melody, tokens_checkpoint, write_sound
from noizenet.checkpoint import Checkpoint
from noizenet.errors import CheckpointError, ControlError, InputFileError, SoundFileError, UsageError
from noizenet.parameter import Value
from noizenet.protocol import PARAMETERS, STATUS_FIELDS
from noizenet_daemon.broadcast import Broadcast
from noizenet_daemon.clock import Clock
from noizenet_daemon.engine import Engine
from noizenet_daemon.generator import Generator
from noizenet_daemon.instrument import Instrument
from noizenet_daemon.live_instrument import LiveInstrument
from noizenet_daemon.performance import Performance, initial_states, render_frames
from noizenet_daemon.ring import Ring
from noizenet_daemon.voice import CROSSFADE_S
from waiting import wait_until

Array = NDArray[Any]
RATE = 22050
BLOCK = 256
AHEAD = 1000
VOICES = 2
DEFAULTS: dict[str, Value] = {name: parameter.default for name, parameter in PARAMETERS.items()}


class Rig:
    """A live instrument, and the ears at its ring."""

    def __init__(self, checkpoint: Path, record_dir: Path) -> None:
        self.generator = Generator(Checkpoint.load(checkpoint))
        self.ring = Ring(3 * RATE, 2, AHEAD, 100)
        self.clock = Clock(self.ring, RATE)
        self.broadcast = Broadcast(RATE, 2, BLOCK, None)
        self.engine = Engine(self.performance(), self.ring, self.broadcast, BLOCK)
        self.stops = 0
        self.instrument: Instrument = LiveInstrument(
            self.engine,
            self.ring,
            self.broadcast,
            self.clock,
            self.generator,
            engine_name="numba",
            seed=1,
            record_dir=record_dir,
            values=DEFAULTS | {"latency_ms": 1000.0 * AHEAD / RATE},
            stop=self.stop,
        )
        self.engine.start()
        self.rest()

    def performance(self) -> Performance:
        """Returns a performance like the one that plays, at its start."""
        states = initial_states(self.generator, "corpus", 1, VOICES)
        return Performance(self.generator, states, sample_rate=RATE, channels=2, block_frames=BLOCK)

    def stop(self) -> None:
        self.stops += 1

    def rest(self) -> int:
        """Waits until the ring is full and what was posted is done; returns the engine's place."""
        wait_until(lambda: self.ring.space <= 0)
        self.engine.call(lambda: None)
        wait_until(lambda: self.ring.space <= 0)
        return self.engine.performance.position

    def heard(self, frames: int) -> Array:
        """Returns the next frames from the ring, once they are there."""
        out = np.zeros((frames, 2), np.float32)
        done = 0
        while done < frames:
            wait_until(lambda: self.ring.filled > 0)
            part = out[done : done + min(self.ring.filled, frames - done)]
            done += self.ring.read(part)
        self.rest()
        return out

    def heard_from(self, position: int, frames: int) -> Array:
        """Returns the frames from a place on that isn't heard yet."""
        self.heard(position - self.ring.read_position)
        return self.heard(frames)

    def plays_on(self) -> bool:
        return bool(self.heard(4 * AHEAD)[AHEAD:].any()) and self.engine.failure is None

    def close(self) -> None:
        self.engine.stop()
        self.broadcast.close()


@pytest.fixture
def rig(checkpoint_file: Path, tmp_path: Path) -> Iterator[Rig]:
    rig = Rig(checkpoint_file, tmp_path)
    yield rig
    rig.close()


def alike(first: Array, second: Array) -> bool:
    """Returns whether two sounds are the same but for what filters and limiter remember."""
    return bool(np.corrcoef(first[:, 0], second[:, 0])[0, 1] > 0.99)


def test_a_value_can_be_read_back_at_once_for_one_voice_or_all(rig: Rig) -> None:
    instrument = rig.instrument
    assert instrument.voices == VOICES
    assert {name: instrument.get(name) for name in DEFAULTS if name != "latency_ms"} == {
        name: value for name, value in DEFAULTS.items() if name != "latency_ms"
    }
    instrument.set("gain_db", -6.0)
    instrument.set("gain_db", -9.0, 2)
    assert [instrument.get("gain_db", voice) for voice in (1, 2)] == [-6.0, -9.0]
    instrument.set("limiter_db", -12.0, 2)  # a master's knob, whichever voice is named
    assert [instrument.get("limiter_db", voice) for voice in (1, 2)] == [-12.0, -12.0]


def test_every_parameter_reaches_the_performance(rig: Rig) -> None:
    other: dict[str, Value] = {"bool": True, "choice": "", "float": 0.0}
    for name, parameter in PARAMETERS.items():
        value = parameter.choices[-1] if parameter.choices else other[parameter.kind] or parameter.maximum
        rig.instrument.set(name, value)
        rig.rest()
        if name == "latency_ms":
            assert rig.ring.virtual_frames == round(float(value) / 1000.0 * RATE)
        elif name == "limiter_db":
            assert rig.engine.performance.limiter_db == value
        else:
            assert [voice.values[name] for voice in rig.engine.performance.voices] == [value] * VOICES


def test_a_set_value_is_heard(rig: Rig) -> None:
    before = np.abs(rig.heard(5000)[1000:]).max()
    rig.instrument.set("gain_db", -20.0)
    after = np.abs(rig.heard_from(rig.rest() + 1000, 5000)).max()
    assert 0.0 < after < 0.5 * before


def test_a_timed_value_is_heard_at_its_frame_and_counts_from_then_on(rig: Rig) -> None:
    rig.clock.observe()
    at = time.time() + 2.0
    place = rig.clock.position_at(at)
    assert place > rig.engine.performance.position
    rig.instrument.set("gain_db", -40.0, at=at)
    assert rig.instrument.get("gain_db") == 0.0
    heard = rig.heard(place + 10_000)  # the test listens faster than the clock runs
    assert rig.instrument.get("gain_db") == -40.0
    unchanged, changed = rig.performance(), rig.performance()
    changed.at(place - changed.delay_frames, lambda: changed.set("gain_db", -40.0))
    assert np.array_equal(heard, render_frames(changed, len(heard), BLOCK))
    different = (heard != render_frames(unchanged, len(heard), BLOCK)).any(axis=1)
    assert place <= np.flatnonzero(different)[0] < place + 3


def test_a_time_that_is_past_means_now(rig: Rig) -> None:
    rig.instrument.set("gain_db", -7.0, at=time.time() - 1.0)
    assert rig.instrument.get("gain_db") == -7.0


def test_another_checkpoint_is_loaded_while_it_plays(rig: Rig, tmp_path: Path) -> None:
    amplitude_checkpoint().save(tmp_path / "other.safetensors")
    rig.instrument.set("gain_db", -3.0)
    place = rig.rest()
    assert rig.instrument.load(tmp_path / "other.safetensors") == "other"
    assert rig.instrument.status()["checkpoint"] == "other"
    assert {voice.source.generator.sample_rate for voice in rig.engine.performance.voices} == {8000}
    assert [voice.values["gain_db"] for voice in rig.engine.performance.voices] == [-3.0] * VOICES
    sound = np.concatenate([rig.heard_from(place, 5000), rig.heard(5000)])
    assert np.isfinite(sound).all()
    assert rig.engine.failure is None
    assert rig.ring.underruns == 0


def test_a_bad_checkpoint_is_refused_and_the_old_one_plays_on(rig: Rig, checkpoint_file: Path, tmp_path: Path) -> None:
    good = checkpoint_file.read_bytes()
    (tmp_path / "half.safetensors").write_bytes(good[: len(good) // 2])
    (tmp_path / "text.safetensors").write_text("no checkpoint")
    poisoned = tokens_checkpoint()
    poisoned.weights["rnn.bias_ih_l0"][0] = 1234.5678
    poisoned.save(tmp_path / "nan.safetensors")
    data = (tmp_path / "nan.safetensors").read_bytes()
    number, nothing = (np.float32(value).tobytes() for value in (1234.5678, np.nan))
    assert data.count(number) == 1
    (tmp_path / "nan.safetensors").write_bytes(data.replace(number, nothing))
    for name, said in (
        ("half", "cut short or damaged"),
        ("text", "cut short or damaged"),
        ("nan", r"its tensor network\.rnn\.bias_ih_l0 holds NaN or infinity"),
        ("none", "No such file"),
    ):
        with pytest.raises(CheckpointError, match=said):
            rig.instrument.load(tmp_path / f"{name}.safetensors")
    assert rig.instrument.status()["checkpoint"] == "small"
    heard = rig.heard(3000)
    assert np.array_equal(heard, render_frames(rig.performance(), 3000, BLOCK))


def settled(rig: Rig, place: int) -> Array:
    """Returns what is heard after a change at `place`, once it has faded in."""
    return rig.heard_from(place + round(1.5 * CROSSFADE_S * RATE), 10_000)


def test_priming_and_resetting_start_the_sound_anew(rig: Rig, tmp_path: Path) -> None:
    song = str(write_sound(tmp_path / "song.wav", melody(1.5)))
    noise = rig.heard(10_000)
    for change in (lambda: rig.instrument.prime(song), lambda: rig.instrument.prime("silence"), rig.instrument.reset):
        sounds = []
        for _ in range(2):
            place = rig.rest()
            change()
            sounds.append(settled(rig, place))
        assert alike(*sounds)
        assert not alike(sounds[0], noise)


def test_priming_tells_how_much_was_heard(rig: Rig, tmp_path: Path) -> None:
    song = write_sound(tmp_path / "song.wav", melody(1.5, 44100), 44100)
    assert rig.instrument.prime(str(song)) == pytest.approx(1.5, abs=0.001)
    assert rig.instrument.prime("perlin") == pytest.approx(2.0)
    assert rig.instrument.prime("corpus") == 0.0


def test_a_bad_prime_is_refused_and_the_sound_goes_on(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "text.wav").write_text("no sound")
    short = write_sound(tmp_path / "short.wav", melody(0.001))
    for source in (tmp_path / "text.wav", tmp_path / "none.wav", tmp_path):
        with pytest.raises(SoundFileError):
            rig.instrument.prime(str(source))
    with pytest.raises(UsageError):
        rig.instrument.prime(str(short))
    assert np.array_equal(rig.heard(3000), render_frames(rig.performance(), 3000, BLOCK))


def test_a_saved_state_can_be_recalled_as_often_as_wanted(rig: Rig) -> None:
    rig.heard(3000)
    rig.instrument.save_state("verse")
    rig.heard(7000)
    sounds = []
    for _ in range(2):
        place = rig.rest()
        rig.instrument.recall_state("verse")
        sounds.append(settled(rig, place))
    assert alike(*sounds)
    assert not alike(sounds[0], rig.heard(10_000))


def test_a_state_brings_its_own_checkpoint_back(rig: Rig, tmp_path: Path) -> None:
    amplitude_checkpoint().save(tmp_path / "other.safetensors")
    rig.instrument.save_state("verse")
    rig.instrument.load(tmp_path / "other.safetensors")
    rig.instrument.recall_state("verse")
    assert rig.instrument.status()["checkpoint"] == "small"
    assert rig.plays_on()


def test_an_unknown_state_is_refused_with_a_suggestion(rig: Rig) -> None:
    rig.instrument.save_state("verse")
    with pytest.raises(ControlError) as caught:
        rig.instrument.recall_state("vers")
    assert str(caught.value) == "no state was saved as 'vers' (did you mean verse?)"


def test_panic_fades_to_silence_until_unmuted(rig: Rig) -> None:
    assert rig.heard(3000)[-1000:].any()
    rig.instrument.panic()
    assert rig.instrument.get("mute") is True
    silence = rig.heard(5000)
    assert not silence[101:].any()
    assert rig.ring.is_silent
    rig.instrument.set("mute", False)
    assert rig.plays_on()
    assert (rig.ring.underruns, rig.ring.missing) == (0, 0)


def test_panic_silences_at_once_and_does_not_wait_for_the_latency(rig: Rig) -> None:
    rig.heard(3000)
    rig.ring.virtual_frames = 20_000
    rig.rest()
    rig.instrument.panic()
    assert rig.ring.filled >= 20_000
    assert not rig.heard(2000)[101:].any()


def test_a_recording_goes_into_its_folder_and_holds_what_was_played(rig: Rig, tmp_path: Path) -> None:
    for name, file in (("take", "take.wav"), ("take 2.wav", "take 2.wav"), ("3.5", "3.5.wav")):
        assert rig.instrument.start_recording(name) == tmp_path / file
        rig.heard(5000)
        wait_until(lambda file=file: (tmp_path / file).stat().st_size > 8 * BLOCK)  # type: ignore[misc]
        path, seconds = rig.instrument.stop_recording()
        assert path == tmp_path / file
        samples, rate = soundfile.read(path, dtype="float32")
        assert rate == RATE
        assert len(samples) == round(seconds * RATE) > 0
        played = render_frames(rig.performance(), rig.rest(), BLOCK)
        places = range(0, len(played) - len(samples) + 1, BLOCK)
        assert any(np.array_equal(played[place : place + len(samples)], samples) for place in places)


@pytest.mark.parametrize("name", ["", ".", "..", "../take", "/tmp/take", "folder/take", ".hidden", "link"])
def test_a_recording_never_leaves_its_folder(rig: Rig, tmp_path: Path, name: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "link").symlink_to(tmp_path.parent / "elsewhere.wav")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(ControlError, match=rf"is not a plain file name: recordings go to {tmp_path}"):
        rig.instrument.start_recording(name)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_recording_with_an_impossible_or_used_name_is_refused(rig: Rig, tmp_path: Path) -> None:
    (tmp_path / "old.wav").write_bytes(b"old")
    with pytest.raises(ControlError, match="exists: choose another name"):
        rig.instrument.start_recording("old")
    with pytest.raises(InputFileError, match="can't be written"):
        rig.instrument.start_recording("a" * 300)
    with pytest.raises(ControlError, match="nothing is being recorded"):
        rig.instrument.stop_recording()
    assert (tmp_path / "old.wav").read_bytes() == b"old"


def test_the_status_tells_what_is_going_on(rig: Rig) -> None:
    rig.heard(5000)
    status = rig.instrument.status()
    assert list(status) == list(STATUS_FIELDS)
    assert (status["position"], status["sample_rate"], status["voices"]) == (5000, RATE, VOICES)
    assert (status["underruns"], status["missing_frames"], status["quarantined"]) == (0, 0, 0)
    assert status["checkpoint"] == "small"
    assert status["latency_ms"] == pytest.approx(1000.0 * AHEAD / RATE, abs=1000.0 * BLOCK / RATE)
    assert -120.0 < float(status["level_db"]) < 0.0
    assert float(status["realtime_factor"]) > 0.0
    gap = rig.ring.filled + 1000
    rig.ring.virtual_frames = 1  # the engine adds next to nothing while the ring is emptied
    rig.ring.read(np.zeros((gap, 2), np.float32))
    status = rig.instrument.status()
    assert status["underruns"] == 1
    assert 1000 - BLOCK <= int(status["missing_frames"]) <= 1000


def test_quit_asks_the_daemon_to_stop(rig: Rig) -> None:
    rig.instrument.quit()
    assert rig.stops == 1


def test_commands_from_many_threads_at_a_time_are_all_carried_out(rig: Rig, tmp_path: Path) -> None:
    amplitude_checkpoint().save(tmp_path / "other.safetensors")
    rig.instrument.save_state("verse")
    with ThreadPoolExecutor(8) as pool:
        jobs = []
        for number in range(10):
            jobs += [
                pool.submit(rig.instrument.reset),
                pool.submit(rig.instrument.prime, "silence"),
                pool.submit(rig.instrument.load, tmp_path / "other.safetensors"),
                pool.submit(rig.instrument.save_state, "chorus"),
                pool.submit(rig.instrument.recall_state, "verse"),
                pool.submit(rig.instrument.set, "gain_db", -float(number)),
            ]
        for job in jobs:
            job.result()
    playing = {voice.source.generator.checkpoint.name for voice in rig.engine.performance.voices}
    assert playing == {rig.instrument.status()["checkpoint"]}
    rig.instrument.recall_state("verse")
    assert rig.plays_on()
