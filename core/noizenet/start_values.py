"""Values that parameters have at the start, from `--set name=value` and from the table `[parameters]`."""

from collections.abc import Iterable, Mapping

from noizenet.errors import ConfigurationError, ControlError
from noizenet.options import from_text
from noizenet.parameter import Value
from noizenet.protocol import PARAMETERS, suggest

WORDS: Mapping[str, bool] = {"true": True, "on": True, "false": False, "off": False}


def start_values(settings: Iterable[str]) -> dict[str, Value]:
    """Returns the values set by texts `name=value`, by parameter.

    Raises:
        ConfigurationError: one or more are malformed, unknown or out of range; all are named.
    """
    values: dict[str, Value] = {}
    faults: list[str] = []
    for setting in settings:
        name, equals, text = setting.partition("=")
        if not equals:
            faults.append(f"--set {setting}: write it as name=value, such as --set temperature=0.9")
            continue
        try:
            values[name] = checked(name, _from_text(name, text))
        except ControlError as error:
            faults.append(f"--set {setting}: {error}")
    if faults:
        raise ConfigurationError("\n  ".join(faults))
    return values


def checked(name: str, value: object) -> Value:
    """Returns a parameter's start value in its own type.

    A knob that is turned too far stops at its end, but a file or a flag that asks for it holds a mistake.

    Raises:
        ControlError: there is no such parameter, or it can't have this value.
    """
    parameter = PARAMETERS.get(name)
    if parameter is None:
        raise ControlError(f"there is no parameter {name}{suggest(name, PARAMETERS)}")
    taken, remark = parameter.coerce(value)
    if remark:
        limits = f"{parameter.minimum:g} to {parameter.maximum:g} {parameter.unit}".rstrip()
        raise ControlError(f"{value} is outside {limits}")
    return taken


def _from_text(name: str, text: str) -> Value:
    """Returns what a text means for a parameter: a choice, a number, or one of `WORDS`."""
    if name in PARAMETERS and text in PARAMETERS[name].choices:
        return text
    number = from_text(0.0, text)
    return WORDS.get(text, number if isinstance(number, float) else text)
