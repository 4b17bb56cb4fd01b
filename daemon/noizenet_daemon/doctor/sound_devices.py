"""The sound devices of this machine, and whether there is one to play to."""

from dataclasses import dataclass
from typing import Any

from noizenet_daemon.doctor.finding import Finding
from noizenet_daemon.sound_card import find_device

WITHOUT = "hear it with `noizenet listen`, or play to --output file:F.wav"


@dataclass(frozen=True)
class SoundDevice:
    """A device that plays.

    Attributes:
        number: by which --output finds it.
        channels: most that it plays.
        sample_rate: its own, Hz.
        latency_ms: the least that it adds, as it says itself.
    """

    number: int
    name: str
    channels: int
    sample_rate: float
    latency_ms: float

    @property
    def text(self) -> str:
        """The device in words."""
        return (
            f"{self.number}: {self.name}, {self.channels} channels, {self.sample_rate:g} Hz, "
            f"at least {self.latency_ms:.0f} ms"
        )


def sound_devices() -> list[SoundDevice]:
    """Returns all devices that play; none if the sound system is missing."""
    try:
        import sounddevice

        found = list(sounddevice.query_devices())
    except Exception:  # OSError without PortAudio, PortAudioError without a sound system
        return []
    return [_device(number, about) for number, about in enumerate(found) if about["max_output_channels"] > 0]


def _device(number: int, about: dict[str, Any]) -> SoundDevice:
    return SoundDevice(
        number,
        str(about["name"]),
        int(about["max_output_channels"]),
        float(about["default_samplerate"]),
        1000.0 * float(about["default_low_output_latency"]),
    )


def has_sound_system() -> bool:
    """Returns whether the PortAudio library is there."""
    try:
        import sounddevice  # noqa: F401
    except OSError:
        return False
    return True


def check_output(output: str) -> tuple[Finding, int]:
    """Returns what there is to say of the output that --output names, and the device's rate, Hz; 0 of none.

    Raises:
        DeviceError: a device is named, and isn't there.
    """
    if output == "null" or output.startswith("file:"):
        return Finding("output", "good", f"it plays to {output}, which needs no sound device"), 0
    found = find_device(output)
    if found is not None:
        rate = round(found[1]["default_samplerate"])
        return Finding("output", "good", f"it plays to {found[1]['name']} at {rate} Hz"), rate
    if not has_sound_system():
        return _no_device("the sound library PortAudio is missing", "apt-get install libportaudio2 (Debian and Ubuntu)")
    return _no_device("no sound device was found", "connect one, or start the sound server")


def _no_device(sentence: str, remedy: str) -> tuple[Finding, int]:
    return Finding("output", "note", f"{sentence}, so it plays to the network alone", f"{remedy}; else {WITHOUT}"), 0
