"""From the knob to the deviation: nothing, useful, extreme; and what a level makes of it."""

from typing import Any

import pytest

from noizenet.protocol import NOISE_KINDS, NOISE_TARGETS, PARAMETERS
from noizenet_daemon.noise_amount import SLOW_ON_NUMBERS, noise_amount

DEFAULTS = {name: parameter.default for name, parameter in PARAMETERS.items()}
CASES = [(codes, samples) for codes in (True, False) for samples in (True, False)]


def amount(codes: bool = True, samples: bool = False, **values: Any) -> float:
    return noise_amount(DEFAULTS | values, draws_codes=codes, steps_are_samples=samples)


@pytest.mark.parametrize(("codes", "samples"), CASES)
@pytest.mark.parametrize("target", NOISE_TARGETS)
def test_the_middle_of_the_knob_is_a_quarter_of_its_end(target: str, codes: bool, samples: bool) -> None:
    ends = [amount(codes, samples, noise=knob, noise_target=target) for knob in (0.0, 0.5, 1.0)]
    assert ends[0] == 0.0
    assert 4 * ends[1] == pytest.approx(ends[2])
    assert ends[2] >= 0.5


def test_codes_bear_more_than_numbers() -> None:
    for target in NOISE_TARGETS:
        values = {"noise": 1.0, "noise_target": target}
        assert amount(True, False, **values) >= amount(True, True, **values) >= amount(False, False, **values)
        assert amount(False, False, **values) == amount(False, True, **values)


def test_numbers_bear_less_of_what_leans_one_way_for_long() -> None:
    for kind in NOISE_KINDS:
        share = amount(False, noise=1.0, noise_kind=kind, live_level_db=0.0) / amount(False, noise=1.0)
        assert share == pytest.approx(SLOW_ON_NUMBERS if kind in ("perlin", "pink") else 1.0)
        assert amount(noise=1.0, noise_kind=kind, live_level_db=0.0) == amount(noise=1.0)


@pytest.mark.parametrize("kind", NOISE_KINDS)
def test_only_live_noise_follows_the_level(kind: str) -> None:
    levels = [amount(noise=0.8, noise_kind=kind, live_level_db=level) for level in (-60.0, -33.0, -6.0, 0.0)]
    if kind == "live":
        assert levels == [0.0, pytest.approx(levels[2] / 4), levels[3], amount(noise=0.8)]
    else:
        assert levels == [amount(noise=0.8)] * 4
