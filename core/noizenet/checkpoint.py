"""Checkpoint format 1: one safetensors file with a JSON header under the metadata key `noizenet`.

Tensors are named by what they belong to:

    network.<name>           weights, as `NetworkShape.tensor_shapes` lists them
    codec.<name>             arrays fitted to the corpus, as the codec lists them
    state.<name>.<array>     named hidden states, from which free running may start
    memory.<name>            what it remembers of its corpus, see `noizenet.memory`; not every checkpoint has one

Loading runs no code from the file, and takes nothing that the header doesn't account for.
"""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from noizenet.atomic_files import write_atomically
from noizenet.codecs import Codec, codec_type
from noizenet.errors import CheckpointError
from noizenet.memory import Memory
from noizenet.network import NetworkShape

FORMAT = 1
METADATA_KEY = "noizenet"
Array = NDArray[Any]
State = dict[str, Array]


@dataclass(frozen=True)
class Checkpoint:
    """Everything that playing needs, and where it came from.

    Attributes:
        network: shape of the network.
        weights: by the names of `network.tensor_shapes()`, float32.
        codec: the codec fitted to the corpus.
        states: named hidden states; each has the arrays of `network.state_shapes()`.
        memory: the corpus' own sound, to play from; None if it has none.
        corpus: for each file of the corpus its `name`, `seconds` and `sha256`.
        training: recipe, options, seed, steps, losses, versions, date.
        licence: terms of the corpus, as the trainer stated them.
        attribution: whom to name.
        fingerprint: SHA-256 of the file; "" before it is saved.
        name: file name without its ending; "" before it is saved.
    """

    network: NetworkShape
    weights: dict[str, Array]
    codec: Codec
    states: dict[str, State] = field(default_factory=dict)
    memory: Memory | None = None
    corpus: list[dict[str, Any]] = field(default_factory=list)
    training: dict[str, Any] = field(default_factory=dict)
    licence: str = ""
    attribution: str = ""
    fingerprint: str = ""
    name: str = ""

    @property
    def sample_rate(self) -> int:
        """Frames per second of what it plays."""
        return self.codec.sample_rate

    @property
    def channels(self) -> int:
        """Channels of what it plays: 1 or 2."""
        return self.codec.channels

    def save(self, path: Path, *, half: bool = False) -> None:
        """Writes the file; an existing one is replaced only when the new one is complete.

        Args:
            half: store numbers in 16 bits: half the size, a relative error of 0.05 % in each.

        Raises:
            CheckpointError: a weight is not finite, or the folder can't be written to.
        """
        from safetensors.numpy import save

        tensors = {f"network.{name}": array for name, array in self.weights.items()}
        tensors |= {f"codec.{name}": array for name, array in self.codec.arrays().items()}
        for state_name, state in self.states.items():
            tensors |= {f"state.{state_name}.{name}": array for name, array in state.items()}
        if self.memory:
            tensors |= {f"memory.{name}": array for name, array in self.memory.arrays().items()}
        kind = np.float16 if half else np.float32
        for name, array in tensors.items():
            with np.errstate(over="ignore"):  # a number too large for 16 bits becomes infinite, and is refused
                stored = np.ascontiguousarray(array, kind if array.dtype.kind == "f" else array.dtype)
            if not np.isfinite(stored).all():
                remedy = ": store it in 32 bits" if half and np.isfinite(array).all() else ""
                raise CheckpointError(f"{path} was not written: its tensor {name} holds NaN or infinity{remedy}")
            tensors[name] = stored
        header = {
            "format": FORMAT,
            "codec": {"name": self.codec.name, "options": self.codec.options()},
            "network": self.network.to_json(),
            "sample_rate": self.sample_rate,
            "channels": self.codec.channels,
            "corpus": self.corpus,
            "training": self.training,
            "licence": self.licence,
            "attribution": self.attribution,
        }
        if self.memory:
            header["memory"] = self.memory.to_json()
        write_atomically(path, save(tensors, {METADATA_KEY: json.dumps(header)}))

    @classmethod
    def load(cls, path: Path) -> "Checkpoint":
        """Returns the checkpoint in a file.

        Raises:
            CheckpointError: the file is missing, cut short, not a checkpoint of format 1, has missing, extra or
                misshapen tensors, or holds NaN or infinity.
        """
        try:
            data = path.read_bytes()
        except OSError as error:
            raise CheckpointError(f"can't read the checkpoint {path}: {error.strerror}") from None
        try:
            tensors, header = _parse(data)
            return cls._build(tensors, header, hashlib.sha256(data).hexdigest(), path.stem)
        except CheckpointError as error:
            raise CheckpointError(f"{path} is refused: {error}") from None

    @classmethod
    def _build(cls, tensors: dict[str, Array], header: dict[str, Any], digest: str, stem: str) -> "Checkpoint":
        network = NetworkShape.from_json(header.get("network"))
        codec_header = header.get("codec")
        if not isinstance(codec_header, dict) or not isinstance(codec_header.get("options"), dict):
            raise CheckpointError("its header describes no codec")
        groups: dict[str, dict[str, Array]] = {"network": {}, "codec": {}, "state": {}, "memory": {}}
        for name, array in tensors.items():
            group, _, rest = name.partition(".")
            if group not in groups:
                raise CheckpointError(f"it holds {name!r}, which is no part of a checkpoint")
            if not np.isfinite(array).all():
                raise CheckpointError(f"its tensor {name} holds NaN or infinity")
            if (
                array.dtype.kind != "f"
                and group != "memory"
                and not (group == "state" and rest.endswith((".last", ".recent")))
            ):
                raise CheckpointError(f"its tensor {name} holds whole numbers")
            groups[group][rest] = array
        check_shapes("network", groups["network"], network.tensor_shapes())
        codec = codec_type(codec_header.get("name")).from_parts(codec_header["options"], groups["codec"])
        if header.get("channels", 1) != codec.channels:
            raise CheckpointError(f"its header says {header.get('channels')!r} channels, its codec {codec.channels}")
        if codec.width != network.state_shapes()["last"][0]:
            raise CheckpointError("its network and its codec don't fit together")
        if codec.classes != network.classes:
            raise CheckpointError("its network and its codec differ in the number of codes")
        states: dict[str, State] = {}
        for name, array in groups["state"].items():
            state_name, _, part = name.rpartition(".")
            states.setdefault(state_name, {})[part] = array
        for state_name, state in states.items():
            check_shapes(f"state {state_name}", state, network.state_shapes())
            for steps in (state[part] for part in ("last", "recent") if part in state):
                if (steps.dtype == np.int32) != (network.head == "categorical"):
                    raise CheckpointError(
                        f"its state {state_name}'s last step holds {steps.dtype}, not what its head puts out"
                    )
                if network.classes and not ((steps >= 0) & (steps < network.classes)).all():
                    raise CheckpointError(f"its state {state_name} holds codes that don't exist")
        memory = None
        if groups["memory"]:
            if codec.name != "tokens":
                raise CheckpointError(f"it has a memory, which the codec {codec.name} can't play from")
            memory = Memory.from_parts(header.get("memory"), groups["memory"], codec, network.hidden)
        return cls(
            network,
            groups["network"],
            codec,
            states,
            memory,
            corpus=header.get("corpus") or [],
            training=header.get("training") or {},
            licence=str(header.get("licence") or ""),
            attribution=str(header.get("attribution") or ""),
            fingerprint=digest,
            name=stem,
        )


def check_shapes(owner: str, arrays: Mapping[str, Array], expected: Mapping[str, tuple[int, ...]]) -> None:
    """Raises CheckpointError unless exactly the expected arrays are there, in the expected shapes."""
    missing = expected.keys() - arrays.keys()
    extra = arrays.keys() - expected.keys()
    if missing or extra:
        what, names = ("lacks", missing) if missing else ("has the unknown", extra)
        raise CheckpointError(f"its {owner} {what} {', '.join(sorted(names))}")
    for name, shape in expected.items():
        if arrays[name].shape != shape:
            raise CheckpointError(f"its {owner}'s {name} has the shape {arrays[name].shape}, not {shape}")


def _parse(data: bytes) -> tuple[dict[str, Array], dict[str, Any]]:
    """Returns the tensors as float32 or int32, and the JSON header."""
    from safetensors import SafetensorError
    from safetensors.numpy import load

    # a safetensors file begins with the length of its JSON header, then the header: any byte may come first
    if data[8:9] != b"{" and (data[:2] == b"PK" or data[:1] == b"\x80"):
        raise CheckpointError("it is a pickle (a PyTorch file), which may run code; a checkpoint is a safetensors file")
    try:
        raw = load(data)
    except (SafetensorError, KeyError, ValueError) as error:
        reason = re.sub(r"(?i)^error while deserializing( header)?:?\s*", "", str(error))
        raise CheckpointError(f"it is cut short or damaged ({reason})") from None
    tensors = {}
    for name, array in raw.items():
        if array.dtype in (np.float16, np.float32):
            tensors[name] = array.astype(np.float32)
        elif array.dtype == np.int32 or (array.dtype == np.uint8 and name == "memory.sound"):
            tensors[name] = array
        else:
            raise CheckpointError(f"its tensor {name} holds {array.dtype}, not float16, float32 or int32")
    header_size = int.from_bytes(data[:8], "little")
    metadata = json.loads(data[8 : 8 + header_size]).get("__metadata__") or {}
    try:
        header = json.loads(metadata[METADATA_KEY])
    except (KeyError, ValueError):
        raise CheckpointError("it has no NoizeNet header: another program wrote it") from None
    if not isinstance(header, dict) or header.get("format") != FORMAT:
        found = header.get("format") if isinstance(header, dict) else header
        raise CheckpointError(f"it is of format {found!r}; this version reads format {FORMAT}")
    return tensors, header
