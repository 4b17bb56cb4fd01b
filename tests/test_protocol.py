"""The vocabulary's table, addresses, and the audio message."""

import math
import re
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noizenet.addresses import Knob, address_of, known_addresses, parse_address
from noizenet.errors import ControlError
from noizenet.parameter import Parameter
from noizenet.protocol import COMMANDS, PARAMETER_FIELDS, PARAMETERS, Command, suggest

ANY_PARAMETER = st.sampled_from(sorted(PARAMETERS.values(), key=lambda parameter: parameter.name))
ANY_VALUE = st.one_of(st.floats(), st.integers(), st.booleans(), st.text(), st.none(), st.lists(st.integers()))


@given(ANY_PARAMETER, ANY_VALUE)
def test_a_value_is_taken_within_range_or_refused_in_words(parameter: Parameter, value: object) -> None:
    try:
        taken, remark = parameter.coerce(value)
    except ControlError:
        return
    if parameter.kind == "choice":
        assert taken in parameter.choices
    elif parameter.kind == "bool":
        assert isinstance(taken, bool)
    else:
        assert isinstance(taken, float)
        assert parameter.minimum <= taken <= parameter.maximum
    assert parameter.coerce(taken) == (taken, "")
    assert "\n" not in remark


@given(ANY_PARAMETER, st.floats(0, 1))
def test_a_place_in_the_range_comes_back(parameter: Parameter, place: float) -> None:
    value, remark = parameter.from_normalised(place)
    assert not remark
    again, _ = parameter.from_normalised(parameter.to_normalised(value))
    if parameter.kind == "float":
        assert parameter.to_normalised(value) == pytest.approx(place, abs=1e-9)
        assert again == pytest.approx(value)
    else:
        assert again == value


@pytest.mark.parametrize("parameter", PARAMETERS.values(), ids=lambda parameter: parameter.name)
def test_a_default_is_a_value_that_is_taken_as_it_is(parameter: Parameter) -> None:
    assert parameter.coerce(parameter.default) == (parameter.default, "")


@pytest.mark.parametrize("value", [1, 1.0, True])
def test_ints_floats_and_bools_are_taken_for_one_another(value: object) -> None:
    assert PARAMETERS["mute"].coerce(value) == (True, "")
    assert PARAMETERS["gain_db"].coerce(value) == (1.0, "")
    assert PARAMETERS["noise_kind"].coerce(value) == ("uniform", "")


def test_a_clamped_value_is_reported_with_its_limit() -> None:
    assert PARAMETERS["gain_db"].coerce(99) == (12.0, "99 is above the limit; set to 12 dB")
    assert PARAMETERS["gain_db"].from_normalised(-1) == (-60.0, "-1 is outside 0..1; set to -60.0")


@pytest.mark.parametrize("value", [math.nan, math.inf, 10**400, "loud", None, b"1"])
def test_a_useless_value_is_refused_with_the_range(value: object) -> None:
    with pytest.raises(ControlError, match="a number from -60 to 12 dB"):
        PARAMETERS["gain_db"].coerce(value)


def test_a_description_has_the_documented_fields() -> None:
    for parameter in PARAMETERS.values():
        assert tuple(parameter.describe()) == PARAMETER_FIELDS


@pytest.mark.parametrize("command", COMMANDS.values(), ids=lambda command: command.name)
def test_a_command_counts_its_arguments(command: Command) -> None:
    most = len(command.arguments)
    least = sum(not argument.optional for argument in command.arguments)
    for count in range(most + 3):
        if least <= count <= most:
            command.check_count((0,) * count)
        else:
            with pytest.raises(ControlError, match=re.escape(command.name)):
                command.check_count((0,) * count)


def test_the_closest_word_is_suggested() -> None:
    assert suggest("gian_db", PARAMETERS) == " (did you mean gain_db?)"
    assert suggest("xyzzy", PARAMETERS) == ""


@pytest.mark.parametrize("address", known_addresses(2))
def test_a_known_address_is_parsed_to_what_it_was_made_from(address: str) -> None:
    knob = parse_address(address)
    assert isinstance(knob, Knob)
    assert address_of(knob.parameter.name, knob.voice, knob.normalised) == address


@pytest.mark.parametrize("name", COMMANDS)
def test_a_command_is_understood_with_and_without_the_prefix(name: str) -> None:
    assert parse_address(f"/noizenet/{name}") is parse_address(f"/{name}") is COMMANDS[name]


def test_a_star_addresses_all_voices() -> None:
    assert parse_address("/noizenet/voice/*/pan") == Knob(PARAMETERS["pan"], None)
    assert parse_address("/noizenet/voice/*/norm/pan") == Knob(PARAMETERS["pan"], None, True)


@pytest.mark.parametrize(
    ("address", "reason"),
    [
        ("/noizenet/gain", "did you mean /noizenet/gain_db?"),
        ("/gain_db", "did you mean /noizenet/gain_db?"),
        ("gain_db", "did you mean /noizenet/gain_db?"),
        ("/noizenet/voice/2/pann", "there is no '/noizenet/voice/2/pann'"),
        ("/statsu", "did you mean /noizenet/status?"),
        ("/noizenet/voice/0/pan", "voices count from 1"),
        ("/noizenet/voice/-1/pan", "voices count from 1"),
        ("/noizenet/voice/²/pan", "voices count from 1"),
        ("/noizenet/voice/" + "9" * 100 + "/pan", "voices count from 1"),
        ("/noizenet/voice/1/latency_ms", "send it to /noizenet/latency_ms"),
        ("/noizenet/", "there is no"),
        ("/" + "x" * 1000, "at most 256 characters"),
        ("", "there is no ''"),
    ],
)
def test_an_unknown_address_is_refused_with_the_way_out(address: str, reason: str) -> None:
    with pytest.raises(ControlError, match=re.escape(reason)):
        parse_address(address)


@given(st.text())
def test_any_text_is_an_address_or_is_refused(address: str) -> None:
    with suppress(ControlError):
        assert isinstance(parse_address(address), Knob | Command)
