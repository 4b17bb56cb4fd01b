"""Training: from a folder of sound to a checkpoint. Meets the daemon only in the checkpoint.

    sounds     files and the Free Music Archive -> corpus
    codecs     corpus -> fitted codec
    learning   steps -> weights: networks, losses, ways of feeding, rounds
    judging    sound -> alive or stuck, and how far from its corpus
    pictures   of sounds, of losses, and the paper's figures
    author     what the paper's author published: weights, and the loops of his program
    sweeps     many trainings side by side
    paper      the paper's experiments and claims, and the report

The modules beside them make one training of it all: `task` says what is asked for, `recipe` with which options, and
`run` does it.
"""
