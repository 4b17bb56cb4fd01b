"""The sound input: its compiled callback, and a microphone at a sound server, alone and in the daemon."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import jack_server
from noizenet.errors import ControlError
from noizenet_clients.client import Client
from noizenet_daemon import sound_input
from noizenet_daemon.level import level_db, new_follower
from running import RunningDaemon, daemon
from waiting import wait_until

needs_jack = pytest.mark.skipif(not jack_server.IS_INSTALLED, reason=jack_server.MISSING)


@pytest.mark.parametrize("channels", [1, 2])
def test_the_callback_moves_the_follower_on(channels: int) -> None:
    follower = new_follower(48000, channels)
    types = sound_input._callback.ctypes.argtypes
    heard = np.full((2048, channels), 0.1, np.float32)
    user = follower.ctypes.data_as(types[5])
    for start in range(0, 2048, 256):
        part = heard[start : start + 256].ctypes.data_as(types[0])
        assert sound_input._callback.ctypes(part, None, 256, None, 0, user) == 0
    assert level_db(follower) == pytest.approx(-20.0, abs=0.02)
    assert (heard == np.float32(0.1)).all()


@needs_jack
@pytest.mark.parametrize("callback", ["compiled", "python"])
def test_the_level_at_a_sound_server_is_heard_and_forgotten(callback: str, tmp_path: Path) -> None:
    program = Path(__file__).with_name("listening_to_jack.py")
    with jack_server.jack_server("-S") as environment:
        run = subprocess.run(
            [sys.executable, program, "level", callback, tmp_path / "result.npz"],
            env=environment,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert run.returncode == 0, run.stderr
    assert ("a Python callback takes its place" in run.stderr) == (callback == "python")
    result = np.load(tmp_path / "result.npz")
    assert result["silent"] == -60.0
    assert result["loud"] == pytest.approx(-20.0, abs=0.1)
    assert result["forgotten"] == -60.0
    assert result["again"] == pytest.approx(-20.0, abs=0.1)
    assert str(result["refusal"]).startswith(
        "there is no sound device 'no such thing' to listen to; this machine has: "
    )


@needs_jack
def test_a_daemon_lets_its_noise_follow_what_it_hears(checkpoint_file: Path) -> None:
    program = Path(__file__).with_name("listening_to_jack.py")
    options = ["--output", "null", "--input", "auto", "--set", "noise_kind=live", "--set", "noise=0.5"]
    with jack_server.jack_server("-S") as environment:
        singer = subprocess.Popen(
            [sys.executable, program, "sing"], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert singer.stdout is not None
        assert singer.stdout.readline() == "here\n"
        try:
            with daemon(checkpoint_file, *options, environment=environment) as running:
                with Client.over_zeromq(port=running.port("control"), timeout_s=30.0) as noize:
                    assert noize.get("live_level_db") == -60.0
                    assert singer.stdin is not None
                    singer.stdin.write("sing\n")
                    singer.stdin.flush()
                    wait_until(lambda: float(noize.get("live_level_db")) > -20.1)
                    with pytest.raises(ControlError, match="live_level_db follows the sound input"):
                        noize.set("live_level_db", -6.0)
                assert running.interrupt() == 0, running.errors
        finally:
            singer.kill()
            singer.communicate()


def test_no_input_is_opened_unless_one_is_asked_for(checkpoint_file: Path) -> None:
    with daemon(checkpoint_file, "--output", "null") as running:
        with Client.over_zeromq(port=running.port("control"), timeout_s=30.0) as noize:
            noize.set("live_level_db", -12.0)
            assert noize.get("live_level_db") == -12.0
        assert running.interrupt() == 0, running.errors


def test_an_unknown_input_is_named(checkpoint_file: Path) -> None:
    playing = RunningDaemon(checkpoint_file, "--output", "null", "--input", "no such thing")
    assert playing.finish() == 4
    assert "no sound device 'no such thing' to listen to" in playing.errors
    assert "Traceback" not in playing.errors
