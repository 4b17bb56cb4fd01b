"""NoizeNet's core: what training, daemon and clients share.

Errors, the control vocabulary, the audio message, the checkpoint format and the codecs. It imports none of
the other packages, and nothing here needs torch.
"""
