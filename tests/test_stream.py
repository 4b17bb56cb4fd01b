"""The audio message's header."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from noizenet.errors import ControlError
from noizenet.stream import HEADER, AudioHeader, queue_length

HEADERS = st.builds(
    AudioHeader,
    sequence=st.integers(0, 2**62),
    position=st.integers(0, 2**62),
    time_ns=st.integers(0, 2**62),
    sample_rate=st.integers(1, 2**32 - 1),
    channels=st.integers(1, 64),
    frames=st.integers(0, 65536),
    run=st.integers(0, 2**32 - 1),
)


@given(HEADERS)
def test_a_header_survives_the_wire(header: AudioHeader) -> None:
    packed = header.pack()
    assert len(packed) == HEADER.size == 40
    assert AudioHeader.unpack(packed, header.frames * header.channels * 4) == header


@given(st.binary(max_size=80), st.integers(0, 10_000))
def test_random_bytes_are_a_header_or_refused(data: bytes, payload_bytes: int) -> None:
    try:
        header = AudioHeader.unpack(data, payload_bytes)
    except ControlError:
        return
    assert header.frames * header.channels * 4 == payload_bytes


def test_a_payload_of_another_size_is_refused() -> None:
    header = AudioHeader(0, 0, 0, 48_000, 2, 256)
    with pytest.raises(ControlError, match="256 x 2 samples holds 2047 bytes"):
        AudioHeader.unpack(header.pack(), 2047)


def test_another_version_is_refused() -> None:
    data = b"\x02\x00" + AudioHeader(0, 0, 0, 48_000, 2, 256).pack()[2:]
    with pytest.raises(ControlError, match="version 2 are not known"):
        AudioHeader.unpack(data, 2048)


def test_a_queue_holds_a_fifth_of_a_second_whatever_the_block() -> None:
    assert queue_length(48_000, 256) == 38
    assert queue_length(44_100, 512) == 18
    assert queue_length(8_000, 65_536) == 2
