"""Sound files as the corpus that a training reads."""
