"""The examination of `noizenet doctor`, and its report."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from noizenet.checkpoint import Checkpoint
from noizenet.protocol import PARAMETERS
from noizenet_daemon.benchmark.block_times import BlockTimes
from noizenet_daemon.benchmark.resident import resident_bytes
from noizenet_daemon.daemon import least_latency_ms
from noizenet_daemon.doctor.finding import Finding
from noizenet_daemon.doctor.live_playing import Recommendation, Settings, latency_for, play_in_real_time, recommend
from noizenet_daemon.doctor.sound_devices import SoundDevice, check_output, sound_devices
from noizenet_daemon.doctor.system_checks import check_system
from noizenet_daemon.generator import Generator
from noizenet_daemon.kernels.shared_products import TOGETHER
from noizenet_daemon.precision import PrecisionChoice
from noizenet_daemon.quick_start import without_collecting
from noizenet_daemon.warming import said_if_slow, warm_up

MOST_LOAD = 0.8  # of the time; with less than a fifth left, any other program makes a gap
LABEL_WIDTH = 13


@dataclass(frozen=True)
class Report:
    """What was found.

    Attributes:
        checkpoint: its name.
        settings: with which it was played.
        times: of the blocks.
        recommended: settings that leave half of the time free.
        devices: that play.
        findings: in the order that they were looked at.
    """

    checkpoint: str
    settings: Settings
    times: BlockTimes
    recommended: Recommendation
    devices: list[SoundDevice]
    findings: list[Finding]

    @property
    def problems(self) -> list[Finding]:
        """What keeps this machine from playing the checkpoint live."""
        return [finding for finding in self.findings if finding.severity == "problem"]

    def to_json(self) -> dict[str, Any]:
        """Returns the report in plain values that JSON can hold."""
        return {
            "checkpoint": self.checkpoint,
            "can_play_live": not self.problems,
            "settings": vars(self.settings),
            "block_ms": {"available": 1000.0 * self.times.block_s, **self.times.milliseconds()},
            "blocks": len(self.times.wall_s),
            "load": self.times.load,
            "needed_latency_ms": 1000.0 * self.times.needed_latency_s,
            "recommended": vars(self.recommended),
            "devices": [vars(device) for device in self.devices],
            "findings": [vars(finding) for finding in self.findings],
        }

    def as_text(self) -> str:
        """Returns the report for people."""
        settings, times, found = self.settings, self.times, self.times.milliseconds()
        voices = "1 voice" if settings.voices == 1 else f"{settings.voices} voices"
        voices += f" on {settings.threads} threads" if settings.threads > 1 else ""
        lines = [
            (
                "played",
                f"{self.checkpoint}, {voices} at {settings.sample_rate} Hz, blocks of {settings.block_frames} frames "
                f"({1000.0 * times.block_s:.2f} ms), latency {settings.latency_ms:g} ms",
            ),
            (
                "block time",
                ", ".join(f"{name} {value:.2f}" for name, value in found.items())
                + f" ms, of {len(times.wall_s)} blocks; {times.load:.0%} of the time",
            ),
            ("recommended", self.recommended.flags),
            ("devices", "none" if not self.devices else self.devices[0].text),
            *(("", device.text) for device in self.devices[1:]),
            *((finding.severity, finding.text) for finding in self.findings),
            ("verdict", self.verdict),
        ]
        return "\n".join(f"{label:<{LABEL_WIDTH}}{text}" for label, text in lines)

    @property
    def verdict(self) -> str:
        """One sentence."""
        if not self.problems:
            return f"this machine can play {self.checkpoint} live"
        return f"this machine can't play {self.checkpoint} live as it was played here"


def examine(
    path: Path,
    *,
    seconds: float,
    voices: int,
    threads: int = 1,
    block_frames: int,
    latency_ms: float,
    precision: PrecisionChoice,
    output: str,
) -> Report:
    """Returns a report on a checkpoint, with the settings of the daemon's options of the same names.

    Raises:
        CheckpointError: the file is no checkpoint.
        DeviceError: `output` names a device that isn't there.
    """
    about_output, rate = check_output(output)
    checkpoint = Checkpoint.load(path)
    preparing = "Preparing the kernels for this processor (the first time only, about a minute) ..."
    with said_if_slow(preparing), without_collecting():
        generator = Generator(checkpoint, "numba", precision)
        warm_up(generator, TOGETHER)
    latency_ms = least_latency_ms(generator, latency_ms)
    settings = Settings(voices, block_frames, latency_ms, rate or generator.sample_rate, threads)
    times = play_in_real_time(generator, settings, seconds)
    held = resident_bytes()
    return Report(
        checkpoint.name,
        settings,
        times,
        recommend(generator, settings, times, seconds),
        sound_devices(),
        [*judge(settings, times), about_output, *check_system(held)],
    )


def judge(settings: Settings, times: BlockTimes) -> list[Finding]:
    """Returns whether blocks were made fast enough, and in time."""
    speed = _judge_speed(settings, times)
    return [speed, _judge_lateness(settings, times, is_fast=speed.severity == "good")]


def _judge_speed(settings: Settings, times: BlockTimes) -> Finding:
    if times.load <= MOST_LOAD:
        return Finding("speed", "good", f"making the sound takes {times.load:.0%} of the time")
    fewer = "play fewer voices, " if settings.voices > 1 else ""
    return Finding(
        "speed",
        "problem",
        f"making the sound takes {times.load:.0%} of the time, and at most {MOST_LOAD:.0%} leave enough for all else",
        f"{fewer}try --precision bf16, close other programs, or train a smaller network (--set hidden=...)",
    )


def _judge_lateness(settings: Settings, times: BlockTimes, *, is_fast: bool) -> Finding:
    needed_ms = 1000.0 * (times.needed_latency_s + times.block_s)
    if needed_ms <= settings.latency_ms:
        return Finding("lateness", "good", f"no block would have come late; that needs {needed_ms:.0f} ms of latency")
    most = PARAMETERS["latency_ms"].maximum
    enough = latency_for(times.needed_latency_s, times.block_s)
    remedy = "first let the sound take less of the time"
    if is_fast and enough < most:
        remedy = f"play with --latency-ms {enough:g}, or close other programs"
    return Finding(
        "lateness",
        "problem",
        f"blocks came so late that {needed_ms:.0f} ms of latency were needed, not {settings.latency_ms:g}",
        remedy,
    )
