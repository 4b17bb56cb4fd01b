"""Scalers: numbers as a codec finds them to numbers that a network learns well from, and back.

    zscore   (x - mean) / deviation                                     scikit-learn's StandardScaler
    minmax   (x - least) / (largest - least): 0..1                      MinMaxScaler
    linear   x / peak: -1..1, where peak is the largest magnitude       MaxAbsScaler
    clip     zscore, cut off at 3 deviations                            StandardScaler
    log      sgn(x) ln(1 + mu |x| / peak) / ln(1 + mu): -1..1           MaxAbsScaler

mu is 255, as in ITU-T G.711. All but `log` are lines, (x - shift) / scale, and so are their inverses: what `clip` cut
off stays cut off.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np

from noizenet.codecs import Array
from noizenet.codecs.mulaw import MU
from noizenet.errors import CheckpointError

SCALERS = ("zscore", "minmax", "linear", "clip", "log")
CUT_OFF = np.float32(3.0)  # deviations, of `clip`
LARGEST_LOG = np.float32(2.0)  # stands for 257 peaks: further out, a network that runs wild would overflow
LOG_MU = np.float32(np.log1p(MU))


@dataclass(frozen=True, eq=False)
class Scaler:
    """Scales the numbers of a step, each by its own two numbers. Immutable.

    Attributes:
        kind: one of `SCALERS`.
        shift: what becomes 0, float32 (width,): mean or least number; 0 of linear and log.
        scale: what becomes 1, as seen from there, float32 (width,), above 0: deviation, range or peak.
    """

    kind: str
    shift: Array
    scale: Array

    @property
    def width(self) -> int:
        """Numbers in a step."""
        return len(self.scale)

    def forward(self, values: Array) -> Array:
        """Returns values (n, width) scaled, float32 (n, width)."""
        scaled = (np.asarray(values, np.float32) - self.shift) / self.scale
        if self.kind == "clip":
            np.clip(scaled, -CUT_OFF, CUT_OFF, out=scaled)
        elif self.kind == "log":
            # not cut off at the peak: louder sound than the corpus', as in a prime, comes back as it was
            scaled = np.copysign(np.log1p(np.float32(MU) * np.abs(scaled)) / LOG_MU, scaled)
        return scaled

    def inverse(self, values: Array, out: Array) -> None:
        """Writes scaled values (n, width) as they were into `out`, another float32 array (n, width). Allocates nothing.

        Of `log`, values beyond 2, or 257 times the peak, are taken for 2.
        """
        # Along the longer axis, for of both at once numpy makes buffers of 32 kB.
        if values.shape[0] < values.shape[1]:
            for step in range(values.shape[0]):
                self._inverse(values[step], self.shift, self.scale, out[step])
        else:
            for index in range(values.shape[1]):
                self._inverse(values[:, index], self.shift[index], self.scale[index], out[:, index])

    def _inverse(self, values: Array, shift: Any, scale: Any, out: Array) -> None:
        """Writes scaled values (n,) as they were; shift and scale are numbers, or arrays (n,)."""
        if self.kind == "log":
            np.abs(values, out=out)
            np.minimum(out, LARGEST_LOG, out=out)
            np.multiply(out, LOG_MU, out=out)
            np.expm1(out, out=out)
            np.divide(out, np.float32(MU), out=out)
            np.copysign(out, values, out=out)
            np.multiply(out, scale, out=out)
        else:
            np.multiply(values, scale, out=out)
        np.add(out, shift, out=out)

    def column(self, index: int) -> "Scaler":
        """Returns the scaler of one number of the step, of width 1."""
        return Scaler(self.kind, self.shift[index : index + 1], self.scale[index : index + 1])

    def arrays(self) -> dict[str, Array]:
        """Returns the arrays for the checkpoint. `mean` is the shift: it was named when there was only z-score."""
        return {"mean": self.shift, "scale": self.scale}

    def options(self) -> dict[str, Any]:
        """Returns the plain values for the checkpoint's header."""
        return {"scaler": self.kind}

    @classmethod
    def from_parts(cls, options: Mapping[str, Any], arrays: Mapping[str, Array], width: int) -> Self:
        """Returns the scaler that a codec's options and arrays describe; others of the codec may be among them.

        Raises:
            CheckpointError: the kind is unknown, or the numbers are missing, too many or few, or not usable.
        """
        kind = options.get("scaler", "zscore")
        if kind not in SCALERS:
            raise CheckpointError(f"its codec's scaler is {kind!r}, not one of {', '.join(SCALERS)}")
        shapes = [arrays[name].shape if name in arrays else None for name in ("mean", "scale")]
        if shapes != [(width,)] * 2:
            found = " and ".join("none" if shape is None else str(shape) for shape in shapes)
            raise CheckpointError(f"its codec's mean and scale need the shape ({width},) both; they have {found}")
        shift, scale = (np.ascontiguousarray(arrays[name], np.float32) for name in ("mean", "scale"))
        bad = np.flatnonzero(~(scale > 0) | ~np.isfinite(scale))  # NaN is not above 0 either
        if len(bad):
            raise CheckpointError(f"its codec's scale is {scale[bad[0]]:g}, not a number above 0")
        if not np.isfinite(shift).all():
            raise CheckpointError("its codec's mean is not finite")
        return cls(kind, shift, scale)


def zscore(mean: float, deviation: float) -> Scaler:
    """Returns the z-score of single numbers with this mean and deviation."""
    return Scaler("zscore", np.array([mean], np.float32), np.array([deviation], np.float32))
