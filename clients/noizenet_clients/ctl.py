"""`noizenet ctl`: one message to the daemon, and its answer on standard output."""

import argparse
import json
import math

from noizenet.errors import ControlError
from noizenet.parameter import Value
from noizenet.protocol import CONTROL_PORT, OSC_PORT, PREFIX, STATUS_FIELDS
from noizenet_clients.osc import OscTransport
from noizenet_clients.transport import Answer, Transport
from noizenet_clients.zeromq import ZeroMqTransport


def run(options: argparse.Namespace) -> None:
    """Sends the message and prints the answer.

    Raises:
        ControlError: the daemon refuses.
        DeviceError: no daemon is there, or it doesn't answer.
    """
    address = options.address if options.address.startswith("/") else PREFIX + options.address
    transport: Transport
    if options.osc:
        transport = OscTransport(options.host, options.port or OSC_PORT, options.timeout)
    else:
        transport = ZeroMqTransport(options.host, options.port or CONTROL_PORT, options.timeout)
    try:
        answer = transport.ask(address, [parse(text) for text in options.arguments])
    finally:
        transport.close()
    if not answer.ok:
        raise ControlError(f"{address}: {answer.values[-1]}")
    print(as_json(answer) if options.json else as_text(answer))


def parse(text: str) -> Value:
    """Returns an argument as an int, else a float, else text."""
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def as_text(answer: Answer) -> str:
    """Returns the answer as lines: the status as `name value`, anything else as address and values."""
    if answer.address == "/status.reply":
        return "\n".join(f"{name} {_word(v)}" for name, v in zip(STATUS_FIELDS, answer.values, strict=False))
    return "\n".join(" ".join([answer.address, *map(_word, row)]) for row in answer.rows)


def as_json(answer: Answer) -> str:
    """Returns the answer as one JSON object. NaN and infinity, which JSON doesn't have, become null."""
    rows = [[None if isinstance(v, float) and not math.isfinite(v) else v for v in row] for row in answer.rows]
    shown: dict[str, object] = {"address": answer.address, "values": rows[0] if rows else []}
    if len(rows) > 1:
        shown["rows"] = rows
    if answer.data is not None:
        shown["data"] = answer.data
    return json.dumps(shown)


def _word(value: Value) -> str:
    return f"{value:.7g}" if isinstance(value, float) else str(value)
