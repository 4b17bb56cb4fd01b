"""One knob of the instrument: its range, and what becomes of the values that it is given."""

import math
from dataclasses import dataclass
from typing import Literal

from noizenet.errors import ControlError

Value = float | int | bool | str


@dataclass(frozen=True)
class Parameter:
    """One knob of the instrument.

    Attributes:
        name: its address below `/noizenet/`.
        kind: "float", "bool" or "choice".
        default: the value at start.
        minimum: lowest value; values below are clamped. 0 for bool and choice.
        maximum: highest value. 1 for bool; the last index for a choice.
        unit: "dB", "s", "ms" or "".
        smoothing_s: time in which the sound follows a change; 0 = at the next step of the network.
        scope: "voice" (each voice has its own) or "master".
        choices: the names that a choice may take, in order.
        doc: one sentence for the reader of docs/control.md.
    """

    name: str
    kind: Literal["float", "bool", "choice"]
    default: Value
    doc: str
    minimum: float = 0.0
    maximum: float = 1.0
    unit: str = ""
    smoothing_s: float = 0.0
    scope: Literal["voice", "master"] = "voice"
    choices: tuple[str, ...] = ()

    def coerce(self, value: object) -> tuple[Value, str]:
        """Returns the value that is really set, and a remark ("" if it was taken as it came).

        Ints, floats and bools are taken for one another; a choice is named or given by index.

        Raises:
            ControlError: the value is of no use: not a number, not finite, or not one of the choices.
        """
        if self.kind == "choice" and isinstance(value, str):
            if value in self.choices:
                return value, ""
            raise ControlError(f"{self.name} can't be {value!r}: choose one of {', '.join(self.choices)}")
        number = _number(value)
        if number is None:
            raise ControlError(f"{self.name} takes {self._expected()}, not {value!r}")
        clamped = min(max(number, self.minimum), self.maximum)
        remark = ""
        if clamped != number:
            side = "below" if number < clamped else "above"
            remark = f"{number:g} is {side} the limit; set to {clamped:g}{self.unit and ' ' + self.unit}"
        if self.kind == "bool":
            return clamped >= 0.5, remark
        if self.kind == "choice":
            return self.choices[round(clamped)], remark
        return clamped, remark

    def from_normalised(self, place: object) -> tuple[Value, str]:
        """Returns the value at a place in 0..1 of the range, and a remark as `coerce` does."""
        number = _number(place)
        if number is None:
            raise ControlError(f"norm/{self.name} takes a number from 0 to 1, not {place!r}")
        inside = min(max(number, 0.0), 1.0)
        value, _ = self.coerce(self.minimum + inside * (self.maximum - self.minimum))
        return value, "" if inside == number else f"{number:g} is outside 0..1; set to {value}"

    def to_normalised(self, value: Value) -> float:
        """Returns the place in 0..1 of a value that `coerce` returned."""
        number = float(self.choices.index(value)) if isinstance(value, str) else float(value)
        return (number - self.minimum) / (self.maximum - self.minimum)

    def describe(self) -> dict[str, Value]:
        """Returns the parameter's properties, as `PARAMETER_FIELDS` names them, in plain values."""
        return {
            "name": self.name,
            "kind": self.kind,
            "minimum": self.minimum,
            "maximum": self.maximum,
            "default": self.default,
            "unit": self.unit,
            "doc": self.doc,
            "choices": ",".join(self.choices),
        }

    def _expected(self) -> str:
        if self.kind == "choice":
            return f"one of {', '.join(self.choices)}"
        if self.kind == "bool":
            return "0 or 1"
        return f"a number from {self.minimum:g} to {self.maximum:g}{self.unit and ' ' + self.unit}"


def _number(value: object) -> float | None:
    if isinstance(value, bool | int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    return None
