"""Requests and replies as ZeroMQ carries them: one JSON object each. Whatever is wrong is said in one sentence.

`docs/control.md` describes them. All of these raise `ControlError` for what a client got wrong.
"""

import json
import math
from collections.abc import Mapping
from typing import Any

from noizenet.errors import ControlError
from noizenet.parameter import Value
from noizenet_daemon.messages import Reply

LATEST_TIME = 1e11  # seconds since 1970; beyond every calendar


def decode(frames: list[bytes]) -> dict[str, Any]:
    """Returns the JSON object of a request, whose address is text and whose id is plain."""
    if len(frames) > 3 or any(frames[1:-1]):
        raise ControlError(f"a request is one frame of JSON, not {len(frames) - 1} frames")
    try:
        values = json.loads(frames[-1])
    except (ValueError, RecursionError):
        raise ControlError(f"this is no JSON: {frames[-1][:40]!r}") from None
    if not isinstance(values, dict) or not _is_text(values.get("address")):
        raise ControlError('a request is a JSON object with an "address", such as {"address": "/status"}')
    identity = values.get("id")
    if not (identity is None or isinstance(identity, int | float) or _is_text(identity)):
        raise ControlError('"id" is a number or text')
    return values


def arguments_of(values: dict[str, Any]) -> tuple[Value, ...]:
    """Returns what a request's `arguments` hold: numbers and text."""
    arguments = values.get("arguments", [])
    if not isinstance(arguments, list) or not all(isinstance(v, int | float) or _is_text(v) for v in arguments):
        raise ControlError('"arguments" is a list of numbers and text')
    return tuple(arguments)


def time_of(values: dict[str, Any]) -> float | None:
    """Returns when a request is to take effect, `at`, in seconds since 1970; None = at once."""
    at = values.get("at")
    if at is None:
        return None
    if not isinstance(at, int | float) or not 0 <= at < LATEST_TIME:
        raise ControlError('"at" is a time in seconds since 1970')
    return float(at)


def _is_text(value: object) -> bool:
    """JSON can hold half characters, which no encoding, no path and no OSC message can."""
    return isinstance(value, str) and not any("\ud800" <= letter <= "\udfff" for letter in value)


def encode(reply: Reply, request_id: Any) -> bytes:
    """Returns a reply as JSON, with the id of the request that it answers, if that had one."""
    message: dict[str, Any] = {} if request_id is None else {"id": request_id}
    rows = reply.rows
    message |= {"ok": reply.ok, "address": reply.address, "values": rows[0] if rows else []}
    if len(rows) > 1:
        message["rows"] = rows
    if reply.data is not None:
        message["data"] = reply.data
    if not reply.ok:
        message["error"] = str(rows[0][-1])
    return as_json(message)


def as_json(values: Mapping[str, Any]) -> bytes:
    """Returns values as one JSON object; NaN and infinity, which JSON doesn't know, become null."""
    return json.dumps(_plain(values)).encode()


def _plain(value: Any) -> Any:
    if isinstance(value, float) and not math.isfinite(value):
        return None
    if isinstance(value, Mapping):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value
