"""`noizenet bench`: how fast this machine plays each recipe, beside other programs and the machine's own limits.

    worker (a process of its own) -> ceilings | playing (a recipe) | sizes (an LSTM, beside peers) -> bench -> table

Each measurement runs in a process of its own that computes with one thread: its memory is its own, and what one
library leaves behind doesn't slow another.
"""
