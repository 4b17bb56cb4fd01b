"""Batches: every step is read, and a hidden state is carried only where one chunk continues the other."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from making import melody, tokens_codec
from noizenet_training.learning.batches import Batch, encode_stretches, one_pass, shifted


def counting_stretches(lengths: list[int]) -> list[np.ndarray]:
    """Returns stretches whose steps say where they come from: 1000 x stretch + index."""
    return [1000 * number + np.arange(length, dtype=np.int32)[:, None] for number, length in enumerate(lengths)]


@settings(max_examples=60, deadline=None)
@given(
    lengths=st.lists(st.integers(2, 90), min_size=1, max_size=6),
    streams=st.integers(1, 8),
    unroll=st.integers(1, 20),
    seed=st.integers(0, 100),
)
def test_targets_follow_inputs_and_states_are_carried_only_within_a_stretch(
    lengths: list[int], streams: int, unroll: int, seed: int
) -> None:
    batches = list(one_pass(counting_stretches(lengths), streams, unroll, np.random.default_rng(seed)))
    assert batches[0].fresh.all()
    assert sum(batch.share for batch in batches) == pytest.approx(1.0)
    last: Batch | None = None
    seen = set()
    for batch in batches:
        real = batch.counted
        assert (batch.targets[real] == batch.inputs[real] + 1).all()
        seen |= set(batch.inputs[real][:, 0].tolist())
        if last is not None:
            continues = batch.inputs[:, 0, 0] == last.inputs[:, -1, 0] + 1
            assert (continues == ~batch.fresh)[last.counted.all(axis=1)].all()
        last = batch
    missed = sum(length - 1 for length in lengths) - len(seen)
    assert missed <= len(lengths) * (unroll - 1)  # what lies before the random start of each stretch


def test_every_pass_cuts_elsewhere() -> None:
    rng = np.random.default_rng(0)
    stretches = counting_stretches([200])
    first, second = (next(one_pass(stretches, 4, 16, rng)).inputs[:, 0, 0].tolist() for _ in range(2))
    assert first != second


def test_stretches_are_encoded_without_the_silence_before_them() -> None:
    codec = tokens_codec()
    samples = melody(1.0)
    whole = codec.encode(codec.new_encoder_state(), samples)
    first, second = encode_stretches(codec, [samples[:10_000], samples[10_048:], samples[:100]])
    skipped = codec.delay // codec.hop
    assert np.array_equal(first, whole[skipped : 10_000 // codec.hop])
    assert np.array_equal(second, whole[10_048 // codec.hop + skipped :][: len(second)])


def test_a_stretch_shorter_than_a_shift_is_left_out() -> None:
    codec = tokens_codec()
    stretches = [melody(1.0), melody(1.0)[: codec.hop // 2]]
    encoded = encode_stretches(codec, stretches + shifted(codec, stretches, 4))
    assert [len(steps) > 100 for steps in encoded] == [True] * 4


@pytest.mark.parametrize("shifts", [1, 2, 4])
def test_shifted_readings_start_parts_of_the_hop_later(shifts: int) -> None:
    samples = melody(0.1)
    readings = shifted(tokens_codec(), [samples], shifts)
    assert [len(samples) - len(reading) for reading in readings] == [64 * k // shifts for k in range(1, shifts)]


@pytest.mark.parametrize(("hours", "readings"), [(0.4, 3), (0.9, 1), (1.1, 0), (3.0, 0)])
def test_no_more_than_two_hours_are_read_shifted(hours: float, readings: int) -> None:
    codec = tokens_codec()
    sound = np.zeros(int(hours * 3600 * codec.sample_rate), np.float32)
    assert len(shifted(codec, [sound], 4)) == readings
