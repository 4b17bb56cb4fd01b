"""What a codec alone loses: the corpus encoded and decoded, beside itself."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.codecs import Codec
from noizenet.codecs.whole import decode_whole, encode_whole
from noizenet.nearness import log_spectral_distance, spectral_convergence
from noizenet.sound_file import mixed

Array = NDArray[Any]


class CodecLoss(NamedTuple):
    """What a codec alone loses, in dB; see `noizenet.nearness`."""

    codec_log_spectral_distance_db: float
    codec_spectral_convergence_db: float


def codec_loss(codec: Codec, stretches: Sequence[Array]) -> CodecLoss:
    """Returns what encoding and decoding loses of stretches of sound, in the codec's channels, at its rate.

    Of two channels, their mean is compared.
    """
    true = np.concatenate(stretches)
    found = np.concatenate([decode_whole(codec, encode_whole(codec, part), len(part)) for part in stretches])
    true, found = mixed(true), mixed(found)
    return CodecLoss(log_spectral_distance(true, found), spectral_convergence(true, found))
