"""A convolution's memory as a checkpoint holds it, out of the rings that the kernels turn."""

import numpy as np

from making import Array
from noizenet.network import NetworkShape
from noizenet_daemon.kernels.cells import CellState


def cell_oldest_first(shape: NetworkShape, cells: CellState) -> Array:
    """Returns the cell state, (cell_rows, hidden): of a convolution with the rows of each layer oldest first."""
    if shape.cell != "conv":
        return cells.cell
    rings = []
    for layer in range(shape.layers):
        ring = cells.cell[(1 << layer) - 1 : (2 << layer) - 1]
        rings.append(np.roll(ring, -int(cells.position[0]), axis=0))
    return np.concatenate(rings)
