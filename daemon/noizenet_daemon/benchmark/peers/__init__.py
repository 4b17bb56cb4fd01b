"""Other ways to step the paper's LSTM: each computes the same network from the same weights, one number at a time.

A peer is a function that makes so many steps and returns what they put out, float32 (steps,), going on where its last
call ended. It feeds each number back, as playing does.
"""
