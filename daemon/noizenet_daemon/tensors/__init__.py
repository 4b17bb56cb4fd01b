"""Blocks of steps as functions of tensors, a row for each voice: what the engines `torch` and `cuda` compute."""
