"""A process that plays a ring to JACK and listens to itself there; what it heard and counted goes to a file.

Its samples are numbers: the frame's place in the ring, on the second channel negative.

    python playing_to_jack.py compiled|python result.npz
"""

import ctypes
import ctypes.util
import sys
import threading
import time
from types import SimpleNamespace
from typing import Any

import numpy as np

from noizenet.errors import DeviceError
from noizenet_daemon.ring import Ring
from noizenet_daemon.sound_card import SoundCardOutput, find_device

RATE = 48000
FRAMES = 200 * 256  # whole periods, so that the end isn't faded
SCALE = 2.0**-20
PATIENCE_S = 20.0
NO_START = 1  # JackNoStartServer, jack/types.h


def connected() -> Any:
    """Returns the JACK library and a client of it, once the server answers."""
    jack = ctypes.CDLL(ctypes.util.find_library("jack"))
    jack.jack_client_open.restype = ctypes.c_void_p
    deadline = time.monotonic() + PATIENCE_S
    while not (client := jack.jack_client_open(b"wires", NO_START, None)):
        assert time.monotonic() < deadline, "jackd doesn't answer"
        time.sleep(0.05)
    return jack, ctypes.c_void_p(client)


def main(callback: str, result: str) -> None:
    jack, client = connected()
    import sounddevice  # looks for servers once, when it is imported

    if callback == "python":  # what it would look like if sounddevice's inner class took no C callback any more
        sounddevice._StreamBase = SimpleNamespace(__init__=sounddevice._StreamBase.__init__)
    ring = Ring(FRAMES, 2, FRAMES, 1)
    places = SCALE * np.arange(1, FRAMES + 1, dtype=np.float32)
    ring.write(np.stack([places, -places], axis=1))
    found = find_device("system, JACK")
    assert found is not None
    refusal = ""
    try:
        SoundCardOutput(ring, found[0], "system", 44100, 256)
    except DeviceError as error:
        refusal = str(error)
    output = SoundCardOutput(ring, found[0], found[1]["name"], RATE, 256)
    heard: list[Any] = []
    is_over = threading.Event()

    def listen(samples: Any, *_: Any) -> None:
        heard.append(samples.copy())
        if ring.missing > 0:
            is_over.set()

    with sounddevice.InputStream(RATE, 256, found[0], 2, "float32", callback=listen):
        output.start()
        for n in range(2):
            wire = f"PortAudio:out_{n}".encode(), f"PortAudio:in_{n}".encode()
            assert jack.jack_connect(client, *wire) == 0, wire
        assert is_over.wait(PATIENCE_S)
    jack.jack_client_close(client)
    counts = {"read": ring.read_position, "underruns": ring.underruns}
    was_alive = output.is_alive()
    output.restart()
    is_back = output.is_alive()
    output.stop()
    np.savez(
        result,
        heard=np.concatenate(heard) / SCALE,
        alive=[was_alive, is_back, output.is_alive()],
        refusal=refusal,
        **counts,
    )


main(*sys.argv[1:])
