"""The Fourier transform of real frames, in numba: no allocation, same result for any caller.

A frame of N samples is transformed as N/2 complex numbers by a Stockham radix-2 transform, whose inner loop runs
over adjacent memory and so is vectorised by the compiler. Without `fastmath`, which bought nothing: the copies of a
function that numba compiles for its callers then differed in the last bits, and which one ran depended on whether
kernels were just compiled or came from the disk.
Source: Swarztrauber, "FFT algorithms for vector computers", Parallel Computing 1 (1984).
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.compiling import kernel

Array = NDArray[Any]


class FourierPlan(NamedTuple):
    """Tables and workspace for frames of one size. One plan must not be used by two threads at once.

    Attributes:
        cosine, sine: e^(-2 pi i k / N) for k < N/2.
        a_re, a_im, b_re, b_im: workspace, N/2 numbers each.
    """

    cosine: Array
    sine: Array
    a_re: Array
    a_im: Array
    b_re: Array
    b_im: Array


def fourier_plan(size: int) -> FourierPlan:
    """Returns a plan for frames of `size` samples, a power of two of at least 4."""
    angle = -2.0 * np.pi * np.arange(size // 2) / size
    workspace = [np.zeros(size // 2, np.float32) for _ in range(4)]
    return FourierPlan(np.cos(angle).astype(np.float32), np.sin(angle).astype(np.float32), *workspace)


@kernel
def _complex_transform(plan: Any) -> Any:
    """Transforms (a_re, a_im); returns True if the result lies in b."""
    half = plan.a_re.shape[0]
    x_re, x_im, y_re, y_im = plan.a_re, plan.a_im, plan.b_re, plan.b_im
    length = half
    stride = 1
    in_b = False
    while length > 1:
        middle = length // 2
        for p in range(middle):
            # e^(-2 pi i p / length), read from the table of the real transform, which is twice as long
            index = 2 * p * (half // length)
            w_re = plan.cosine[index]
            w_im = plan.sine[index]
            near = stride * p
            far = stride * (p + middle)
            even = stride * 2 * p
            odd = even + stride
            for q in range(stride):
                a = x_re[near + q]
                b = x_im[near + q]
                c = x_re[far + q]
                d = x_im[far + q]
                y_re[even + q] = a + c
                y_im[even + q] = b + d
                e = a - c
                f = b - d
                y_re[odd + q] = e * w_re - f * w_im
                y_im[odd + q] = e * w_im + f * w_re
        x_re, y_re = y_re, x_re
        x_im, y_im = y_im, x_im
        in_b = not in_b
        length = middle
        stride *= 2
    return in_b


@kernel
def forward(plan: Any, frame: Any, out_re: Any, out_im: Any) -> None:
    """Writes the N/2 + 1 bins of a real frame of N samples."""
    half = plan.a_re.shape[0]
    for k in range(half):
        plan.a_re[k] = frame[2 * k]
        plan.a_im[k] = frame[2 * k + 1]
    in_b = _complex_transform(plan)
    z_re = plan.b_re if in_b else plan.a_re
    z_im = plan.b_im if in_b else plan.a_im
    out_re[0] = z_re[0] + z_im[0]
    out_im[0] = 0.0
    out_re[half] = z_re[0] - z_im[0]
    out_im[half] = 0.0
    for k in range(1, half):
        even_re = 0.5 * (z_re[k] + z_re[half - k])
        even_im = 0.5 * (z_im[k] - z_im[half - k])
        odd_re = 0.5 * (z_im[k] + z_im[half - k])
        odd_im = -0.5 * (z_re[k] - z_re[half - k])
        out_re[k] = even_re + plan.cosine[k] * odd_re - plan.sine[k] * odd_im
        out_im[k] = even_im + plan.cosine[k] * odd_im + plan.sine[k] * odd_re


@kernel
def inverse(plan: Any, bins_re: Any, bins_im: Any, out: Any) -> None:
    """Writes the real frame of N samples whose N/2 + 1 bins are given."""
    half = plan.a_re.shape[0]
    scale = np.float32(0.5) / np.float32(half)
    for k in range(half):
        even_re = bins_re[k] + bins_re[half - k]
        even_im = bins_im[k] - bins_im[half - k]
        odd_re = bins_re[k] - bins_re[half - k]
        odd_im = bins_im[k] + bins_im[half - k]
        # multiply by e^(+2 pi i k / N), the table's conjugate
        turned_re = plan.cosine[k] * odd_re + plan.sine[k] * odd_im
        turned_im = plan.cosine[k] * odd_im - plan.sine[k] * odd_re
        # conjugated, so that the forward transform serves as the inverse
        plan.a_re[k] = scale * (even_re - turned_im)
        plan.a_im[k] = -scale * (even_im + turned_re)
    in_b = _complex_transform(plan)
    z_re = plan.b_re if in_b else plan.a_re
    z_im = plan.b_im if in_b else plan.a_im
    for k in range(half):
        out[2 * k] = z_re[k]
        out[2 * k + 1] = -z_im[k]
