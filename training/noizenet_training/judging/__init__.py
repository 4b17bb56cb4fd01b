"""What a sound is like: alive or stuck, and how far from its corpus."""
