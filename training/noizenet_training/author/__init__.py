"""What the paper's author published: his weights, and his program's loops."""
