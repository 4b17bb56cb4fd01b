"""The file beside a checkpoint from which a training that was killed goes on.

It holds tensors and plain values only and is read with `weights_only=True`: reading it runs no code.
"""

import io
import pickle
from pathlib import Path
from typing import Any

import torch

from noizenet.atomic_files import write_atomically
from noizenet.codecs import Codec, codec_type
from noizenet.errors import CheckpointError, InputFileError, UsageError
from noizenet_training.learning.fitting import Fitting

FORMAT = 3


def resume_path(out: Path) -> Path:
    """Returns where the file lies for a checkpoint."""
    return out.with_name(out.name + ".resume")


def save_resume(path: Path, identity: dict[str, Any], codec: Codec, fitting: Fitting, elapsed_s: float) -> None:
    """Writes the file, all or nothing.

    Args:
        identity: what must be the same for the training to go on: corpus, recipe, seed.
    """
    buffer = io.BytesIO()
    plain = {
        "format": FORMAT,
        "identity": identity,
        "codec": {
            "name": codec.name,
            "options": codec.options(),
            "arrays": {name: torch.from_numpy(array) for name, array in codec.arrays().items()},
        },
        "fitting": fitting.to_plain(),
        "elapsed_s": elapsed_s,
    }
    torch.save(plain, buffer)
    write_atomically(path, buffer.getvalue())


def load_resume(path: Path, identity: dict[str, Any]) -> tuple[Codec, dict[str, Any], float] | None:
    """Returns the codec, what `Fitting.take_up` takes, and the seconds spent; None if there is no file.

    Raises:
        InputFileError: the file is damaged.
        UsageError: it belongs to another corpus, recipe or seed.
    """
    try:
        data = path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise InputFileError(f"can't read {path}: {error.strerror}") from None
    remedy = "delete it, or train without --resume"
    try:
        plain = torch.load(io.BytesIO(data), weights_only=True, map_location="cpu")
        if plain["format"] != FORMAT:
            raise InputFileError(f"{path} is of format {plain['format']!r}, not {FORMAT}: {remedy}")
        known = plain["identity"]
        about = plain["codec"]
        arrays = {name: tensor.numpy() for name, tensor in about["arrays"].items()}
        codec = codec_type(about["name"]).from_parts(about["options"], arrays)
        fitting, elapsed_s = plain["fitting"], float(plain["elapsed_s"])
    except (pickle.UnpicklingError, RuntimeError, KeyError, TypeError, EOFError, ValueError, CheckpointError):
        raise InputFileError(f"{path} is damaged, and training can't go on from it: {remedy}") from None
    for what, value in identity.items():
        if known.get(what) != value:
            difference = _difference(known.get(what), value)
            raise UsageError(f"{path} belongs to a training with another {what}{difference}: {remedy}")
    return codec, fitting, elapsed_s


def _difference(known: object, value: object) -> str:
    """Returns, for options, the first that differs."""
    if not isinstance(known, dict) or not isinstance(value, dict):
        return ""
    names = [name for name in value if known.get(name) != value[name]]
    return f" ({names[0]} was {known.get(names[0])!r}, not {value[names[0]]!r})" if names else ""
