"""Plays a stream on this machine's sound card.

Threads. `SoundCard.play` belongs to the receiving thread; PortAudio's calls back into `PlayBuffer.read`. The
buffer has one writer and one reader, each of which moves only its own count, so that it needs no lock.
"""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.errors import DeviceError
from noizenet_clients.receiving import Arrival

PREFILL_S = 0.15  # heard this late, to ride out an uneven network
CAPACITY_S = 0.5  # sound beyond that is dropped: what is heard is never older


class PlayBuffer:
    """Sound between the network and the sound card.

    Attributes:
        missing: frames of silence put in because nothing had arrived.
        dropped: frames thrown away because too much had.
    """

    def __init__(self, capacity: int, prefill: int, channels: int) -> None:
        """Args:
        capacity: frames it holds.
        prefill: frames that must be there before it plays, at the start and after it ran dry.
        """
        self.missing = 0
        self.dropped = 0
        self._ring = np.zeros((capacity, channels), dtype=np.float32)
        self._prefill = prefill
        self._written = 0
        self._read = 0
        self._playing = False

    def write(self, samples: NDArray[np.float32]) -> None:
        """Adds float32 (frames, channels), or drops the whole block if it doesn't fit."""
        capacity = len(self._ring)
        if self._written - self._read + len(samples) > capacity:
            self.dropped += len(samples)
            return
        start = self._written % capacity
        head = min(len(samples), capacity - start)
        self._ring[start : start + head] = samples[:head]
        self._ring[: len(samples) - head] = samples[head:]
        self._written += len(samples)

    def read(self, out: NDArray[np.float32]) -> None:
        """Fills float32 (frames, channels), with silence where there is nothing to play."""
        waiting = self._written - self._read
        self._playing = waiting > 0 if self._playing else waiting >= self._prefill
        count = min(len(out), waiting) if self._playing else 0
        start = self._read % len(self._ring)
        head = min(count, len(self._ring) - start)
        out[:head] = self._ring[start : start + head]
        out[head:count] = self._ring[: count - head]
        out[count:] = 0.0
        if self._playing:
            self.missing += len(out) - count
        self._read += count


class SoundCard:
    """A stream on a sound card, opened anew when the stream's shape changes."""

    def __init__(self, device: str | None) -> None:
        """Args:
            device: a name or number as sounddevice knows it; None = the system's default.

        Raises:
            DeviceError: there is no such sound card, or no way to play on one.
        """
        self._device: str | int | None = int(device) if device is not None and device.isdigit() else device
        self._sounddevice = _sounddevice()
        try:
            self._sounddevice.query_devices(self._device, "output")
        except (ValueError, self._sounddevice.PortAudioError):
            raise _no_card(f"no sound card {device!r}" if device else "no sound card") from None
        self._stream: Any = None
        self._buffer = PlayBuffer(1, 1, 1)
        self._shape = (0, 0)

    def play(self, arrival: Arrival) -> None:
        """Hands one message to the sound card; never waits for it."""
        shape = (arrival.header.sample_rate, arrival.header.channels)
        if self._stream is None or shape != self._shape:
            self.close()
            self._open(*shape)
        self._buffer.write(arrival.samples)

    def close(self) -> None:
        """Stops playing."""
        if self._stream is not None:
            stream, self._stream = self._stream, None
            stream.close()

    def _open(self, sample_rate: int, channels: int) -> None:
        buffer = PlayBuffer(round(CAPACITY_S * sample_rate), round(PREFILL_S * sample_rate), channels)

        def call_back(out: NDArray[np.float32], _frames: int, _time: object, _status: object) -> None:
            buffer.read(out)

        try:
            self._stream = self._sounddevice.OutputStream(
                samplerate=sample_rate,
                channels=channels,
                device=self._device,
                dtype="float32",
                callback=call_back,
            )
            self._stream.start()
        except (ValueError, self._sounddevice.PortAudioError) as error:
            self.close()
            reason = str(error).partition("\n")[0]
            raise _no_card(f"no sound card that plays {channels} channels at {sample_rate} Hz ({reason})") from error
        self._buffer, self._shape = buffer, (sample_rate, channels)


def _sounddevice() -> Any:
    try:
        import sounddevice
    except ModuleNotFoundError:
        raise DeviceError(
            "playing needs the Python package 'sounddevice': pip install 'noizenet[daemon]', "
            "or write the stream to a file with --out F.wav"
        ) from None
    except OSError:
        raise _no_card("no PortAudio library") from None
    return sounddevice


def _no_card(what: str) -> DeviceError:
    return DeviceError(f"{what} was found here: name another with --device, or write to a file with --out F.wav")
