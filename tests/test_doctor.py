"""`noizenet doctor`: what it finds, what it recommends, and its exit status; not whether this machine is fast."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from making import tokens_checkpoint
from noizenet.errors import DeviceError
from noizenet_daemon.benchmark.block_times import BlockTimes
from noizenet_daemon.config import OPTIONS
from noizenet_daemon.doctor import examination, sound_devices, system_checks
from noizenet_daemon.doctor.examination import Report, examine, judge
from noizenet_daemon.doctor.finding import Finding
from noizenet_daemon.doctor.live_playing import Recommendation, Settings, easy_block, latency_for
from noizenet_daemon.doctor.system_checks import check_governor, check_memory, check_priority, read_governors

SETTINGS = Settings(voices=1, block_frames=480, latency_ms=60.0, sample_rate=48_000)  # blocks of 10 ms


def taking(*milliseconds: float) -> BlockTimes:
    """Returns the times of blocks of 10 ms that took so long."""
    wall = np.array(milliseconds) / 1000.0
    return BlockTimes(480, 48_000, wall, float(wall.sum()))


def severities(times: BlockTimes, settings: Settings = SETTINGS) -> list[str]:
    return [finding.severity for finding in judge(settings, times)]


def test_a_machine_that_is_fast_enough_and_in_time_has_no_problem() -> None:
    assert severities(taking(*[7.0] * 50)) == ["good", "good"]


def test_a_machine_without_time_to_spare_can_not_play() -> None:
    speed, lateness = judge(SETTINGS, taking(*[9.0] * 50))
    assert (speed.severity, lateness.severity) == ("problem", "good")
    assert "90%" in speed.sentence
    assert "80%" in speed.sentence
    assert "--precision bf16" in speed.remedy


def test_a_block_that_comes_late_is_a_problem_with_the_latency_that_mends_it() -> None:
    times = taking(*[1.0] * 50, 70.0, *[1.0] * 50)
    speed, lateness = judge(SETTINGS, times)
    assert (speed.severity, lateness.severity) == ("good", "problem")
    assert "80 ms of latency were needed, not 60" in lateness.sentence
    assert "--latency-ms 150" in lateness.remedy
    assert severities(times, Settings(1, 480, 150.0, 48_000)) == ["good", "good"]


def test_no_latency_is_recommended_against_a_machine_that_is_too_slow() -> None:
    _, lateness = judge(SETTINGS, taking(*[12.0] * 100))
    assert lateness.severity == "problem"
    assert "--latency-ms" not in lateness.remedy


def test_the_recommended_latency_is_twice_what_was_needed_in_steps_of_five() -> None:
    assert latency_for(0.010, 0.005) == 25.0
    assert latency_for(0.0101, 0.005) == 30.0
    assert latency_for(0.0, 0.001) == 5.0
    assert latency_for(9.0, 0.01) == 2000.0


def test_the_smallest_block_that_leaves_half_of_the_time_is_recommended() -> None:
    assert easy_block({64: 0.9, 128: 0.6, 256: 0.4, 512: 0.3}) == 256
    assert easy_block({64: 2.0, 128: 0.9, 256: 0.8}) == 256


def test_real_time_priority_that_is_refused_is_a_note_with_its_remedy() -> None:
    assert check_priority(True, 0).severity == "good"
    refused = check_priority(False, 0)
    assert refused.severity == "note"
    assert "rtprio is 0" in refused.sentence
    assert "@audio - rtprio" in refused.remedy
    assert check_priority(False, None).severity == "note"


def test_a_governor_that_slows_the_processor_is_a_note(tmp_path: Path) -> None:
    for number, governor in enumerate(["performance", "powersave"]):
        folder = tmp_path / f"cpu{number}" / "cpufreq"
        folder.mkdir(parents=True)
        (folder / "scaling_governor").write_text(governor + "\n")
    assert read_governors(tmp_path) == ["performance", "powersave"]
    found = check_governor(read_governors(tmp_path))
    assert found.severity == "note"
    assert "governor is powersave" in found.sentence
    assert "cpupower" in found.remedy
    assert check_governor(["performance"] * 2).severity == "good"
    assert check_governor(read_governors(tmp_path / "none")).severity == "good"


@pytest.mark.parametrize(
    ("memlock", "severity"), [(-1, "good"), (None, "good"), (200_000_000, "good"), (8_000_000, "note")]
)
def test_memory_that_can_not_be_locked_is_a_note(memlock: int | None, severity: str) -> None:
    assert check_memory(memlock, 100_000_000).severity == severity


def test_limits_are_those_of_this_process() -> None:
    resource = pytest.importorskip("resource")
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    assert system_checks.limit("RLIMIT_NOFILE") == soft
    assert system_checks.limit("RLIMIT_OF_NOTHING") is None


def test_this_system_is_looked_at_in_all_three_ways() -> None:
    assert [one.subject for one in system_checks.check_system(10**9)] == ["priority", "governor", "memory"]


def test_without_a_sound_device_it_still_plays_to_the_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_devices, "find_device", lambda _: None)
    for there, words in ((True, "no sound device was found"), (False, "PortAudio is missing")):
        monkeypatch.setattr(sound_devices, "has_sound_system", lambda there=there: there)
        found, rate = sound_devices.check_output("auto")
        assert (found.severity, rate) == ("note", 0)
        assert words in found.sentence
        assert "noizenet listen" in found.remedy


def test_the_rate_is_that_of_the_device(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_devices, "find_device", lambda _: (3, {"name": "Box", "default_samplerate": 96_000.0}))
    found, rate = sound_devices.check_output("Box")
    assert (found.severity, rate) == ("good", 96_000)
    assert "Box" in found.sentence


@pytest.mark.parametrize("output", ["null", "file:a.wav"])
def test_an_output_that_needs_no_device_asks_for_none(output: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound_devices, "find_device", lambda _: pytest.fail("it looked for a device"))
    assert sound_devices.check_output(output)[0].severity == "good"


def test_devices_that_only_listen_are_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    sounddevice = pytest.importorskip("sounddevice")
    listed = [
        {"name": name, "max_output_channels": channels, "default_samplerate": 48e3, "default_low_output_latency": 0.008}
        for name, channels in (("microphone", 0), ("box", 2))
    ]
    monkeypatch.setattr(sounddevice, "query_devices", lambda: listed)
    (found,) = sound_devices.sound_devices()
    assert found.text == "1: box, 2 channels, 48000 Hz, at least 8 ms"


def report(*findings: Finding) -> Report:
    return Report("mine", SETTINGS, taking(1.0, 2.0), Recommendation(64, 10.0, 8), [], list(findings))


def test_notes_do_not_keep_a_machine_from_playing() -> None:
    note, problem = Finding("output", "note", "no device", "plug it"), Finding("speed", "problem", "slow", "hurry")
    assert report(note).to_json()["can_play_live"]
    assert report(note).verdict == "this machine can play mine live"
    assert not report(note, problem).to_json()["can_play_live"]
    assert "problem      slow: hurry" in report(note, problem).as_text().splitlines()
    assert "recommended  --block-frames 64 --latency-ms 10 --voices 8" in report().as_text().splitlines()


def test_a_device_that_is_named_must_be_there(checkpoint_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(wanted: str) -> Any:
        raise DeviceError(f"there is no sound device {wanted!r}")

    monkeypatch.setattr(sound_devices, "find_device", missing)
    options = {name: OPTIONS[name][1] for name in ("voices", "block_frames", "latency_ms", "precision")}
    with pytest.raises(DeviceError, match="no sound device 'gone'"):
        examine(checkpoint_file, seconds=0.1, output="gone", **options)


def test_it_examines_what_it_was_asked_for(checkpoint_file: Path) -> None:
    found = examine(
        checkpoint_file, seconds=0.2, voices=2, block_frames=128, latency_ms=90.0, precision="auto", output="null"
    )
    assert found.settings == Settings(2, 128, 90.0, 22_050)
    assert found.times.block_frames == 128
    assert [one.subject for one in found.findings] == ["speed", "lateness", "output", "priority", "governor", "memory"]
    assert 1 <= found.recommended.voices <= 64
    assert json.dumps(found.to_json())


def test_a_checkpoint_that_makes_much_at_once_is_played_with_the_latency_of_that(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from making import spectrum_checkpoint

    spectrum_checkpoint(clip=1024).save(tmp_path / "m.safetensors")
    monkeypatch.setattr(examination, "check_system", lambda _: [])
    found = examine(
        tmp_path / "m.safetensors",
        seconds=0.1,
        voices=1,
        block_frames=256,
        latency_ms=60.0,
        precision="f32",
        output="null",
    )
    assert found.settings.latency_ms == pytest.approx(128.0)


def doctor(*words: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "noizenet", "doctor", *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True)


def test_the_exit_status_says_what_the_report_says(tmp_path: Path) -> None:
    tokens_checkpoint().save(tmp_path / "mine.safetensors")
    done = doctor(tmp_path / "mine.safetensors", "--json", "--seconds", "0.3", "--output", "null")
    found = json.loads(done.stdout)
    assert done.returncode == (0 if found["can_play_live"] else 1)
    assert bool(done.stderr) != found["can_play_live"]
    assert found["can_play_live"] == all(one["severity"] != "problem" for one in found["findings"])


def test_a_machine_that_can_not_play_is_told_in_one_sentence_with_status_1(tmp_path: Path) -> None:
    """Sixty-four voices whose latency is shorter than what one chunk of each takes to make."""
    tokens_checkpoint(hidden=256, layers=3, window=1024, hop=256).save(tmp_path / "mine.safetensors")
    done = doctor(
        tmp_path / "mine.safetensors", "--seconds", "0.3", "--voices", "64", "--latency-ms", "5",
        "--block-frames", "256", "--output", "null",
    )  # fmt: skip
    assert done.returncode == 1
    assert done.stdout.splitlines()[-1].startswith("verdict      this machine can't play mine live")
    assert done.stderr.startswith("noizenet: this machine can't play mine live")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize(
    ("words", "status", "part"),
    [
        (["none.safetensors"], 3, "can't read the checkpoint none.safetensors"),
        (["--seconds", "0"], 2, "0 is not a number of seconds from 0.1 to 3600"),
        (["--voices", "70"], 2, "argument --voices: the value is 70, outside 1 to 64"),
        (["--precision", "f8"], 2, "choose one of auto, f32, bf16, int8"),
        (["--block-frames", "many"], 2, "not a whole number"),
    ],
)
def test_wrong_input_is_answered_in_one_sentence(words: list[str], status: int, part: str) -> None:
    done = doctor(*words, "--output=null")
    assert done.returncode == status
    assert not done.stdout
    assert part in done.stderr
    assert done.stderr.count("\n") == 1
