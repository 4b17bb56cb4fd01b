"""From steps to weights: networks, losses, ways of feeding, and the rounds of a training."""
