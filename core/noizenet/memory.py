"""Memory: the corpus' own sound in a checkpoint, and where in it the network found itself in which state.

A checkpoint with a memory can play spectral frames that it draws, or real ones: those that once followed a hidden
state like its own. `noizenet_daemon.kernels.roaming` goes about in it.

The sound is stored as Ogg Vorbis, at about a tenth of its size. A frame of the memory is one step of the codec; those
at a stretch's beginning at which the codec would still put out the silence before it are left out.
"""

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.errors import CheckpointError

Array = NDArray[Any]

QUALITY = 0.95  # of Vorbis, 0..1: about 160 kbit/s a channel. Less thins out noise: of a whale in the sea, 0.7 is told
WRITTEN_AT_ONCE = 1 << 16  # frames: libsndfile's Vorbis encoder overflows its stack on far longer ones
PACE_S = (0.1, 60.0)


@dataclass(frozen=True, eq=False)
class Memory:
    """What a network remembers of its corpus. T stretches, n spectral frames, S stages, K axes of H hidden units.

    Attributes:
        sample_rate: frames per second of the sound.
        ogg: the sound as it is stored, the bytes of an Ogg Vorbis file, uint8.
        sound: all stretches one after another, float32 (samples, channels), as decoded from `ogg`.
        lengths: samples of each stretch, int32 (T,).
        codes: of each spectral frame, int32 (n, S).
        keys: the hidden state of the last layer after hearing that frame, seen along K axes, of length 1; (n, K).
        axes, centre: a hidden state h is seen as `axes @ (h - centre)`, (K, H) and (H,).
        pace_s: seconds from jump to jump where the performer lets it be.
    """

    sample_rate: int
    ogg: Array
    sound: Array
    lengths: Array
    codes: Array
    keys: Array
    axes: Array
    centre: Array
    pace_s: float

    @property
    def channels(self) -> int:
        """Channels of the sound, 1 or 2."""
        return int(self.sound.shape[1])

    @property
    def seconds(self) -> float:
        """Length of the sound."""
        return len(self.sound) / self.sample_rate

    def to_json(self) -> dict[str, Any]:
        """Returns the plain values for the checkpoint's header."""
        return {"pace_s": self.pace_s}

    def arrays(self) -> dict[str, Array]:
        """Returns what the checkpoint stores, by name."""
        return {
            "sound": self.ogg,
            "lengths": self.lengths,
            "codes": self.codes,
            "keys": self.keys,
            "axes": self.axes,
            "centre": self.centre,
        }

    @classmethod
    def from_parts(cls, values: object, arrays: Mapping[str, Array], codec: Any, hidden: int) -> "Memory":
        """Returns the memory that a checkpoint's header and arrays describe.

        Args:
            codec: the checkpoint's, of `hop` above 1.
            hidden: units of the network's last layer.

        Raises:
            CheckpointError: they don't fit together, or the sound can't be decoded.
        """
        pace_s = values.get("pace_s") if isinstance(values, dict) else None
        if not isinstance(pace_s, int | float) or not PACE_S[0] <= pace_s <= PACE_S[1]:
            raise CheckpointError(f"its memory's pace_s is {pace_s!r}, not {PACE_S[0]:g} to {PACE_S[1]:g} seconds")
        expected = {"sound", "lengths", "codes", "keys", "axes", "centre"}
        if set(arrays) != expected:
            raise CheckpointError(f"its memory has the arrays {sorted(arrays)}, not {sorted(expected)}")
        lengths, codes, keys = arrays["lengths"], arrays["codes"], arrays["keys"]
        least = codec.delay + codec.hop  # for one frame
        if lengths.dtype != np.int32 or lengths.ndim != 1 or not len(lengths) or lengths.min() < least:
            raise CheckpointError(f"its memory's stretches have no lengths, or are shorter than {least} samples")
        count = sum(remembered_frames(int(length), codec) for length in lengths)
        if codes.dtype != np.int32 or codes.shape != (count, codec.width):
            raise CheckpointError(f"its memory's codes have the shape {codes.shape}, not {(count, codec.width)}")
        if not ((codes >= 0) & (codes < codec.classes)).all():
            raise CheckpointError("its memory holds codes that don't exist")
        axes, centre = arrays["axes"], arrays["centre"]
        if keys.ndim != 2 or keys.shape[0] != count or axes.shape != (keys.shape[1], hidden):
            raise CheckpointError("its memory's keys and axes don't fit together")
        if centre.shape != (hidden,):
            raise CheckpointError(f"its memory's centre has the shape {centre.shape}, not {(hidden,)}")
        sound = decoded(arrays["sound"], codec.sample_rate)
        if len(sound) != lengths.sum() or sound.shape[1] != codec.channels:
            raise CheckpointError(f"its memory's sound has the shape {sound.shape}, which its lengths don't add up to")
        return cls(codec.sample_rate, arrays["sound"], sound, lengths, codes, keys, axes, centre, float(pace_s))


def skipped_frames(codec: Any) -> int:
    """Returns how many of a stretch's first frames a memory leaves out: what is decoded at them began before it."""
    return int(codec.delay // codec.hop)


def remembered_frames(length: int, codec: Any) -> int:
    """Returns how many frames a memory has of a stretch of so many samples."""
    return length // int(codec.hop) - skipped_frames(codec)


def frame_places(lengths: Sequence[int] | Array, codec: Any) -> tuple[Array, Array, Array]:
    """Returns of each remembered frame where it plays from in the sound, and its stretch's first and last frame.

    All int32 (n,). It plays the hop that the codec's decoder would put out at this frame, `delay` samples late.
    """
    rows = []
    sample = frame = 0
    for length in map(int, lengths):
        count = remembered_frames(length, codec)
        numbers = np.arange(count)
        ends = np.full(count, frame), np.full(count, frame + count - 1)
        rows.append(np.stack([sample + codec.hop * numbers, *ends]))
        sample += length
        frame += count
    places, firsts, lasts = np.ascontiguousarray(np.concatenate(rows, axis=1), np.int32)
    return places, firsts, lasts


def encoded(sound: Array, sample_rate: int) -> Array:
    """Returns sound (samples, channels) as the bytes of an Ogg Vorbis file, uint8."""
    import soundfile

    file = io.BytesIO()
    with soundfile.SoundFile(
        file,
        "w",
        sample_rate,
        sound.shape[1],
        format="OGG",
        subtype="VORBIS",
        compression_level=1.0 - QUALITY,
    ) as ogg:
        for start in range(0, len(sound), WRITTEN_AT_ONCE):
            ogg.write(sound[start : start + WRITTEN_AT_ONCE])
    return np.frombuffer(file.getvalue(), np.uint8)


def decoded(data: Array, sample_rate: int) -> Array:
    """Returns the samples of such bytes, float32 (samples, channels).

    Raises:
        CheckpointError: they are no sound, of another rate, or hold NaN.
    """
    import soundfile

    if data.dtype != np.uint8 or data.ndim != 1:
        raise CheckpointError(f"its memory's sound holds {data.dtype}, not bytes")
    try:
        sound, found = soundfile.read(io.BytesIO(data.tobytes()), dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise CheckpointError(f"its memory's sound can't be decoded: {error.error_string.rstrip('.')}") from None
    if found != sample_rate or not np.isfinite(sound).all():
        raise CheckpointError(f"its memory's sound has {found} samples a second, or holds NaN; {sample_rate} belong")
    return np.asarray(sound, np.float32)
