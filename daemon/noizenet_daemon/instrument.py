"""What the control side may ask of the instrument: the one door between `control` and the engine."""

from pathlib import Path
from typing import Protocol

from noizenet.parameter import Value


class Instrument(Protocol):
    """The engine, seen from the control threads. Any method may be called from any thread.

    Voices count from 1. A method that can be refused raises a `NoizeNetError` with one sentence. `load` and
    `prime` are slow: they return when the change has been handed to the engine.
    """

    @property
    def voices(self) -> int:
        """Number of voices."""
        ...

    def get(self, parameter: str, voice: int = 1) -> Value:
        """Returns the value last set (a scheduled change counts once its time has come)."""
        ...

    def set(self, parameter: str, value: Value, voice: int | None = None, at: float | None = None) -> None:
        """Sets a parameter to a value that `Parameter.coerce` returned.

        Args:
            voice: the voice, or None for all.
            at: wall-clock time in seconds since 1970 at which it is to be heard, to the sample; None = now.
        """
        ...

    def load(self, path: Path) -> str:
        """Plays another checkpoint, crossfaded; returns its name."""
        ...

    def prime(self, source: str) -> float:
        """Warms the hidden state with a sound file, or corpus, normal, perlin, silence; returns its seconds."""
        ...

    def reset(self) -> None:
        """Starts the hidden state of every voice anew."""
        ...

    def panic(self) -> None:
        """Fades to silence at once and mutes every voice."""
        ...

    def save_state(self, name: str) -> None:
        """Remembers the state of every voice under a name."""
        ...

    def recall_state(self, name: str) -> None:
        """Goes back to a remembered state."""
        ...

    def start_recording(self, name: str) -> Path:
        """Begins a new WAV file in the recordings folder; returns its path."""
        ...

    def stop_recording(self) -> tuple[Path, float]:
        """Closes the recording; returns its path and seconds."""
        ...

    def status(self) -> dict[str, Value]:
        """Returns the values of `noizenet.protocol.STATUS_FIELDS`, in that order."""
        ...

    def quit(self) -> None:
        """Asks the daemon to fade out and stop; returns at once."""
        ...
