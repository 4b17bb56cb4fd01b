"""The daemon as its users meet it: in a process of its own, over real sockets, into real files."""

import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from making import spectrum_checkpoint, tokens_checkpoint, write_sound
from noizenet.errors import ControlError, DeviceError
from noizenet.parameter import Value
from noizenet.protocol import STATUS_FIELDS
from noizenet_clients.client import Client
from noizenet_daemon.daemon import least_latency_ms
from noizenet_daemon.generator import Generator
from running import ANY_PORTS, PATIENCE_S, READY, RunningDaemon, daemon

FADE_FRAMES = 1200  # the gate's last 50 ms at 22,050 Hz, and a little more


def noizenet(*arguments: object) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "noizenet", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE_S, stdin=subprocess.DEVNULL)


def client(running: RunningDaemon) -> Client:
    return Client.over_zeromq(port=running.port("control"), timeout_s=30.0)


def samples_of(path: Path) -> "NDArray[np.float32]":
    samples, _ = soundfile.read(path, dtype="float32", always_2d=True)
    return samples  # type: ignore[no-any-return]


def test_the_daemon_and_render_give_the_same_samples(checkpoint_file: Path, tmp_path: Path) -> None:
    live, rendered = tmp_path / "live.wav", tmp_path / "rendered.wav"
    settings = ["--seed", "7", "--set", "temperature=0.8", "--set", "noise=0.1", "--set", "pan=0.3"]
    playing = RunningDaemon(checkpoint_file, "--output", f"file:{live}", "--for", "1.5", *settings)
    assert playing.finish() == 0, playing.errors
    done = noizenet("render", checkpoint_file, "--out", rendered, "--seconds", "1.5", "--channels", 2, *settings)
    assert done.returncode == 0, done.stderr
    one, other = samples_of(live), samples_of(rendered)
    assert one.shape == other.shape == (33075, 2)
    assert np.array_equal(one[:-FADE_FRAMES], other[:-FADE_FRAMES])
    assert np.abs(one[-10:]).max() < 1e-2  # it faded out


def test_the_first_start_gives_the_same_samples_as_the_second(
    checkpoint_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Kernels that were just compiled compute what those from the disk do, to the last bit."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "cache"))
    for name in ("first", "second"):
        options = ["--out", tmp_path / f"{name}.wav", "--seconds", "1", "--set", "noise=0.1", "--seed", "7"]
        done = noizenet("render", checkpoint_file, *options)
        assert done.returncode == 0, done.stderr
    assert np.array_equal(samples_of(tmp_path / "first.wav"), samples_of(tmp_path / "second.wav"))


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_fades_out_and_exits_with_0(checkpoint_file: Path, tmp_path: Path, number: int) -> None:
    out = tmp_path / "played.wav"
    with daemon(checkpoint_file, "--output", f"file:{out}") as running:
        with client(running) as asking:
            while int(asking.status()["position"]) < 5000:
                pass
        running.process.send_signal(number)
        assert running.finish() == 0, running.errors
    played = samples_of(out)
    assert len(played) > 5000
    assert np.abs(played[-4:]).max() <= np.abs(played).max() * 0.05


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_signals_while_it_prepares_end_it_though_they_come_twice(
    checkpoint_file: Path, tmp_path: Path, number: int
) -> None:
    """As `make` and `timeout` send them. An empty cache: the kernels take a minute."""
    starting = RunningDaemon(checkpoint_file, "--output", "null", environment={"NUMBA_CACHE_DIR": str(tmp_path)})
    while "Preparing the kernels" not in starting.errors and starting.process.poll() is None:
        time.sleep(0.05)
    for _ in range(2):
        starting.process.send_signal(number)
    assert starting.finish() == 0, starting.errors
    assert READY not in starting.errors
    assert "Traceback" not in starting.errors


def test_a_signal_that_comes_twice_at_once_fades_out_all_the_same(checkpoint_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "played.wav"
    with daemon(checkpoint_file, "--output", f"file:{out}") as running:
        for _ in range(2):
            running.process.send_signal(signal.SIGTERM)
        assert running.finish() == 0, running.errors
    played = samples_of(out)
    assert np.abs(played[-4:]).max() <= np.abs(played).max() * 0.05


def test_every_command_works_on_a_running_daemon(checkpoint_file: Path, tmp_path: Path) -> None:
    other = tmp_path / "other.safetensors"
    tokens_checkpoint(cell="gru", layers=2, seed=5).save(other)
    prime = write_sound(tmp_path / "prime.wav", np.sin(np.arange(22050) * 0.1).astype(np.float32))
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(other.read_bytes()[:-100])
    with daemon(checkpoint_file, "--output", "null", "--voices", "2", "--record-dir", tmp_path) as running:
        with client(running) as noize:
            assert set(noize.status()) == set(STATUS_FIELDS)
            assert noize.set("gain_db", 99.0) == (12.0, "99 is above the limit; set to 12 dB")
            noize.set("temperature", 0.5, voice=2)
            assert noize.get("temperature", voice=1) == 1.0
            assert noize.get("temperature", voice=2) == 0.5
            noize.state_save("here")
            assert noize.load(str(other)) == "other"
            assert noize.status()["checkpoint"] == "other"
            with pytest.raises(ControlError, match="cut short"):
                noize.load(str(broken))
            assert noize.prime(str(prime)) == 1.0
            for source in ("normal", "perlin", "silence", "corpus"):
                noize.prime(source)
            with pytest.raises(ControlError, match="nothere"):
                noize.prime("nothere.wav")
            noize.state_recall("here")
            noize.reset()
            path = noize.record_start("take")
            before = int(noize.status()["position"])
            while int(noize.status()["position"]) < before + 4000:
                pass
            assert noize.record_stop()[0] == path
            assert len(samples_of(Path(path))) > 2000
            with pytest.raises(ControlError, match="plain file name"):
                noize.record_start("../elsewhere")
            noize.panic()
            assert noize.get("mute") is True
            noize.set("mute", False)
            noize.sync(3)
            status = noize.status()
            assert status["quarantined"] == 0
            noize.quit()
        assert running.finish() == 0, running.errors


def test_changes_at_a_time_are_heard_as_far_apart_as_asked_for(checkpoint_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "steps.wav"
    with daemon(checkpoint_file, "--output", f"file:{out}", "--latency-ms", "100") as running, client(running) as noize:
        now = time.time()
        noize.set("mute", True, at=now + 0.5)
        noize.set("mute", False, at=now + 1.0)
        last = int(noize.status()["position"]) + 2 * 22050
        while int(noize.status()["position"]) < last:
            pass
        noize.quit()
        assert running.finish() == 0, running.errors
    played = np.abs(samples_of(out)[:-FADE_FRAMES, 0])
    loud = played[: len(played) // 64 * 64].reshape(-1, 64).max(axis=1)
    edges = np.flatnonzero(np.diff(np.concatenate([[0], loud < 0.02 * np.median(loud), [0]])))
    longest = max(edges[1::2] - edges[::2]) * 64 / 22050
    assert 0.42 < longest < 0.51  # the glide to silence takes some of the half second


def test_the_latency_is_at_least_what_a_whole_clip_takes(caplog: pytest.LogCaptureFixture) -> None:
    clip = Generator(spectrum_checkpoint())
    clip_ms = 1000.0 * clip.codec.hop / clip.sample_rate
    assert least_latency_ms(clip, 0.5 * clip_ms) == clip_ms
    assert "at a time" in caplog.text
    assert least_latency_ms(clip, 2.0 * clip_ms) == 2.0 * clip_ms
    assert least_latency_ms(Generator(tokens_checkpoint()), 5.0) == 5.0


def test_a_port_in_use_is_named_with_the_option_that_changes_it(checkpoint_file: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        done = noizenet("daemon", checkpoint_file, "--output", "null", *ANY_PORTS, "--osc-port", port)
    assert done.returncode == 4
    assert f"{port}" in done.stderr
    assert "--osc-port" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--output", "no such device"], 4, "no sound device"),
        (["--output", "file:/no/such/folder/a.wav"], 3, "can't be written"),
        (["--prime", "nothere.wav", "--output", "null"], 3, "nothere.wav"),
        (["--latency-ms", "1"], 2, "outside 5 to 2000"),
        (["--set", "temprature=1"], 2, "did you mean temperature"),
        (["--config", "nothere.toml"], 3, "nothere.toml"),
    ],
)
def test_bad_options_get_one_sentence(checkpoint_file: Path, options: list[str], status: int, words: str) -> None:
    done = noizenet("daemon", checkpoint_file, *options, *ANY_PORTS)
    assert done.returncode == status, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr


def test_all_faults_of_a_toml_file_are_named_at_once(tmp_path: Path) -> None:
    config = tmp_path / "bad.toml"
    config.write_text("block_frames = 1\nlatency = 3\noutput = 5\n[parameters]\ntemperature = 9\n")
    done = noizenet("daemon", "--config", config)
    assert done.returncode == 2
    for word in ("block_frames", "latency_ms", "output", "temperature"):
        assert word in done.stderr


def answered(over_osc: Client) -> dict[str, Value]:
    """Asks for the status again while the flood before it fills the socket: UDP drops what doesn't fit."""
    for _ in range(30):
        with contextlib.suppress(DeviceError):
            return over_osc.status()
    raise AssertionError("OSC is not answered any more")


def test_ten_thousand_random_packets_leave_it_playing(checkpoint_file: Path) -> None:
    rng = random.Random(1)
    with daemon(checkpoint_file, "--output", "null") as running, client(running) as noize:
        before = noize.status()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            for number in range(10_000):
                packet = rng.randbytes(rng.randrange(1, 400))
                if number % 3 == 0:
                    packet = b"/noizenet/" + packet
                elif number % 3 == 1:
                    packet = b"#bundle\0" + packet
                sender.sendto(packet, ("127.0.0.1", running.port("OSC")))
        with Client.over_osc(port=running.port("OSC"), timeout_s=1.0) as over_osc:
            assert answered(over_osc)["checkpoint"] == "small"
        after = noize.status()
        assert int(after["position"]) > int(before["position"])
        assert running.process.poll() is None


def test_a_listener_goes_on_after_the_daemon_was_killed(checkpoint_file: Path, tmp_path: Path) -> None:
    out = tmp_path / "heard.wav"
    with daemon(checkpoint_file, "--output", "null") as first:
        port = first.port("audio")
        command = [sys.executable, "-m", "noizenet", "listen", f"tcp://127.0.0.1:{port}"]
        listener = subprocess.Popen(
            [*command, "--out", str(out), "--for", "4", "--json"], stdout=subprocess.PIPE, text=True
        )
        try:
            while not out.exists() or out.stat().st_size < 22050 * 2:
                assert listener.poll() is None
            os.kill(first.process.pid, signal.SIGKILL)
            first.process.wait()
            with daemon(checkpoint_file, "--output", "null", "--audio-port", port):
                told, _ = listener.communicate(timeout=PATIENCE_S)
        finally:
            listener.kill()
    report = json.loads(told)
    assert listener.returncode == 0
    assert report["restarts"] == 1
    assert len(samples_of(out)) >= 4 * 22050


@pytest.mark.skipif(shutil.which("jackd") is None, reason="jackd is not installed")
def test_it_plays_through_jack_without_a_missing_frame(checkpoint_file: Path, tmp_path: Path) -> None:
    environment = {"JACK_DEFAULT_SERVER": f"nz{os.getpid()}", "JACK_NO_AUDIO_RESERVATION": "1"}
    server = subprocess.Popen(
        ["jackd", "-n", environment["JACK_DEFAULT_SERVER"], "-r", "-S", "-d", "dummy", "-r", "48000", "-p", "256"],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        subprocess.run(
            ["jack_wait", "-s", environment["JACK_DEFAULT_SERVER"], "-w", "-t", "20"], check=True, capture_output=True
        )
        options = ["--output", "auto", "--latency-ms", "200", "--record-dir", tmp_path]
        with daemon(checkpoint_file, *options, environment=environment) as running:
            assert "No sound card" not in running.errors
            with client(running) as noize:
                for turn in range(60):
                    noize.set("gain_db", -float(turn % 12))
                    noize.set("temperature", 0.5 + 0.01 * turn)
                while int(noize.status()["position"]) < 2 * 48000:
                    pass
                status = noize.status()
            assert status["sample_rate"] == 48000
            assert status["missing_frames"] == 0
            assert running.interrupt() == 0, running.errors
    finally:
        server.terminate()
        server.wait()
