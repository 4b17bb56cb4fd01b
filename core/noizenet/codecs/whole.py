"""A whole sound through a codec, there and back, aligned with what went in."""

import numpy as np

from noizenet.codecs import Array, Codec, sound_shape


def encode_whole(codec: Codec, samples: Array) -> Array:
    """Returns the steps (n, width) of a whole sound, with as much silence after it as its end takes to come out."""
    length = -(-(len(samples) + codec.delay) // codec.hop) * codec.hop
    padded = np.zeros(sound_shape(codec, length), np.float32)
    padded[: len(samples)] = samples
    return codec.encode(codec.new_encoder_state(), padded)


def decode_whole(codec: Codec, steps: Array, count: int) -> Array:
    """Returns the `count` frames that the steps of `encode_whole` stand for, aligned with those encoded."""
    out = np.zeros(sound_shape(codec, len(steps) // codec.group * codec.hop), np.float32)
    codec.decode(codec.new_decoder_state(), np.ascontiguousarray(steps), out)
    return out[codec.delay : codec.delay + count]
