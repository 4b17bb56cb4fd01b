"""The numba kernels: networks stepped on one core, without allocation and without Python."""
