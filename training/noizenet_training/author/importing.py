"""`noizenet import`: a state dict of the paper's own program becomes a checkpoint like any other.

Such a file holds the weights of one recurrent module, named `lstm`, `rnn` or `gru`, and of the linear layer `fc`; no
more. What else playing needs comes from sound like that which the network was trained on: the z-score, which the
program fitted to each song anew, and the hidden states to start from. A network over Fourier coefficients can't be
told from one over amplitudes; it is taken for the latter.
"""

import hashlib
import io
import pickle
import warnings
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from noizenet.checkpoint import Checkpoint, check_shapes
from noizenet.codecs import Codec
from noizenet.codecs.amplitude import AmplitudeCodec
from noizenet.codecs.scaling import zscore
from noizenet.errors import CheckpointError
from noizenet.network import NetworkShape
from noizenet_training.checkpoint_writing import versions
from noizenet_training.codecs.codec_fitting import fit_codec
from noizenet_training.learning.networks import Network
from noizenet_training.recipe import Recipe
from noizenet_training.sounds.corpus import Corpus, load_corpus
from noizenet_training.starts import MOST_HEARD, start_states
from noizenet_training.task import check_writable

Array = NDArray[Any]

CELLS = ("lstm", "rnn", "gru")
HEAD = "fc"
ASSUMED_DEVIATION = 0.2  # -14 dBFS: about the RMS of mastered music


def import_weights(source: Path, out: Path, like: Sequence[Path], sample_rate: int) -> Checkpoint:
    """Writes a state dict as a checkpoint, and returns it.

    Args:
        like: sound files and folders, for the z-score and the start states; empty = mean 0, deviation
            `ASSUMED_DEVIATION`, and silence.
        sample_rate: at which the network was trained, Hz.

    Raises:
        CheckpointError: the file can't be read or isn't a state dict of such a network.
        UsageError, InputFileError: `out` can't be written.
        SoundFileError: nothing in `like` can be used.
    """
    check_writable(out)
    try:
        data = source.read_bytes()
    except OSError as error:
        raise CheckpointError(f"can't read {source}: {error.strerror}") from None
    try:
        network, weights = read_state_dict(data)
    except CheckpointError as error:
        raise CheckpointError(f"can't import {source}: {error}") from None
    codec: Codec = AmplitudeCodec(sample_rate, zscore(0.0, ASSUMED_DEVIATION))
    sounds: list[Array] = [np.zeros(MOST_HEARD, np.float32)]
    corpus: Corpus | None = None
    if like:
        recipe = Recipe(codec="amplitude", sample_rate=sample_rate, level="corpus", silence_db=-120.0)
        corpus = load_corpus(like, recipe)
        sounds = [file.samples for file in corpus.files]
        codec = fit_codec(recipe, sounds, sample_rate, seed=0)
    hearing = Network(network)
    hearing.load_weights(weights)
    checkpoint = Checkpoint(
        network,
        weights,
        codec,
        start_states(hearing, [codec.encode(codec.new_encoder_state(), samples) for samples in sounds]),
        training={
            "recipe": "imported",
            "file": source.name,
            "sha256": hashlib.sha256(data).hexdigest(),
            "like": corpus.to_json() if corpus else [],
            "date": datetime.now(UTC).isoformat(timespec="seconds"),
            "versions": versions(),
        },
    )
    checkpoint.save(out)
    return checkpoint


def read_state_dict(data: bytes) -> tuple[NetworkShape, dict[str, Array]]:
    """Returns shape and weights of the network in the bytes of a file, by a checkpoint's names. Runs no code from it.

    Raises:
        CheckpointError: it holds something else, or what isn't finite.
    """
    tensors = _tensors(_load(data))
    broken = [name for name, array in tensors.items() if not np.isfinite(array).all()]
    if broken:
        raise CheckpointError(
            f"{len(broken)} of its {len(tensors)} tensors hold NaN or infinity, {broken[0]} first: "
            "its training diverged, and nothing is left to play"
        )
    shape = _shape(tensors)
    names = {_their_name(name, shape.cell): name for name in shape.tensor_shapes()}
    expected = shape.tensor_shapes()
    check_shapes("network", tensors, {theirs: expected[ours] for theirs, ours in names.items()})
    return shape, {ours: tensors[theirs] for theirs, ours in names.items()}


def _load(data: bytes) -> object:
    """Returns what a file of torch.save holds, if that is nothing but tensors and plain values."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of old or odd pickles: what matters is whether they can be read
            return cast(object, torch.load(io.BytesIO(data), map_location="cpu", weights_only=True))
    except pickle.UnpicklingError:
        asked = _globals(data)
        if any(name.startswith("torch.nn.modules.") for name in asked):
            raise CheckpointError(
                "it holds a whole network, which is code beside the weights: save its state_dict() instead"
            ) from None
        if asked:
            raise CheckpointError(
                f"it would run {asked[0]} when it is loaded; only weights are taken, as state_dict() returns them"
            ) from None
        raise CheckpointError(
            "it holds more than weights, or torch.save didn't write it: save the network's state_dict() alone"
        ) from None
    except Exception:  # of what isn't such a file, the reader raises almost anything
        raise CheckpointError("it is not a file that torch.save wrote, or it is cut short") from None


def _globals(data: bytes) -> list[str]:
    """Returns the functions and classes beyond tensors that a file asks for; none if it can't be told."""
    try:
        return sorted(torch.serialization.get_unsafe_globals_in_checkpoint(io.BytesIO(data)))
    except Exception:  # an older format, or no format at all
        return []


def _tensors(loaded: object) -> dict[str, Array]:
    """Returns a state dict's tensors as float32 arrays."""
    if not isinstance(loaded, Mapping) or not loaded:
        raise CheckpointError(f"it holds a {type(loaded).__name__}, not a state dict: save the network's state_dict()")
    tensors = {}
    for name, tensor in loaded.items():
        if not (isinstance(tensor, Tensor) and tensor.is_floating_point() and _is_plain(tensor)):
            raise CheckpointError(f"its entry {name!r} is no tensor of weights: save the network's state_dict() alone")
        tensors[str(name)] = np.ascontiguousarray(tensor.detach().to(torch.float32).numpy())
    return tensors


def _is_plain(tensor: Tensor) -> bool:
    """Returns whether a tensor's numbers are there, one after another."""
    return tensor.layout == torch.strided and tensor.device.type == "cpu"


def _shape(tensors: Mapping[str, Array]) -> NetworkShape:
    """Returns the shape that a state dict's own shapes speak of; whether all of them agree is yet to be checked."""
    cells = [cell for cell in CELLS if f"{cell}.weight_hh_l0" in tensors]
    if len(cells) != 1:
        found = ", ".join(list(tensors)[:3])
        raise CheckpointError(f"it needs one recurrent module named lstm, rnn or gru, and fc; it holds {found}, ...")
    cell = cells[0]
    recurrent, head = tensors[f"{cell}.weight_hh_l0"], tensors.get(f"{HEAD}.weight")
    if head is not None and head.shape[0] != 1:
        raise CheckpointError(f"its network predicts {head.shape[0]} numbers a step; only one, the amplitude, is taken")
    described = {
        "cell": cell,
        "layers": sum(name.startswith(f"{cell}.weight_ih_l") for name in tensors),
        "hidden": recurrent.shape[-1],
        "head": "linear",
        "features": 1,
    }
    return NetworkShape.from_json(described)


def _their_name(name: str, cell: str) -> str:
    """Returns the paper's program's name of a weight."""
    group, _, rest = name.partition(".")
    return f"{cell}.{rest}" if group == "rnn" else f"{HEAD}.{rest.removeprefix('0.')}"
