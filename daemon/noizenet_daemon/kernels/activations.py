"""tanh, sigmoid and exp of lanes, see `noizenet.vectors`. NaN goes through."""

from typing import Any

import numpy as np

from noizenet.compiling import inlined
from noizenet.vectors import multiply_add
from noizenet_daemon.kernels.arithmetic import WHOLE, at_least, at_most, two_to, zero_below

LEAST_EXPONENT = np.float32(-87.0)  # what is smaller would be a denormal
FLAT = np.float32(7.90531)  # from here on tanh is 1 in float32


@inlined
def tanh(x: Any) -> Any:
    """Returns tanh within 4e-7, by a rational function. Source of its coefficients: Eigen 3, MathFunctionsImpl.h."""
    x = at_most(at_least(x, -FLAT), FLAT)
    s = x * x
    p = multiply_add(s, np.float32(-2.76076847742355e-16), np.float32(2.00018790482477e-13))
    p = multiply_add(p, s, np.float32(-8.60467152213735e-11))
    p = multiply_add(p, s, np.float32(5.12229709037114e-08))
    p = multiply_add(p, s, np.float32(1.48572235717979e-05))
    p = multiply_add(p, s, np.float32(6.37261928875436e-04))
    p = multiply_add(p, s, np.float32(4.89352455891786e-03))
    q = multiply_add(s, np.float32(1.19825839466702e-06), np.float32(1.18534705686654e-04))
    q = multiply_add(q, s, np.float32(2.26843463243900e-03))
    q = multiply_add(q, s, np.float32(4.89352518554385e-03))
    return x * p / q


@inlined
def sigmoid(x: Any) -> Any:
    """Returns 1 / (1 + e^-x)."""
    return multiply_add(tanh(np.float32(0.5) * x), np.float32(0.5), np.float32(0.5))


@inlined
def exp(x: Any) -> Any:
    """Returns e^x within 2e-7 of itself, for x up to 88; below -87 it is 0.

    Source: Cephes Math Library 2.2, expf.c: its reduction and coefficients.
    """
    held = at_most(at_least(x, LEAST_EXPONENT), np.float32(88.0))
    shifted = multiply_add(held, np.float32(1.44269504088896341), np.float32(WHOLE))
    whole = shifted - np.float32(WHOLE)
    r = multiply_add(whole, np.float32(-0.693359375), held)
    r = multiply_add(whole, np.float32(2.12194440e-4), r)
    p = multiply_add(r, np.float32(1.9875691500e-4), np.float32(1.3981999507e-3))
    p = multiply_add(p, r, np.float32(8.3334519073e-3))
    p = multiply_add(p, r, np.float32(4.1665795894e-2))
    p = multiply_add(p, r, np.float32(1.6666665459e-1))
    p = multiply_add(p, r, np.float32(5.0000001201e-1))
    p = multiply_add(p, r * r, r + np.float32(1.0))
    return zero_below(p * two_to(shifted), x, LEAST_EXPONENT)
