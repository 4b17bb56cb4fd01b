"""The sound card, through PortAudio. Its callbacks are compiled code that never touches Python.

A callback works on one array of shared memory, by the one pointer it is given: that of the output reads the ring
(`noizenet_daemon.ring`), that of the input is in `noizenet_daemon.sound_input`. sounddevice offers callers the class
`_StreamBase` for C callbacks; should its form change, a plain Python callback takes over, with a warning.
"""

import logging
from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numba import carray, cfunc, types  # type: ignore[attr-defined]
from numpy.typing import NDArray

from noizenet.errors import DeviceError
from noizenet_daemon.ring import CAPACITY, CHANNELS, HEADER, Ring, read_frames

Array = NDArray[Any]
Side = Literal["output", "input"]
_log = logging.getLogger("noizenet.output")

# PaStreamCallback(input, output, frames, time info, status flags, user data), portaudio.h
SIGNATURE = types.int32(
    types.CPointer(types.float32),
    types.CPointer(types.float32),
    types.uint64,
    types.voidptr,
    types.uint64,
    types.CPointer(types.float32),
)


@cfunc(SIGNATURE, cache=True)
def _callback(_input: Any, output: Any, frames: Any, _time: Any, _flags: Any, user: Any) -> int:
    words = carray(user, (HEADER,)).view(np.int64)
    memory = carray(user, (HEADER + words[CAPACITY] * words[CHANNELS],))
    count: Any = np.int64(frames)  # int() would keep it unsigned, and unsigned with signed makes floats
    read_frames(memory, carray(output, (count * words[CHANNELS],)), count)
    return 0  # paContinue


def find_device(wanted: str, side: Side = "output") -> tuple[int, dict[str, Any]] | None:
    """Returns number and description of an output or input device; None if `auto` finds none.

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
        found = sounddevice.query_devices(device, side)
    except (ValueError, sounddevice.PortAudioError):
        if wanted == "auto":
            return None
        names = [d["name"] for d in sounddevice.query_devices() if d[f"max_{side}_channels"] > 0]
        known = ", ".join(names) or "none at all"
        purpose = "play to" if side == "output" else "listen to"
        raise DeviceError(f"there is no sound device {wanted!r} to {purpose}; this machine has: {known}") from None
    return int(found["index"]), dict(found)


class SoundCardStream:
    """An open stream of a device, to it or from it, whose callback works on shared memory.

    Attributes:
        name: the device's.
        latency_s: what the device adds.
    """

    side: Side
    remedy: str

    def __init__(self, name: str, memory: Array, callback: Any, in_python: Callable[..., None], **options: Any) -> None:
        """Opens the device.

        Args:
            memory: what the compiled callback gets as its user data.
            callback: compiled, of `SIGNATURE`.
            in_python: does the same, as sounddevice calls it.
            options: of sounddevice's stream.

        Raises:
            DeviceError: it can't work at this rate with these channels, or another program has it.
        """
        self.name = name
        self._memory = memory
        self._callback = callback
        self._in_python = in_python
        self._options = {"dtype": "float32", "latency": "low"} | options
        self._stream = self._open()
        self.latency_s = float(self._stream.latency)

    def _open(self) -> Any:
        import sounddevice

        try:
            return self._compiled_stream()
        except sounddevice.PortAudioError as error:
            raise DeviceError(
                f"the sound device {self.name!r} can't be opened with {self._options['channels']} channels at "
                f"{self._options['samplerate']} Hz ({error}): choose another {self.remedy}"
            ) from None

    def _compiled_stream(self) -> Any:
        """Returns a stream with the compiled callback, or with the Python one if sounddevice takes no other."""
        import sounddevice

        try:
            base, ffi = sounddevice._StreamBase, sounddevice._ffi
            callback = ffi.cast("PaStreamCallback*", self._callback.address)
            user = ffi.cast("void*", self._memory.ctypes.data)
            return base(kind=self.side, callback=callback, userdata=user, wrap_callback=None, **self._options)
        except (AttributeError, TypeError) as error:
            _log.warning(
                "this sounddevice takes no compiled callback (%s): a Python callback takes its place, less steadily",
                error,
            )
        streams = {"output": sounddevice.OutputStream, "input": sounddevice.InputStream}
        return streams[self.side](callback=self._in_python, **self._options)

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


class SoundCardOutput(SoundCardStream):
    """A PortAudio stream that plays the ring."""

    side = "output"
    remedy = "--output, --sample-rate or --channels"

    def __init__(self, ring: Ring, device: int, name: str, sample_rate: int, block_frames: int) -> None:
        """Opens the device; raises as `SoundCardStream` does."""

        def in_python(out: Array, frames: int, time: Any, status: Any) -> None:  # noqa: ARG001
            ring.read(out)

        super().__init__(
            name,
            ring.memory,
            _callback,
            in_python,
            samplerate=sample_rate,
            blocksize=block_frames,
            device=device,
            channels=ring.channels,
        )
