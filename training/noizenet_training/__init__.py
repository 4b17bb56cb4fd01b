"""Training: from a folder of sound to a checkpoint. Meets the daemon only in the checkpoint."""
