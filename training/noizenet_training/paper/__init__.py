"""The paper's experiments: what they are (data), how they are run, and the report of what came of them.

The paper: Liam Watson, "Noize net: investigation into novel music generation using recurrent models", 2021.
"""
