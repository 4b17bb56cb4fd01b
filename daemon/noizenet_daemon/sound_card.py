"""The sound card, through PortAudio. Its callback is compiled code that never touches Python.

The callback reads the ring (`noizenet_daemon.ring`) by the one pointer it is given. sounddevice offers callers the
class `_StreamBase` for C callbacks; should its form change, a plain Python callback takes over, with a warning.
"""

import logging
from typing import Any

import numpy as np
from numba import carray, cfunc, types  # type: ignore[attr-defined]
from numpy.typing import NDArray

from noizenet.errors import DeviceError
from noizenet_daemon.ring import CAPACITY, CHANNELS, HEADER, Ring, read_frames

Array = NDArray[Any]
_log = logging.getLogger("noizenet.output")

# PaStreamCallback(input, output, frames, time info, status flags, user data), portaudio.h
_SIGNATURE = types.int32(
    types.voidptr,
    types.CPointer(types.float32),
    types.uint64,
    types.voidptr,
    types.uint64,
    types.CPointer(types.float32),
)


@cfunc(_SIGNATURE, cache=True)
def _callback(_input: Any, output: Any, frames: Any, _time: Any, _flags: Any, user: Any) -> int:
    words = carray(user, (HEADER,)).view(np.int64)
    memory = carray(user, (HEADER + words[CAPACITY] * words[CHANNELS],))
    count: Any = np.int64(frames)  # int() would keep it unsigned, and unsigned with signed makes floats
    read_frames(memory, carray(output, (count * words[CHANNELS],)), count)
    return 0  # paContinue


def find_device(wanted: str) -> tuple[int, dict[str, Any]] | None:
    """Returns number and description of an output device; None if `auto` finds none.

    Args:
        wanted: "auto" for the default device, or a device's number or part of its name.

    Raises:
        DeviceError: there is no such device, or no sound system at all.
    """
    try:
        import sounddevice
    except OSError as error:  # the PortAudio library itself is missing
        if wanted == "auto":
            return None
        raise DeviceError(
            f"can't use the sound device {wanted!r}: {error} (Debian: apt-get install libportaudio2)"
        ) from None
    device = None if wanted == "auto" else int(wanted) if wanted.isdecimal() else wanted
    try:
        found = sounddevice.query_devices(device, "output")
    except (ValueError, sounddevice.PortAudioError):
        if wanted == "auto":
            return None
        names = [d["name"] for d in sounddevice.query_devices() if d["max_output_channels"] > 0]
        known = ", ".join(names) or "none at all"
        raise DeviceError(f"there is no sound device {wanted!r} to play to; this machine has: {known}") from None
    return int(found["index"]), dict(found)


class SoundCardOutput:
    """A PortAudio stream that plays the ring."""

    def __init__(self, ring: Ring, device: int, name: str, sample_rate: int, block_frames: int) -> None:
        """Opens the device.

        Raises:
            DeviceError: it can't play at this rate with these channels, or another program has it.
        """
        self.name = name
        self._ring = ring
        self._open_arguments = {
            "samplerate": sample_rate,
            "blocksize": block_frames,
            "device": device,
            "channels": ring.channels,
            "dtype": "float32",
            "latency": "low",
        }
        self._stream = self._open()
        self.latency_s = float(self._stream.latency)

    def _open(self) -> Any:
        import sounddevice

        try:
            return _compiled_stream(self._ring, self._open_arguments)
        except sounddevice.PortAudioError as error:
            arguments = self._open_arguments
            raise DeviceError(
                f"the sound device {self.name!r} can't be opened with {arguments['channels']} channels at "
                f"{arguments['samplerate']} Hz ({error}): choose another --output, --sample-rate or --channels"
            ) from None

    def start(self) -> None:
        self._stream.start()

    def is_alive(self) -> bool:
        return bool(self._stream.active)

    def restart(self) -> None:
        """Tries to open a device again that went away.

        Raises:
            DeviceError: it is still away.
        """
        self._stream.close(ignore_errors=True)
        self._stream = self._open()
        self.start()

    def stop(self) -> None:
        self._stream.close(ignore_errors=True)


def _compiled_stream(ring: Ring, arguments: dict[str, Any]) -> Any:
    """Returns a stream with the compiled callback, or with a Python one if sounddevice takes no other."""
    import sounddevice

    try:
        base, ffi = sounddevice._StreamBase, sounddevice._ffi
        callback = ffi.cast("PaStreamCallback*", _callback.address)
        user = ffi.cast("void*", ring.memory.ctypes.data)
        return base(kind="output", callback=callback, userdata=user, wrap_callback=None, **arguments)
    except (AttributeError, TypeError) as error:
        _log.warning("this sounddevice takes no compiled callback (%s): a Python callback plays, less steadily", error)

    def callback_in_python(out: Array, frames: int, time: Any, status: Any) -> None:  # noqa: ARG001
        ring.read(out)

    return sounddevice.OutputStream(callback=callback_in_python, **arguments)
