"""Fitting codecs to a corpus."""
