"""`noizenet inspect`: what is in a checkpoint."""

import argparse
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

from noizenet.cli import Subcommand

if TYPE_CHECKING:
    from noizenet.checkpoint import Checkpoint

LABEL_WIDTH = 13


def describe(checkpoint: "Checkpoint", size: int) -> dict[str, Any]:
    """Returns what is known of a checkpoint, in plain values that JSON can hold.

    Args:
        size: of its file, bytes.
    """
    from noizenet.codecs import steps_per_second

    codec, network = checkpoint.codec, checkpoint.network
    shown = {name: value for name, value in network.to_json().items() if value != 0}
    return {
        "name": checkpoint.name,
        "sha256": checkpoint.fingerprint,
        "bytes": size,
        "sample_rate": codec.sample_rate,
        "channels": codec.channels,
        "steps_per_second": steps_per_second(codec),
        "codec": {"name": codec.name, "width": codec.width, "classes": codec.classes, **codec.options()},
        "network": {**shown, "weights": sum(array.size for array in checkpoint.weights.values())},
        "states": sorted(checkpoint.states),
        "memory": {"seconds": checkpoint.memory.seconds, **checkpoint.memory.to_json()} if checkpoint.memory else {},
        "corpus": {
            "seconds": sum(_number(entry.get("seconds")) for entry in _entries(checkpoint.corpus)),
            "files": _entries(checkpoint.corpus),
        },
        "training": checkpoint.training if isinstance(checkpoint.training, dict) else {},
        "licence": checkpoint.licence,
        "attribution": checkpoint.attribution,
    }


def as_text(about: dict[str, Any]) -> str:
    """Returns a description as `describe` makes it, for people."""
    codec, network, memory, corpus = about["codec"], about["network"], about["memory"], about["corpus"]
    step = f"{codec['width']} codes of {codec['classes']}" if codec["classes"] else f"{codec['width']} numbers"
    channels = "mono" if about["channels"] == 1 else "stereo"
    lines = [
        ("checkpoint", f"{about['name']}, {about['bytes'] / 1e6:.2f} MB, SHA-256 {about['sha256']}"),
        ("sound", f"{about['sample_rate']} Hz, {channels}, {about['steps_per_second']:.10g} steps per second"),
        ("codec", f"{codec['name']}: a step is {step}"),
        (
            "network",
            f"{network['cell']}, {_several(network['layers'], 'layer')} of {network['hidden']}, "
            f"{network['head']} head, {_tiers(network)}{network['weights']} weights",
        ),
        ("states", _several(len(about["states"]), "state") + _listed(about["states"])),
        ("memory", "{seconds:.1f} s, a departure every {pace_s:g} s".format(**memory) if memory else "none"),
        ("corpus", f"{_several(len(corpus['files']), 'file')}, {corpus['seconds']:.1f} s"),
    ]
    for entry in corpus["files"]:
        seconds, digest = _number(entry.get("seconds")), str(entry.get("sha256", ""))
        lines.append(("", f"{entry.get('name', '?')}, {seconds:.1f} s, SHA-256 {digest[:16]}"))
    lines.append(("training", "not recorded" if not about["training"] else ""))
    lines += [("", f"{name} {_brief(value)}") for name, value in about["training"].items()]
    lines.append(("licence", about["licence"] or "not stated"))
    lines.append(("attribution", about["attribution"] or "not stated"))
    return "\n".join(f"{label:<{LABEL_WIDTH}}{_one_line(text)}".rstrip() for label, text in lines)


def _tiers(network: dict[str, Any]) -> str:
    """Returns how the tiers of a network of two share the steps."""
    if "frame" not in network:
        return ""
    return f"a turn every {network['frame']} steps above a perceptron over {network['reach']}, "


def _entries(corpus: object) -> list[dict[str, Any]]:
    """Returns the corpus' files; whatever else a header says there is left out."""
    return [entry for entry in corpus if isinstance(entry, dict)] if isinstance(corpus, list) else []


def _number(value: object) -> float:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else 0.0


def _several(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _listed(names: list[str]) -> str:
    shown = ", ".join(names[:8]) + (", ..." if len(names) > 8 else "")
    return f": {shown}" if names else ""


def _brief(value: object) -> str:
    """Returns a value on one line; of a list only how long it is and how it ends."""
    if isinstance(value, list) and len(value) > 4:
        return f"{len(value)} values, the last {json.dumps(value[-1])}"
    if isinstance(value, dict) and any(isinstance(entry, list) for entry in value.values()):
        return ", ".join(f"{name}: {_brief(entry)}" for name, entry in value.items())
    return value if isinstance(value, str) else json.dumps(value)


def _one_line(text: str) -> str:
    """Returns text without control characters: a header is written by strangers, a terminal obeys escapes."""
    return "".join(letter if letter.isprintable() else " " for letter in text)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("checkpoint", type=Path, metavar="M", help="a .safetensors file")
    parser.add_argument("--json", action="store_true", help="print one JSON object")


def _run(arguments: argparse.Namespace) -> None:
    from noizenet.checkpoint import Checkpoint

    path: Path = arguments.checkpoint
    about = describe(Checkpoint.load(path), path.stat().st_size)
    print(json.dumps(about, indent=2) if arguments.json else as_text(about))


COMMAND = Subcommand("Show what is in a checkpoint.", _configure, _run)
