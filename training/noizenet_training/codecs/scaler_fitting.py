"""Fitting a scaler to the training part of a corpus, block by block, with scikit-learn's scalers."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.preprocessing import MaxAbsScaler, MinMaxScaler, StandardScaler

from noizenet.codecs.scaling import Scaler

Array = NDArray[Any]

# What is smaller would become 0 in a checkpoint of 16 bits. A number that never changes keeps scikit-learn's scale, 1.
LEAST_SCALE = 1e-6


def fit_scaler(kind: str, blocks: Iterable[Array]) -> Scaler:
    """Returns the scaler of a kind of `noizenet.codecs.scaling`, fitted to blocks of steps (n, width).

    Blocks without a step count for nothing; one step at least must be there.
    """
    fitted = {"minmax": MinMaxScaler, "linear": MaxAbsScaler, "log": MaxAbsScaler}.get(kind, StandardScaler)()
    for block in blocks:
        if len(block):
            fitted.partial_fit(block)
    if kind == "minmax":
        shift, scale = fitted.data_min_, 1.0 / fitted.scale_
    elif kind in ("linear", "log"):
        shift, scale = np.zeros_like(fitted.scale_), fitted.scale_
    else:
        shift, scale = fitted.mean_, fitted.scale_
    return Scaler(kind, np.asarray(shift, np.float32), np.maximum(scale, LEAST_SCALE).astype(np.float32))
