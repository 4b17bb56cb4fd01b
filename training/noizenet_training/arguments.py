"""Types of numbers on the command line, for argparse."""

import argparse
import math


def above_zero(text: str) -> float:
    """Returns a finite number above 0.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if not 0 < number < math.inf:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number above 0")
    return number


def whole(text: str) -> int:
    """Returns a whole number from 0 to 2,147,483,647.

    Raises:
        ArgumentTypeError: it is none.
    """
    try:
        number = int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None
    if not 0 <= number < 1 << 31:
        raise argparse.ArgumentTypeError(f"{text!r} is not between 0 and {(1 << 31) - 1}")
    return number


def whole_above_zero(text: str) -> int:
    """Returns a whole number from 1 to 2,147,483,647.

    Raises:
        ArgumentTypeError: it is none.
    """
    number = whole(text)
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number
