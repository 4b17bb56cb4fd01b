"""The Fourier transform of real frames again, at a sixth of the time: `noizenet.codecs.refinement` needs many.

The N/2 complex numbers of a frame are taken as eight frames of every eighth number, one in each of the lanes of
`noizenet.codecs.lanes`. These are transformed together, then turned and transformed across, so that no number changes
its lane but once; `noizenet.codecs.fourier` begins with loops of 1, 2, 4 steps. The last bits differ, and a checkpoint
plays bit for bit as it did: hence both.
Source: Bailey, "FFTs in external or hierarchical memory", Journal of Supercomputing 4 (1990), with rows of eight; the
frames in the lanes as in Swarztrauber, "FFT algorithms for vector computers", Parallel Computing 1 (1984), of radix 4.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from noizenet.codecs.fourier import FourierPlan, forward, fourier_plan, inverse
from noizenet.codecs.lanes import (
    LANES,
    backward,
    load,
    load_columns,
    load_pairs,
    minus_product,
    store,
    store_pairs,
)
from noizenet.compiling import inlined, kernel
from noizenet.vectors import multiply_add, splat

Array = NDArray[Any]

SMALLEST = 2 * LANES * LANES  # samples: of smaller frames, the lanes have fewer numbers than there are lanes


class LanesPlan(NamedTuple):
    """Tables and workspace for frames of N samples. One plan must not be used by two threads at once.

    Attributes:
        cosine, sine: of -2 pi k / N, k < N / 2.
        powers: real and imaginary parts of w, w^2 and w^3, w = e^(-32 pi i p / N), p < N / 64: (N / 64, 6).
        turn_re, turn_im: e^(-4 pi i l k / N) of the numbers k in lane l, (N / 2,): lane after lane.
        a_re, a_im, b_re, b_im: workspace, (N / 2 + 1,) each.
        small: the plan of frames that are smaller than `SMALLEST`.
    """

    cosine: Array
    sine: Array
    powers: Array
    turn_re: Array
    turn_im: Array
    a_re: Array
    a_im: Array
    b_re: Array
    b_im: Array
    small: FourierPlan


def lanes_plan(size: int) -> LanesPlan:
    """Returns a plan for frames of `size` samples, a power of two of at least 4."""
    half = size // 2
    whole = np.exp(-2j * np.pi / size * np.arange(half))
    powers = np.exp(-32j * np.pi / size * np.outer(np.arange(max(size // 64, 1)), [1, 2, 3]))
    turn = np.exp(-4j * np.pi / size * np.outer(np.arange(LANES), np.arange(half // LANES)))
    pairs = np.stack([powers.real, powers.imag], axis=2).reshape(len(powers), 6)
    tables = [whole.real, whole.imag, pairs, turn.real.reshape(-1), turn.imag.reshape(-1)]
    cosine, sine, pairs, turn_re, turn_im = (np.ascontiguousarray(table, np.float32) for table in tables)
    a_re, a_im, b_re, b_im = (np.zeros(half + 1, np.float32) for _ in range(4))
    small = fourier_plan(min(size, SMALLEST))
    return LanesPlan(cosine, sine, pairs, turn_re, turn_im, a_re, a_im, b_re, b_im, small)


# Complex numbers are pairs of lanes, and so are their arrays.


@inlined
def _at(arrays: Any, place: int) -> Any:
    return load(arrays[0], place), load(arrays[1], place)


@inlined
def _put(arrays: Any, place: int, z: Any) -> None:
    store(arrays[0], place, z[0])
    store(arrays[1], place, z[1])


@inlined
def _spread(re: Any, im: Any) -> Any:
    return splat(re, LANES), splat(im, LANES)


@inlined
def _plus(a: Any, b: Any) -> Any:
    return a[0] + b[0], a[1] + b[1]


@inlined
def _minus(a: Any, b: Any) -> Any:
    return a[0] - b[0], a[1] - b[1]


@inlined
def _times(a: Any, b: Any) -> Any:
    return minus_product(a[0] * b[0], a[1], b[1]), multiply_add(a[1], b[0], a[0] * b[1])


@inlined
def _four(a: Any, b: Any, c: Any, d: Any) -> Any:
    """Returns the transform of four complex numbers."""
    near, far, other = _plus(a, c), _minus(a, c), _plus(b, d)
    turned = b[1] - d[1], d[0] - b[0]  # b - d, by -i
    return _plus(near, other), _plus(far, turned), _minus(near, other), _minus(far, turned)


@kernel
def _quarters(powers: Any, length: int, stride: int, x: Any, y: Any) -> None:
    """Does a stage of radix 4, from x to y, in each lane: `length` numbers, `stride` apart."""
    quarter, wide = length // 4, LANES * stride
    apart, step = wide * quarter, 4 * powers.shape[0] // length
    for p in range(quarter):
        w = powers[p * step]
        first, second, third = _spread(w[0], w[1]), _spread(w[2], w[3]), _spread(w[4], w[5])
        for q in range(0, wide, LANES):
            place, out = wide * p + q, 4 * wide * p + q
            a, b = _at(x, place), _at(x, place + apart)
            c, d = _at(x, place + 2 * apart), _at(x, place + 3 * apart)
            a, b, c, d = _four(a, b, c, d)
            _put(y, out, a)
            _put(y, out + wide, _times(b, first))
            _put(y, out + 2 * wide, _times(c, second))
            _put(y, out + 3 * wide, _times(d, third))


@kernel
def _halves(stride: int, x: Any, y: Any) -> None:
    """Does the stage of two numbers, `stride` apart, from x to y, in each lane."""
    for q in range(0, LANES * stride, LANES):
        a, b = _at(x, q), _at(x, q + LANES * stride)
        _put(y, q, _plus(a, b))
        _put(y, q + LANES * stride, _minus(a, b))


@inlined
def _eight(plan: Any, x: Any, k: int) -> Any:
    """Returns lanes of numbers k to k + 7 of each of the eight frames, turned."""
    re, im = load_columns(x[0], LANES * k), load_columns(x[1], LANES * k)
    turn, apart = (plan.turn_re, plan.turn_im), plan.turn_re.shape[0] // LANES
    return (
        (re[0], im[0]),
        _times((re[1], im[1]), _at(turn, k + apart)),
        _times((re[2], im[2]), _at(turn, k + 2 * apart)),
        _times((re[3], im[3]), _at(turn, k + 3 * apart)),
        _times((re[4], im[4]), _at(turn, k + 4 * apart)),
        _times((re[5], im[5]), _at(turn, k + 5 * apart)),
        _times((re[6], im[6]), _at(turn, k + 6 * apart)),
        _times((re[7], im[7]), _at(turn, k + 7 * apart)),
    )


@kernel
def _across(plan: Any, x: Any, y: Any) -> None:
    """Transforms the frames in the lanes of x, already transformed, across: all numbers, in order, in y."""
    count = plan.turn_re.shape[0] // LANES
    r = splat(np.float32(np.sqrt(0.5)), LANES)
    for k in range(0, count, LANES):
        z = _eight(plan, x, k)
        a, b, c, d = _four(z[0], z[2], z[4], z[6])
        e, f, g, h = _four(z[1], z[3], z[5], z[7])
        f = r * (f[0] + f[1]), r * (f[1] - f[0])  # by e^(-pi i / 4)
        g = g[1], splat(np.float32(0.0), LANES) - g[0]
        h = r * (h[1] - h[0]), splat(np.float32(0.0), LANES) - r * (h[0] + h[1])
        _put(y, k, _plus(a, e))
        _put(y, k + count, _plus(b, f))
        _put(y, k + 2 * count, _plus(c, g))
        _put(y, k + 3 * count, _plus(d, h))
        _put(y, k + 4 * count, _minus(a, e))
        _put(y, k + 5 * count, _minus(b, f))
        _put(y, k + 6 * count, _minus(c, g))
        _put(y, k + 7 * count, _minus(d, h))


@kernel
def _transform(plan: Any) -> Any:
    """Transforms (a_re, a_im); returns where the result lies."""
    x, y = (plan.a_re, plan.a_im), (plan.b_re, plan.b_im)
    length, stride = plan.turn_re.shape[0] // LANES, 1
    while length > 1:
        if length >= 4:
            _quarters(plan.powers, length, stride, x, y)
            length //= 4
            stride *= 4
        else:
            _halves(stride, x, y)
            length = 1
        x, y = y, x
    _across(plan, x, y)
    return y


@kernel
def forward_in_lanes(plan: Any, frame: Any, out_re: Any, out_im: Any) -> None:
    """Writes the N/2 + 1 bins of a real frame of N samples."""
    if frame.shape[0] < SMALLEST:
        forward(plan.small, frame, out_re, out_im)
        return
    half = plan.turn_re.shape[0]
    for k in range(0, half, LANES):
        _put((plan.a_re, plan.a_im), k, load_pairs(frame, 2 * k))
    z = _transform(plan)
    z[0][half], z[1][half] = z[0][0], z[1][0]
    out_re[half // 2], out_im[half // 2] = z[0][half // 2], -z[1][half // 2]
    scale = splat(np.float32(0.5), LANES)
    for k in range(0, half // 2, LANES):  # and the bins as far from the other end
        mirrored = half - k - (LANES - 1)
        a, b = scale * load(z[0], k), scale * load(z[1], k)
        c, d = scale * backward(load(z[0], mirrored)), scale * backward(load(z[1], mirrored))
        re, im = a + c, b - d
        turned = _times((b + d, c - a), _at((plan.cosine, plan.sine), k))
        _put((out_re, out_im), k, (re + turned[0], im + turned[1]))
        _put((out_re, out_im), mirrored, (backward(re - turned[0]), backward(turned[1] - im)))


@kernel
def inverse_in_lanes(plan: Any, bins_re: Any, bins_im: Any, out: Any) -> None:
    """Writes the real frame of N samples whose N/2 + 1 bins are given."""
    if out.shape[0] < SMALLEST:
        inverse(plan.small, bins_re, bins_im, out)
        return
    half = plan.turn_re.shape[0]
    scale, zero = splat(np.float32(0.5) / np.float32(half), LANES), splat(np.float32(0.0), LANES)
    # conjugated, so that the forward transform serves as the inverse
    for k in range(0, half // 2, LANES):
        mirrored = half - k - (LANES - 1)
        a, b = scale * load(bins_re, k), scale * load(bins_im, k)
        c, d = scale * backward(load(bins_re, mirrored)), scale * backward(load(bins_im, mirrored))
        re, im = a + c, d - b
        # by e^(2 pi i k / N), which is one over what the table has, and by i
        turned = _times((b + d, a - c), _at((plan.cosine, plan.sine), k))
        _put((plan.a_re, plan.a_im), k, (re - turned[0], im - turned[1]))
        _put((plan.a_re, plan.a_im), mirrored, (backward(re + turned[0]), backward(zero - im - turned[1])))
    middle = half // 2
    plan.a_re[middle] = bins_re[middle] / np.float32(half)
    plan.a_im[middle] = bins_im[middle] / np.float32(half)
    z = _transform(plan)
    for k in range(0, half, LANES):
        store_pairs(out, 2 * k, load(z[0], k), zero - load(z[1], k))
