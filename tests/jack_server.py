"""JACK with its dummy driver: a sound card without hardware."""

import ctypes.util
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

IS_INSTALLED = bool(
    shutil.which("jackd") and ctypes.util.find_library("jack") and ctypes.util.find_library("portaudio")
)
MISSING = "needs jackd2 and libportaudio2"


@contextmanager
def jack_server(*options: str) -> Iterator[dict[str, str]]:
    """Runs a JACK server at 48 kHz, 256 frames; gives the environment in which a new process finds it.

    Args:
        options: of jackd, such as `-S`, which lets a late client stretch time instead of losing sound.
    """
    environment = {**os.environ, "JACK_DEFAULT_SERVER": f"nz{os.getpid()}", "JACK_NO_START_SERVER": "1"}
    command = [
        "jackd",
        "-n",
        environment["JACK_DEFAULT_SERVER"],
        "-r",
        *options,
        "-d",
        "dummy",
        "-r",
        "48000",
        "-p",
        "256",
    ]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
    try:
        yield environment
    finally:
        server.terminate()
        server.wait()
