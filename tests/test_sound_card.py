"""Sound devices, and the compiled callback."""

import ctypes.util
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import jack_server
from noizenet.errors import DeviceError
from noizenet_daemon import sound_card
from noizenet_daemon.ring import Ring
from noizenet_daemon.sound_card import find_device

needs_jack = pytest.mark.skipif(not jack_server.IS_INSTALLED, reason=jack_server.MISSING)


def called_back(ring: Ring, frames: int) -> Any:
    """Returns what the callback does to a buffer of rubbish, as PortAudio calls it."""
    buffer = np.full((frames + 1, ring.channels), 77.0, np.float32)
    output = buffer.ctypes.data_as(sound_card._callback.ctypes.argtypes[1])
    user = ring.memory.ctypes.data_as(sound_card._callback.ctypes.argtypes[5])
    assert sound_card._callback.ctypes(None, output, frames, None, 0, user) == 0
    assert (buffer[frames] == 77.0).all()
    return buffer[:frames]


@pytest.mark.parametrize("channels", [1, 2])
def test_the_callback_fills_its_buffer_from_the_ring(channels: int) -> None:
    ring = Ring(1000, channels, 1000, 1)
    samples = np.random.default_rng(0).uniform(-1, 1, (2500, channels)).astype(np.float32)
    heard = []
    for start in range(0, 2500, 500):
        assert ring.write(samples[start : start + 500])
        heard += [called_back(ring, frames) for frames in (64, 256, 180)]
    assert np.array_equal(np.concatenate(heard), samples)
    assert (ring.read_position, ring.underruns, ring.missing) == (2500, 0, 0)


def test_the_callback_puts_silence_where_the_ring_is_dry_and_counts_it() -> None:
    ring = Ring(1000, 2, 1000, 1)
    ring.write(np.ones((100, 2), np.float32))
    out = called_back(ring, 256)
    assert out[0, 0] == 1.0
    assert not out[100:].any()
    assert not called_back(ring, 256).any()
    assert (ring.underruns, ring.missing) == (1, 156 + 256)


@pytest.mark.skipif(not ctypes.util.find_library("portaudio"), reason="needs libportaudio2")
def test_an_unknown_device_is_refused_with_the_names_there_are() -> None:
    for wanted in ("no such device", "4711"):
        with pytest.raises(DeviceError, match=rf"^there is no sound device '{wanted}' to play to; this machine has: "):
            find_device(wanted)


def test_the_default_device_is_an_output_or_nothing() -> None:
    found = find_device("auto")
    if found is not None:
        assert found[1]["max_output_channels"] > 0
        assert find_device(str(found[0])) == found


def test_without_portaudio_only_auto_is_let_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sounddevice.py").write_text('raise OSError("PortAudio library not found")\n')
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    assert find_device("auto") is None
    with pytest.raises(DeviceError) as caught:
        find_device("system")
    assert str(caught.value) == (
        "can't use the sound device 'system': PortAudio library not found (Debian: apt-get install libportaudio2)"
    )


@needs_jack
@pytest.mark.parametrize("callback", ["compiled", "python"])
def test_a_sound_server_hears_every_frame_of_the_ring(callback: str, tmp_path: Path) -> None:
    program = Path(__file__).with_name("playing_to_jack.py")
    with jack_server.jack_server("-S") as environment:
        run = subprocess.run(
            [sys.executable, program, callback, tmp_path / "result.npz"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    assert ("a Python callback takes its place, less steadily" in run.stderr) == (callback == "python")
    result = np.load(tmp_path / "result.npz")
    heard = result["heard"]
    heard = heard[(heard != 0).all(axis=1)]  # the wires were laid one after the other, and after the start
    assert np.array_equal(heard[:, 0], -heard[:, 1])
    sound = heard[:, 0]
    frames = int(result["read"])
    last = int(np.flatnonzero(sound == frames)[0])  # after it comes the fade of a ring that ran dry
    assert np.array_equal(sound[: last + 1], np.arange(frames - last, frames + 1))
    assert last > 0.5 * frames
    assert result["underruns"] == 1
    assert result["alive"].tolist() == [True, True, False]
    refusal = str(result["refusal"])
    assert refusal.startswith("the sound device 'system' can't be opened with 2 channels at 44100 Hz (")
    assert refusal.endswith("): choose another --output, --sample-rate or --channels")
