"""Reading sound files: libsndfile first, FFmpeg (through PyAV) for what libsndfile doesn't know, such as m4a.

Whatever is wrong with a file becomes a `SoundFileError` of one sentence that names the file and the fault.
"""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.errors import SoundFileError

Array = NDArray[Any]

# In a folder, sound is looked for under these endings. A file that is named itself is always tried.
ENDINGS = frozenset(
    f".{name}"
    for name in (
        *("aac", "ac3", "aif", "aifc", "aiff", "au", "caf", "flac", "m4a", "m4b", "mka"),
        *("mp2", "mp3", "mp4", "oga", "ogg", "opus", "w64", "wav", "webm", "wma"),
    )
)

BLOCK_FRAMES = 1 << 18  # six seconds at 44,100 Hz


def read(path: Path, *, finite: bool = True) -> tuple[Array, int]:
    """Returns the samples of a sound file, float32 (frames, channels), full scale ±1, and frames per second.

    Args:
        finite: refuse NaN and infinity.

    Raises:
        SoundFileError: the file is missing, a folder, not sound, empty, not finite, or needs a decoder that
            isn't installed.
    """
    sample_rate, blocks = read_blocks(path, finite=finite)
    return np.concatenate(list(blocks)), sample_rate


def read_blocks(path: Path, *, finite: bool = True) -> tuple[int, Iterator[Array]]:
    """Returns frames per second of a sound file, and its samples in blocks, float32 (n, channels); at least one.

    Raises:
        SoundFileError: as `read`; of what is wrong further on, the blocks raise it.
    """
    import soundfile

    if path.is_dir():
        raise SoundFileError(f"{path} is a folder, not a sound file")
    try:
        with path.open("rb") as file:
            if not file.read(1):
                raise SoundFileError(f"{path} is empty")
    except OSError as error:
        raise SoundFileError(f"can't read {path}: {error.strerror}") from None
    try:
        sound = soundfile.SoundFile(path)
    except soundfile.LibsndfileError as error:
        sample_rate, blocks = _blocks_by_ffmpeg(path, error.error_string.rstrip("."))
    else:
        sample_rate, blocks = int(sound.samplerate), _blocks_by_libsndfile(path, sound)
    return sample_rate, _checked(path, blocks, finite)


def _checked(path: Path, blocks: Iterator[Array], finite: bool) -> Iterator[Array]:
    """Yields the blocks that hold samples, as long as they are what they should be."""
    is_empty = True
    for block in blocks:
        if finite and not np.isfinite(block).all():
            raise SoundFileError(f"{path} holds NaN or infinity among its samples")
        if len(block):
            is_empty = False
            yield block
    if is_empty:
        raise SoundFileError(f"{path} holds no samples")


def mixed(samples: Array) -> Array:
    """Returns the mean of the channels, (frames,), of sound (frames,) or (frames, channels)."""
    return samples if samples.ndim == 1 else np.asarray(samples.mean(axis=1))


def read_mono(path: Path, sample_rate: int) -> Array:
    """Returns the mean of a file's channels at another rate, float32 (frames,); resampled by soxr's HQ.

    Raises:
        SoundFileError: as `read`.
    """
    return read_channels(path, sample_rate, 1)


def read_channels(path: Path, sample_rate: int, channels: int) -> Array:
    """Returns a file at another rate, float32 (frames,) of one channel, (frames, 2) of two; resampled by soxr's HQ.

    One channel is the mean of all. Two are those of a file that has two; of any other, the mean, twice.

    Raises:
        SoundFileError: as `read`.
    """
    import soxr

    samples, native_rate = read(path)
    if channels == 1 or samples.shape[1] != channels:
        samples = mixed(samples)
    if native_rate != sample_rate:
        samples = np.asarray(soxr.resample(samples, native_rate, sample_rate, quality="HQ"), np.float32)
    return samples if samples.ndim == min(channels, 2) else np.stack([samples] * channels, axis=1)


def _blocks_by_libsndfile(path: Path, sound: Any) -> Iterator[Array]:
    """Yields the blocks (n, channels) of an open file; from where libsndfile loses its way, FFmpeg goes on."""
    import soundfile

    read_so_far = 0
    try:
        with sound:
            while len(block := sound.read(BLOCK_FRAMES, dtype="float32", always_2d=True)):
                read_so_far += len(block)
                yield block
    except soundfile.LibsndfileError as error:
        _, blocks = _blocks_by_ffmpeg(path, error.error_string.rstrip("."))
        for block in blocks:
            yield block[read_so_far:]
            read_so_far = max(0, read_so_far - len(block))


def _blocks_by_ffmpeg(path: Path, fault: str) -> tuple[int, Iterator[Array]]:
    """Returns rate and blocks (n, channels) of a file's first audio stream; `fault` is libsndfile's."""
    try:
        import av
    except ModuleNotFoundError:
        raise SoundFileError(
            f"{path} can't be decoded by libsndfile ({fault}), and the decoder for other formats is not "
            "installed: pip install av"
        ) from None

    def unreadable(error: Exception) -> SoundFileError:
        reason = error.strerror if isinstance(error, av.FFmpegError) else "undecodable text"
        return SoundFileError(f"{path} is not a sound file that can be decoded: {reason}")

    try:
        # A playlist may name other places: nothing but files may be opened.
        container = av.open(str(path.resolve()), options={"protocol_whitelist": "file"})
    except (av.FFmpegError, UnicodeError) as error:
        raise unreadable(error) from None
    if not container.streams.audio:
        container.close()
        raise SoundFileError(f"{path} holds no audio stream")
    stream = container.streams.audio[0]
    sample_rate = stream.rate

    def blocks() -> Iterator[Array]:
        try:
            with container:
                planar = av.AudioResampler(format="fltp", rate=sample_rate)
                for frame in chain(container.decode(stream), [None]):
                    for block in planar.resample(frame):
                        yield block.to_ndarray().T
        except (av.FFmpegError, UnicodeError) as error:
            raise unreadable(error) from None

    return sample_rate, blocks()
