"""The audio message: what one ZeroMQ message of the audio stream holds.

Three frames: the topic `audio`, a fixed header of 40 bytes, and interleaved little-endian float32 samples.
The listener finds gaps by `position`, a restarted daemon by another `run`, and old sound by `time_ns`.
"""

import math
import struct
from dataclasses import dataclass

from noizenet.errors import ControlError

# Between the daemon and a listener's ear lie four queues: ZeroMQ's and the kernel's, at either end. They must
# ride out a listener that stalls for 0.1 s, and not feed one that stalls for longer with the distant past.
# Measured on loopback, 256 x 2 samples at 187.5 messages/s; listener's process stopped | not reading:
#   queue  2 messages, buffers  8192: stop of 0.1 s loses 6;    after 1.5 s: 0.07 s of the past | 0.1 s
#   queue 38 messages, buffers  8192: loses none; after 1.5 s: 0.22 s             | 0.41 s
#   queue 29 messages, buffers 16384: loses none; after 1.5 s: 0.26 s             | 0.33 s
#   queue 29 messages, buffers 32768: loses none; after 1.5 s: 0.42 s             | 0.49 s
#   queue 38 messages, buffers 16384: loses none; after 1.5 s: 0.33 s             | 0.51 s (the choice)
#   the same, listener with its defaults: none;   after 1.5 s: 0.53 s             | 1.5 s or more
QUEUE_S = 0.2  # sound in each of the two ZeroMQ queues
SOCKET_BUFFER = 16384  # bytes asked of the kernel at each end: room for 40 ms of round trip over a network

HEADER = struct.Struct("<HHIqqqII")
VERSION = 1


def queue_length(sample_rate: int, block_frames: int) -> int:
    """Returns the messages a ZeroMQ queue may hold (its high-water mark): QUEUE_S of sound, at least 2."""
    return max(math.ceil(QUEUE_S * sample_rate / block_frames), 2)


@dataclass(frozen=True)
class AudioHeader:
    """What the samples beside it are.

    Attributes:
        sequence: counts messages from 0, from the daemon's start.
        position: index of the first frame, from the daemon's start.
        time_ns: wall-clock time at which the message was sent, in ns since 1970.
        sample_rate: frames per second.
        channels: samples in a frame.
        frames: frames in this message.
        run: drawn at random at the daemon's start, so that a restart never passes for a gap. 0..2^32 - 1.
    """

    sequence: int
    position: int
    time_ns: int
    sample_rate: int
    channels: int
    frames: int
    run: int = 0

    def pack(self) -> bytes:
        """Returns the 40 bytes that go over the wire."""
        return HEADER.pack(
            VERSION,
            self.channels,
            self.sample_rate,
            self.sequence,
            self.position,
            self.time_ns,
            self.frames,
            self.run,
        )

    @classmethod
    def unpack(cls, data: bytes, payload_bytes: int) -> "AudioHeader":
        """Returns the header that `data` holds.

        Raises:
            ControlError: wrong size or version, or the payload isn't `frames` frames of `channels` floats.
        """
        if len(data) != HEADER.size:
            raise ControlError(f"an audio header has {HEADER.size} bytes, not {len(data)}")
        version, channels, sample_rate, sequence, position, time_ns, frames, run = HEADER.unpack(data)
        if version != VERSION:
            raise ControlError(f"audio messages of version {version} are not known here, only {VERSION}")
        if payload_bytes != frames * channels * 4 or channels < 1 or sample_rate < 1:
            raise ControlError(f"an audio message of {frames} x {channels} samples holds {payload_bytes} bytes")
        return cls(sequence, position, time_ns, sample_rate, channels, frames, run)
