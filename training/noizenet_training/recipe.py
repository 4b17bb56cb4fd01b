"""Recipes: every option of a training, declared once, as the fields of `Recipe`.

Files, flags and the help text come from that; see `noizenet_training.recipe_reading`.
"""

import dataclasses
from dataclasses import dataclass
from typing import Any, Literal

CODECS = ("tokens", "mulaw", "amplitude", "fft", "spectrum")
TOKENS = ("tokens",)
CATEGORICAL = ("tokens", "mulaw")
MULAW = ("mulaw",)
NUMBERS = ("amplitude", "fft", "spectrum")
FRAMES = ("tokens", "fft")
LEVELS = ("file", "corpus")
LOWEST_RATE = 4000  # Hz
SHORTEST_SPAN = 2.0  # turns: of a gate whose bias is 0
MOST_UNROLL = 1 << 24  # twelve minutes of samples at 22,050 Hz


def _option(
    default: float | str,
    doc: str,
    low: float = 0,
    high: float = 0,
    *,
    choices: tuple[str, ...] = (),
    codecs: tuple[str, ...] = CODECS,
) -> Any:
    """Returns a field of `Recipe` with its range or choices, and the codecs for which it means something."""
    metadata = {"doc": doc, "low": low, "high": high, "choices": choices, "codecs": codecs}
    return dataclasses.field(default=default, metadata=metadata)


def _choice(default: str, doc: str, *choices: str, codecs: tuple[str, ...] = CODECS) -> Any:
    return _option(default, doc, choices=choices, codecs=codecs)


@dataclass(frozen=True)
class Recipe:
    """The options of a training: their meanings are here, sensible values in the files in recipes/."""

    codec: str = _option("tokens", "how sound becomes steps of the network", choices=CODECS)
    sample_rate: int = _option(0, "Hz; 0 = the highest of the corpus, at most 48,000", 0, 96_000)
    channels: int = _option(
        0, "0 = stereo if any file of the corpus is; 1 = mixed down; 2 = stereo", 0, 2, codecs=TOKENS
    )
    level: str = _choice("file", "file: every file to the same peak; corpus: as they are to one another", *LEVELS)
    silence_db: float = _option(
        -50.0, "dB below a file's peak; half a second and more of less is cut out", -120.0, -20.0
    )
    split: str = _choice("time", "hold out stretches of time, or whole files", "time", "file")
    held_out: float = _option(0.1, "share of the corpus that is held out", 0.01, 0.5)

    scaler: str = _choice(
        "zscore",
        "how numbers are scaled: by mean and deviation, to 0..1, by the largest, cut off at 3 deviations, or companded",
        "zscore",
        "minmax",
        "linear",
        "clip",
        "log",
        codecs=NUMBERS,
    )
    features: str = _choice(
        "none",
        "what the network hears and predicts beside the amplitude",
        "none",
        "rms",
        "onset",
        "chroma",
        "all",
        codecs=("amplitude",),
    )
    view: str = _choice(
        "complex",
        "numbers of a spectral frame: real and imaginary parts, log-magnitude and phase advance, or log-magnitude",
        "complex",
        "polar",
        "magnitude",
        codecs=("fft",),
    )
    clip_s: float = _option(
        1.0, "s; the clip whose one transform is read along frequency", 0.01, 60.0, codecs=("spectrum",)
    )

    pre_emphasis: float = _option(
        0.0, "share of the sample before that is taken away before coding, given back after", 0.0, 0.99, codecs=MULAW
    )

    window_s: float = _option(0.093, "s; the spectral window, rounded to a power of two", 0.005, 0.5, codecs=FRAMES)
    overlap: int = _option(4, "windows over each sample; the hop is window / overlap", 4, 16, codecs=FRAMES)
    floor: float = _option(1e-4, "added to magnitudes before the logarithm", 1e-8, 1e-1, codecs=FRAMES)
    axes: int = _option(256, "principal axes that describe a spectral frame", 4, 512, codecs=TOKENS)
    stages: int = _option(4, "codes in a step", 1, 12, codecs=TOKENS)
    classes: int = _option(128, "values of a code; fewer if the corpus can't fill them", 2, 4096, codecs=TOKENS)
    memory_s: float = _option(
        600.0, "s of the corpus that the checkpoint remembers, and can play from; 0 = none", 0.0, 7200.0, codecs=TOKENS
    )
    shifts: int = _option(
        4,
        "readings of the corpus, each shifted by a part of the hop: other codes for the same music",
        1,
        64,
        codecs=FRAMES,
    )

    cell: Literal["rnn", "lstm", "gru", "conv"] = _choice(
        "lstm", "the recurrent cell, or causal convolutions", "rnn", "lstm", "gru", "conv"
    )
    layers: int = _option(2, "recurrent layers", 1, 16)
    hidden: int = _option(256, "units of each layer", 1, 4096)
    spans: float = _option(
        0.0,
        "turns for which the longest-lived units of a new LSTM or GRU remember; 0 = all about as short as 2",
        0.0,
        1e6,
    )
    embedding: int = _option(64, "numbers that a code is embedded in", 1, 1024, codecs=CATEGORICAL)
    head_hidden: int = _option(192, "units between the top layer and a code", 1, 4096, codecs=CATEGORICAL)
    frame: int = _option(
        0,
        "samples between two turns of the cells, above a perceptron for each sample; 0 = no such tiers",
        0,
        1024,
        codecs=MULAW,
    )
    reach: int = _option(32, "last samples that the perceptron sees (frame)", 1, 1024, codecs=MULAW)
    conditioning: int = _option(
        64, "numbers that the cells tell the perceptron of each sample (frame)", 1, 1024, codecs=MULAW
    )
    draws: int = _option(
        0,
        "samples of each frame that the perceptron learns from in one update (frame); 0 = all",
        0,
        1024,
        codecs=MULAW,
    )
    head: str = _choice(
        "linear",
        "linear: the next numbers themselves; gaussian: their mean and deviation, from which they are drawn",
        "linear",
        "gaussian",
        codecs=NUMBERS,
    )

    loss: str = _choice(
        "mse",
        "of the linear head: mean squared, mean absolute, or mean bias error",
        "mse",
        "mae",
        "mbe",
        codecs=NUMBERS,
    )
    feeding: str = _choice(
        "streams",
        "how the corpus is read: many places side by side; whole, in one shot; in windows one after another; or in "
        "windows from random places that know nothing of each other",
        "streams",
        "one_shot",
        "windows",
        "shuffled",
    )
    streams: int = _option(8, "places of the corpus that are read side by side (streams, shuffled)", 1, 1024)
    unroll: int = _option(128, "steps through which errors are propagated back: the window's length", 1, MOST_UNROLL)
    stride: int = _option(0, "steps from one window to the next (windows); 0 = the window's length", 0, MOST_UNROLL)
    optimiser: str = _choice("adamw", "what updates the weights", "adamw", "adam", "sgd", "adadelta")
    momentum: float = _option(0.0, "of sgd", 0.0, 0.999)
    learning_rate: float = _option(2e-3, "at the start", 1e-8, 1e6)
    schedule: str = _choice("decay", "the learning rate falls to a fiftieth, or stays", "decay", "constant")
    weight_decay: float = _option(0.01, "of adamw", 0.0, 10.0)
    clip: float = _option(1.0, "largest norm, or largest value, of the gradient; 0 = any", 0.0, 1e6)
    clip_by: str = _choice("norm", "what clip is the largest of", "norm", "value")
    dropout: float = _option(0.3, "share of activations left out in training", 0.0, 0.9)
    corruption: float = _option(
        0.02,
        "chance that an input code is replaced by any other, with clean targets",
        0.0,
        0.9,
        codecs=CATEGORICAL,
    )
    input_noise: float = _option(
        0.0,
        "deviation of the Gaussian noise on the inputs, of codes in codes, with clean targets",
        0.0,
        10.0,
        codecs=NUMBERS + MULAW,
    )
    softening: float = _option(
        0.0,
        "share of the windows of which a part is heard 50 to 90 dB too soft, with clean targets",
        0.0,
        0.9,
        codecs=MULAW,
    )
    precision: str = _choice(
        "auto",
        "of the network's products: auto = 16 bits on a GPU, single on a CPU",
        "auto",
        "single",
        "bfloat16",
        "float16",
    )
    patience: int = _option(
        0,
        "times that it plays by itself, 16 in a training, without getting better, before training stops; 0 = never",
        0,
        16,
        codecs=TOKENS,
    )
    round_updates: int = _option(25, "updates between two looks at the held-out part", 1, 100_000)
    keep: str = _choice("best", "the weights that held out best, or the last", "best", "last")

    def to_json(self) -> dict[str, Any]:
        """Returns the options that mean something for the codec, for the checkpoint's header."""
        return {
            field.name: getattr(self, field.name)
            for field in dataclasses.fields(self)
            if self.codec in field.metadata["codecs"]
        }


FIELDS = {field.name: field for field in dataclasses.fields(Recipe)}
