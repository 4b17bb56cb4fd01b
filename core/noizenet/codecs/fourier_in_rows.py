"""The Fourier transform of real frames again, at half the time: what `noizenet.codecs.refinement` needs many of.

The N/2 complex numbers of a frame lie in rows. They are transformed down the columns, turned, and transformed along
the rows, so that no inner loop is short; `noizenet.codecs.fourier` begins with loops of 1, 2, 4 steps. The last bits
differ, and a checkpoint plays bit for bit as it did: hence both.
Source: Bailey, "FFTs in external or hierarchical memory", Journal of Supercomputing 4 (1990).
"""

from typing import Any, NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Array = NDArray[Any]


class RowsPlan(NamedTuple):
    """Tables and workspace for frames of N samples in R rows of C complex numbers.

    Attributes:
        cosine, sine: of -2 pi k / N, k < N / 2.
        shape: R and C, int64 (2,).
        turn_re, turn_im: e^(-4 pi i r c / N) of row r and column c, (N / 2,).
        a_re, a_im, b_re, b_im: workspace, (N / 2,) each.
    """

    cosine: Array
    sine: Array
    shape: Array
    turn_re: Array
    turn_im: Array
    a_re: Array
    a_im: Array
    b_re: Array
    b_im: Array


def rows_plan(size: int) -> RowsPlan:
    """Returns a plan for frames of `size` samples, a power of two of at least 4."""
    half = size // 2
    rows = 1 << ((half.bit_length() - 1) // 2)
    angle = -2.0 * np.pi * np.arange(half) / size
    turn = np.exp(-4j * np.pi / size * np.outer(np.arange(rows), np.arange(half // rows))).reshape(-1)
    tables = [np.cos(angle), np.sin(angle), turn.real, turn.imag]
    cosine, sine, turn_re, turn_im = (np.ascontiguousarray(table, np.float32) for table in tables)
    workspace = [np.zeros(half, np.float32) for _ in range(4)]
    return RowsPlan(cosine, sine, np.array([rows, half // rows]), turn_re, turn_im, *workspace)


@njit(cache=True, nogil=True, boundscheck=False)
def _quarters(plan: Any, length: int, stride: int, x_re: Any, x_im: Any, y_re: Any, y_im: Any) -> None:
    """Does one stage of radix 4: from x to y."""
    half = plan.a_re.shape[0]
    quarter = length // 4
    for p in range(quarter):
        # e^(-2 pi i p / length) and its powers, read from the table of the real transform, which is twice as long
        place = 2 * p * (half // length)
        w_re, w_im = plan.cosine[place], plan.sine[place]
        v_re, v_im = w_re * w_re - w_im * w_im, np.float32(2.0) * w_re * w_im
        u_re, u_im = w_re * v_re - w_im * v_im, w_re * v_im + w_im * v_re
        a, b, c, d = stride * p, stride * (p + quarter), stride * (p + 2 * quarter), stride * (p + 3 * quarter)
        out = stride * 4 * p
        for q in range(stride):
            sum_re, sum_im = x_re[a + q] + x_re[c + q], x_im[a + q] + x_im[c + q]
            far_re, far_im = x_re[a + q] - x_re[c + q], x_im[a + q] - x_im[c + q]
            other_re, other_im = x_re[b + q] + x_re[d + q], x_im[b + q] + x_im[d + q]
            turned_re, turned_im = x_im[b + q] - x_im[d + q], x_re[d + q] - x_re[b + q]  # by -i
            y_re[out + q] = sum_re + other_re
            y_im[out + q] = sum_im + other_im
            e, f = far_re + turned_re, far_im + turned_im
            y_re[out + stride + q] = e * w_re - f * w_im
            y_im[out + stride + q] = e * w_im + f * w_re
            e, f = sum_re - other_re, sum_im - other_im
            y_re[out + 2 * stride + q] = e * v_re - f * v_im
            y_im[out + 2 * stride + q] = e * v_im + f * v_re
            e, f = far_re - turned_re, far_im - turned_im
            y_re[out + 3 * stride + q] = e * u_re - f * u_im
            y_im[out + 3 * stride + q] = e * u_im + f * u_re


@njit(cache=True, nogil=True, boundscheck=False)
def _down_the_columns(plan: Any, in_b: bool, length: int, stride: int) -> bool:
    """Transforms `length` rows of `stride` numbers, column by column; returns True if they end up in b."""
    x_re, x_im, y_re, y_im = plan.a_re, plan.a_im, plan.b_re, plan.b_im
    if in_b:
        x_re, x_im, y_re, y_im = plan.b_re, plan.b_im, plan.a_re, plan.a_im
    while length > 1:
        if length >= 4:
            _quarters(plan, length, stride, x_re, x_im, y_re, y_im)
            length //= 4
            stride *= 4
        else:
            for q in range(stride):  # length is 2: halves, and nothing to turn
                y_re[q] = x_re[q] + x_re[stride + q]
                y_im[q] = x_im[q] + x_im[stride + q]
                y_re[stride + q] = x_re[q] - x_re[stride + q]
                y_im[stride + q] = x_im[q] - x_im[stride + q]
            length = 1
        x_re, y_re = y_re, x_re
        x_im, y_im = y_im, x_im
        in_b = not in_b
    return in_b


@njit(cache=True, nogil=True, boundscheck=False)
def _transform(plan: Any) -> bool:
    """Transforms (a_re, a_im); returns True if the result lies in b."""
    rows, columns = plan.shape
    in_b = _down_the_columns(plan, False, rows, columns)
    x_re, x_im, y_re, y_im = plan.a_re, plan.a_im, plan.b_re, plan.b_im
    if in_b:
        x_re, x_im, y_re, y_im = plan.b_re, plan.b_im, plan.a_re, plan.a_im
    for column in range(columns):
        for row in range(rows):
            place = row * columns + column
            a, b, w_re, w_im = x_re[place], x_im[place], plan.turn_re[place], plan.turn_im[place]
            y_re[column * rows + row] = a * w_re - b * w_im
            y_im[column * rows + row] = a * w_im + b * w_re
    return bool(_down_the_columns(plan, not in_b, columns, rows))


@njit(cache=True, nogil=True, boundscheck=False)
def forward_in_rows(plan: Any, frame: Any, out_re: Any, out_im: Any) -> None:
    """Writes the N/2 + 1 bins of a real frame of N samples."""
    half = plan.a_re.shape[0]
    for k in range(half):
        plan.a_re[k] = frame[2 * k]
        plan.a_im[k] = frame[2 * k + 1]
    in_b = _transform(plan)
    z_re = plan.b_re if in_b else plan.a_re
    z_im = plan.b_im if in_b else plan.a_im
    out_re[0] = z_re[0] + z_im[0]
    out_im[0] = 0.0
    out_re[half] = z_re[0] - z_im[0]
    out_im[half] = 0.0
    for k in range(1, half):
        even_re = np.float32(0.5) * (z_re[k] + z_re[half - k])
        even_im = np.float32(0.5) * (z_im[k] - z_im[half - k])
        odd_re = np.float32(0.5) * (z_im[k] + z_im[half - k])
        odd_im = np.float32(-0.5) * (z_re[k] - z_re[half - k])
        out_re[k] = even_re + plan.cosine[k] * odd_re - plan.sine[k] * odd_im
        out_im[k] = even_im + plan.cosine[k] * odd_im + plan.sine[k] * odd_re


@njit(cache=True, nogil=True, boundscheck=False)
def inverse_in_rows(plan: Any, bins_re: Any, bins_im: Any, out: Any) -> None:
    """Writes the real frame of N samples whose N/2 + 1 bins are given."""
    half = plan.a_re.shape[0]
    scale = np.float32(0.5) / np.float32(half)
    for k in range(half):
        even_re = bins_re[k] + bins_re[half - k]
        even_im = bins_im[k] - bins_im[half - k]
        odd_re = bins_re[k] - bins_re[half - k]
        odd_im = bins_im[k] + bins_im[half - k]
        turned_re = plan.cosine[k] * odd_re + plan.sine[k] * odd_im
        turned_im = plan.cosine[k] * odd_im - plan.sine[k] * odd_re
        # conjugated, so that the forward transform serves as the inverse
        plan.a_re[k] = scale * (even_re - turned_im)
        plan.a_im[k] = -scale * (even_im + turned_re)
    in_b = _transform(plan)
    z_re = plan.b_re if in_b else plan.a_re
    z_im = plan.b_im if in_b else plan.a_im
    for k in range(half):
        out[2 * k] = z_re[k]
        out[2 * k + 1] = -z_im[k]
