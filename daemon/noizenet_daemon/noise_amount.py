"""From the knob `noise` to the deviation of what is injected: 0 nothing, the middle useful, 1 extreme.

The knob is squared, for noise is hardly heard at first, and then all at once. Its end stands where the network still
plays, neither silent nor stuck nor as noise, which is another place for each target: a head that draws codes can say
nothing but what the corpus holds, and bears six times as much as one that says numbers, which hears its own excesses
again; a third of that of noise that leans the same way for long. Codes of samples are many, and lie close: a third
suffices. Measured: docs/experiments.md.
"""

from collections.abc import Mapping
from typing import Any

from noizenet_daemon.level import share_of

# The largest deviation: on the input in units of what the network is used to hear, on the states in their own.
MOST_OF_CODES = {"input": 4.0, "hidden": 3.0, "cell": 3.0}
MOST_OF_SAMPLE_CODES = {"input": 2.0, "hidden": 1.0, "cell": 1.0}
MOST_OF_NUMBERS = {"input": 0.5, "hidden": 0.5, "cell": 0.7}
SLOW_KINDS = ("perlin", "pink")
SLOW_ON_NUMBERS = 0.3


def noise_amount(values: Mapping[str, Any], *, draws_codes: bool, steps_are_samples: bool) -> float:
    """Returns the deviation for values of the parameters in `noizenet.protocol`.

    With kind `live`, the level turns the knob down: all the way at silence.

    Args:
        draws_codes: whether the head is categorical.
        steps_are_samples: whether a step is a sample, and not a frame of them.
    """
    knob = float(values["noise"])
    if values["noise_kind"] == "live":
        knob *= share_of(float(values["live_level_db"]))
    target = values["noise_target"]
    if draws_codes:
        most = MOST_OF_SAMPLE_CODES[target] if steps_are_samples else MOST_OF_CODES[target]
    else:
        most = MOST_OF_NUMBERS[target] * (SLOW_ON_NUMBERS if values["noise_kind"] in SLOW_KINDS else 1.0)
    return most * knob * knob
