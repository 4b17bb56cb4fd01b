"""Reading sound files: libsndfile first, FFmpeg (through PyAV) for what libsndfile doesn't know, such as m4a.

Whatever is wrong with a file becomes a `SoundFileError` of one sentence that names the file and the fault.
"""

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


def read(path: Path, *, finite: bool = True) -> tuple[Array, int]:
    """Returns the samples of a sound file, float32 (frames, channels), full scale ±1, and frames per second.

    Args:
        finite: refuse NaN and infinity.

    Raises:
        SoundFileError: the file is missing, a folder, not sound, empty, not finite, or needs a decoder that
            isn't installed.
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
        samples, sample_rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        samples, sample_rate = _read_by_ffmpeg(path, error.error_string.rstrip("."))
    if samples.size == 0:
        raise SoundFileError(f"{path} holds no samples")
    if finite and not np.isfinite(samples).all():
        raise SoundFileError(f"{path} holds NaN or infinity among its samples")
    return samples, int(sample_rate)


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


def _read_by_ffmpeg(path: Path, fault: str) -> tuple[Array, int]:
    """Returns samples (frames, channels) and rate of the first audio stream; `fault` is libsndfile's."""
    try:
        import av
    except ModuleNotFoundError:
        raise SoundFileError(
            f"{path} can't be decoded by libsndfile ({fault}), and the decoder for other formats is not "
            "installed: pip install av"
        ) from None
    blocks: list[Array] = []
    try:
        # A playlist may name other places: nothing but files may be opened.
        with av.open(str(path.resolve()), options={"protocol_whitelist": "file"}) as container:
            if not container.streams.audio:
                raise SoundFileError(f"{path} holds no audio stream")
            stream = container.streams.audio[0]
            sample_rate = stream.rate
            planar = av.AudioResampler(format="fltp", rate=sample_rate)
            for frame in container.decode(stream):
                blocks += [block.to_ndarray() for block in planar.resample(frame)]
            blocks += [block.to_ndarray() for block in planar.resample(None)]
    except (av.FFmpegError, UnicodeError) as error:
        reason = error.strerror if isinstance(error, av.FFmpegError) else "undecodable text"
        raise SoundFileError(f"{path} is not a sound file that can be decoded: {reason}") from None
    if not blocks:
        raise SoundFileError(f"{path} holds no samples")
    return np.concatenate(blocks, axis=1).T, sample_rate
