"""Codecs: waveform <-> steps of the network.

A codec is an immutable value. What it must remember from block to block is an explicit state that the caller
owns: a named tuple of arrays, changed in place. Blocks of any size give the same result as all at once.

Sound is float32: (frames,) for a codec of one channel, (frames, channels) for one of several; see `sound_shape`.
"""

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, Self

from numpy.typing import NDArray

from noizenet.errors import CheckpointError

Array = NDArray[Any]
CodecState = Any  # a named tuple of arrays, each codec's own; see `Codec.new_decoder_state`


class Codec(Protocol):
    """What every codec has.

    Attributes:
        name: as in a checkpoint's header.
        sample_rate: frames per second of the sound on both sides.
        hop: samples that one group of steps stands for.
        group: steps that are decoded together; 1 but for a codec that transforms a whole clip at once.
        width: numbers in a step: codes, or features.
        classes: values that a code can take; 0 if a step holds real numbers.
        delay: frames by which decode(encode(x)) lags behind x.
        channels: of the sound on both sides: 1; of the codec `tokens`, 1 or 2.
    """

    name: ClassVar[str]

    @property
    def sample_rate(self) -> int: ...
    @property
    def hop(self) -> int: ...
    @property
    def group(self) -> int: ...
    @property
    def width(self) -> int: ...
    @property
    def classes(self) -> int: ...
    @property
    def delay(self) -> int: ...
    @property
    def channels(self) -> int: ...

    def new_encoder_state(self) -> CodecState:
        """Returns the state of an encoder that has heard silence."""
        ...

    def encode(self, state: Any, samples: Array) -> Array:
        """Returns the steps (n, width) that this sound completes; keeps the rest in `state`."""
        ...

    def new_decoder_state(self, seed: int = 0) -> CodecState:
        """Returns the state of a decoder before its first step."""
        ...

    def decode(self, state: Any, steps: Array, out: Array) -> None:
        """Writes the sound of steps (n x group, width) into `out`, of n x hop frames. Allocates nothing."""
        ...

    def arrays(self) -> dict[str, Array]:
        """Returns what was fitted to the corpus, by name, for the checkpoint."""
        ...

    def options(self) -> dict[str, Any]:
        """Returns the plain values for the checkpoint's header."""
        ...

    @classmethod
    def from_parts(cls, options: Mapping[str, Any], arrays: Mapping[str, Array]) -> Self:
        """Returns the codec that `options` and `arrays` describe.

        Raises:
            CheckpointError: they don't fit together.
        """
        ...


def steps_per_second(codec: Codec) -> float:
    """Returns the steps of a codec in a second of sound."""
    return codec.sample_rate * codec.group / codec.hop


def sound_shape(codec: Codec, frames: int) -> tuple[int, ...]:
    """Returns the shape of so many frames of sound, as the codec takes and gives them."""
    return (frames,) if codec.channels == 1 else (frames, codec.channels)


def codec_type(name: object) -> type[Codec]:
    """Returns the class of the codec of that name; only it is imported.

    Raises:
        CheckpointError: there is no such codec.
    """
    if name == "tokens":
        from noizenet.codecs.tokens import TokensCodec

        return TokensCodec
    if name == "mulaw":
        from noizenet.codecs.mulaw import MulawCodec

        return MulawCodec
    if name == "amplitude":
        from noizenet.codecs.amplitude import AmplitudeCodec

        return AmplitudeCodec
    if name == "fft":
        from noizenet.codecs.fft import FftCodec

        return FftCodec
    if name == "spectrum":
        from noizenet.codecs.spectrum import SpectrumCodec

        return SpectrumCodec
    raise CheckpointError(f"its codec {name!r} is not known here, only tokens, mulaw, amplitude, fft and spectrum")


def whole_number(options: Mapping[str, Any], name: str, least: int, most: int) -> int:
    """Returns a whole number of a codec's options.

    Raises:
        CheckpointError: it is missing, not whole, or outside its range.
    """
    value = options.get(name)
    if type(value) is not int or not least <= value <= most:
        raise CheckpointError(f"its codec's {name} is {value!r}, not a whole number from {least} to {most}")
    return value


def spectral_frames(options: Mapping[str, Any], longest: int) -> tuple[int, int, float]:
    """Returns the window, at most `longest`, the hop and the floor of the options of a codec of spectral frames.

    Raises:
        CheckpointError: one is missing or outside its range, or window and hop don't go together.
    """
    window, hop = whole_number(options, "window", 64, longest), whole_number(options, "hop", 1, longest)
    floor = options.get("floor")
    if window & (window - 1) or window % hop or window < 4 * hop:  # fewer overlaps, and the level would ripple
        raise CheckpointError(
            f"its codec's window {window} is no power of two, or not a multiple of 4 or more of its hop {hop}"
        )
    if not isinstance(floor, float) or not 0 < floor < 1:
        raise CheckpointError(f"its codec's floor is {floor!r}, not a number between 0 and 1")
    return window, hop, floor
