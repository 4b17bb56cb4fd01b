"""Processes that sing into JACK, a constant of 0.1 on both channels, and listen to it.

python listening_to_jack.py level compiled|python result.npz
python listening_to_jack.py sing                  says "here", and sings into all inputs once it is told to
"""

import sys
from types import SimpleNamespace
from typing import Any

import numpy as np

from noizenet.errors import DeviceError
from noizenet_daemon.ring import Ring
from noizenet_daemon.sound_card import SoundCardOutput, find_device
from noizenet_daemon.sound_input import SoundCardInput
from waiting import wait_until

RATE = 48000
SOUND = 0.1  # -20 dBFS


def jack_client(name: str) -> Any:
    """Returns a client of the server, once that answers; the tests' own, to sing and to lay wires."""
    import jack

    found: list[Any] = []

    def opened() -> bool:
        try:
            found.append(jack.Client(name, no_start_server=True))
        except jack.JackOpenError:
            return False
        return True

    wait_until(opened)
    return found[0]


def level(callback: str, result: str) -> None:
    """Plays a ring and hears it, and writes the levels before, meanwhile and after."""
    wires = jack_client("wires")
    import sounddevice  # looks for servers once, when it is imported

    if callback == "python":
        sounddevice._StreamBase = SimpleNamespace(__init__=sounddevice._StreamBase.__init__)
    refusal = ""
    try:
        find_device("no such thing", "input")
    except DeviceError as error:
        refusal = str(error)
    found = find_device("system", "input")
    assert found is not None
    ears = SoundCardInput(*found)
    ring = Ring(60 * RATE, 2, 60 * RATE, 1)
    ring.write(np.full((60 * RATE, 2), SOUND, np.float32))
    ears.start()
    silent = ears.level_db()
    output = SoundCardOutput(ring, found[0], found[1]["name"], RATE, 256)
    output.start()
    connect_all(wires)
    loud = wait_until_loud(ears)
    ears.stop()
    ears.silence()
    forgotten = ears.level_db()
    ears.restart()
    connect_all(wires)
    again = wait_until_loud(ears)
    assert ears.is_alive()
    ears.stop()
    output.stop()
    wires.close()
    np.savez(result, silent=silent, loud=loud, forgotten=forgotten, again=again, refusal=refusal)


def wait_until_loud(ears: SoundCardInput) -> float:
    """Returns the level once it has risen to that of the sound."""
    wait_until(lambda: ears.level_db() > -20.05)
    return ears.level_db()


def connect_all(wires: Any) -> None:
    """Leads a sound that a program puts out to each channel that one takes in."""
    mouths = [port for port in wires.get_ports(is_output=True, is_audio=True) if "out" in port.shortname]
    for number, ear in enumerate(wires.get_ports("PortAudio:in", is_input=True)):
        wires.connect(mouths[number % len(mouths)], ear)


def sing() -> None:
    """Sings until it is killed."""
    mouth = jack_client("singer")
    port = mouth.outports.register("out")

    @mouth.set_process_callback  # type: ignore[untyped-decorator]
    def process(_frames: int) -> None:
        port.get_array()[:] = SOUND

    mouth.activate()
    print("here", flush=True)
    sys.stdin.readline()
    connect_all(mouth)
    sys.stdin.readline()


{"level": level, "sing": sing}[sys.argv[1]](*sys.argv[2:])
