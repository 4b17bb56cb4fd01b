"""What a control address means: which parameter, of which voice, by value or by place; or which command."""

from dataclasses import dataclass
from functools import lru_cache

from noizenet.errors import ControlError
from noizenet.parameter import Parameter
from noizenet.protocol import COMMANDS, PARAMETERS, PREFIX, Command, suggest

LONGEST = 256  # characters of an address; the longest known one has fewer than 50


@dataclass(frozen=True)
class Knob:
    """A parameter, seen from an address.

    Attributes:
        voice: the voice it is for, counted from 1, or None for all.
        normalised: True if values are places in 0..1 of the range.
    """

    parameter: Parameter
    voice: int | None = None
    normalised: bool = False

    @property
    def plain_address(self) -> str:
        """The address that carries the value itself, under which a change is announced."""
        return address_of(self.parameter.name, self.voice)


def address_of(parameter: str, voice: int | None = None, normalised: bool = False) -> str:
    """Returns the address of a parameter: of one voice or of all, by value or by place in 0..1."""
    place = f"norm/{parameter}" if normalised else parameter
    return f"{PREFIX}{place}" if voice is None else f"{PREFIX}voice/{voice}/{place}"


@lru_cache(maxsize=1024)
def parse_address(address: str) -> Knob | Command:
    """Returns what an address stands for.

    Raises:
        ControlError: there is no such address; the reason names the closest known one.
    """
    if len(address) > LONGEST:
        raise ControlError(f"an address has at most {LONGEST} characters, not {len(address)}")
    if not address.startswith(PREFIX):
        command = COMMANDS.get(address[1:]) if address.startswith("/") else None
        if command is None:
            raise ControlError(f"there is no {address!r}{_suggestion(address)}")
        return command
    path = address[len(PREFIX) :]
    if path in COMMANDS:
        return COMMANDS[path]
    voice: int | None = None
    if path.startswith("voice/"):
        number, _, path = path[len("voice/") :].partition("/")
        if number != "*":
            if not (number.isascii() and number.isdigit() and 1 <= int(number[:6]) == int(number)):
                raise ControlError(f"there is no voice {number!r}: voices count from 1, and * means all")
            voice = int(number)
    normalised = path.startswith("norm/")
    parameter = PARAMETERS.get(path.removeprefix("norm/"))
    if parameter is None:
        raise ControlError(f"there is no {address!r}{_suggestion(address)}")
    if voice is not None and parameter.scope == "master":
        raise ControlError(f"{path} belongs to all voices together: send it to {PREFIX}{path}")
    return Knob(parameter, voice, normalised)


def known_addresses(voices: int) -> tuple[str, ...]:
    """Returns the addresses of every parameter, for all voices and for each of `voices` voices."""
    return tuple(
        address_of(name, voice, normalised)
        for voice in (None, *range(1, voices + 1))
        for name, parameter in PARAMETERS.items()
        if voice is None or parameter.scope == "voice"
        for normalised in (False, True)
    )


def _suggestion(address: str) -> str:
    """Compares the last words, so that a missing or mistyped prefix doesn't hide the likeness."""
    known = {name: PREFIX + name for name in (*PARAMETERS, *COMMANDS)}
    words = address.strip("/").removeprefix("noizenet/")
    for candidate in (words, words.rpartition("/")[2]):
        if candidate in known:
            return f" (did you mean {known[candidate]}?)"
    return suggest(PREFIX + words, known.values())
