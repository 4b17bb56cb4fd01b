"""The console: carries out the control vocabulary, whichever way a message came in.

Threads. `submit` runs on the adapters' threads: it turns parameters and carries out quick commands at once.
Slow commands (`load`, `prime`) run one after another on the thread "slow commands", and `/sync` waits there
behind them. Commands with a future time wait on the thread "timed commands", which hands the slow ones over
when they are due: a checkpoint being loaded never holds up a state that is to be recalled on the beat.
"""

import logging
import threading
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from noizenet.addresses import LONGEST, Knob, address_of, parse_address
from noizenet.errors import ControlError, NoizeNetError
from noizenet.parameter import Value
from noizenet.protocol import COMMANDS, PARAMETERS, STATUS_FIELDS, Command
from noizenet_daemon.instrument import Instrument
from noizenet_daemon.messages import Reply, Request
from noizenet_daemon.refusals import Refusals
from noizenet_daemon.schedule import AT_ONCE, Schedule
from noizenet_daemon.subscriptions import Subscriptions

MOST_SLOW = 256  # slow commands and syncs that may wait
MOST_TIMED = 4096  # messages that may wait for their time
FARTHEST_S = 24 * 3600.0  # no message may be timed later than this
LONGEST_TEXT = 4096  # characters of a path or name
LONGEST_REASON = 1000  # characters, so that the reply still fits a datagram

_log = logging.getLogger("noizenet.control")


class Console:
    """Carries out requests on an instrument and answers them. Any method may be called from any thread."""

    def __init__(self, instrument: Instrument) -> None:
        self._instrument = instrument
        self._subscriptions = Subscriptions()
        self._refusals = Refusals("control")
        self._turning = threading.Lock()  # changes are announced in the order in which they are made
        self._slow = Schedule("slow commands", MOST_SLOW)
        self._timed = Schedule("timed commands", MOST_TIMED)
        self._actions: dict[str, Callable[[Request], Reply]] = {
            "load": self._load,
            "prime": self._prime,
            "reset": self._reset,
            "panic": self._panic,
            "state/save": self._save_state,
            "state/recall": self._recall_state,
            "record/start": self._start_recording,
            "record/stop": self._stop_recording,
            "status": self._status,
            "notify": self._notify,
            "sync": self._sync,
            "parameters": self._parameters,
            "quit": self._quit,
        }
        assert self._actions.keys() == COMMANDS.keys()

    @property
    def voices(self) -> int:
        """Number of voices that can be addressed."""
        return self._instrument.voices

    def submit(self, request: Request) -> None:
        """Carries a request out, now or when it is due, and answers its sender. Never raises."""
        self._attempt(request, self._take)

    def publish(self, reply: Reply) -> None:
        """Sends news, such as telemetry, to every subscriber."""
        self._subscriptions.publish(reply)

    def forget(self, key: object) -> None:
        """Ends the subscriptions of a sender that can no longer be reached."""
        self._subscriptions.forget(key)

    def close(self) -> None:
        """Ends both threads; what still waits is dropped."""
        self._timed.close()
        self._slow.close()

    def _attempt(self, request: Request, work: Callable[[Request], Reply | None]) -> None:
        """Answers with what `work` returns, or with what is wrong."""
        try:
            reply = work(request)
        except NoizeNetError as error:
            reply = self._fail(request, str(error))
        except Exception as error:  # a fault of ours must not end a control thread, nor stop the sound
            _log.debug("carrying out %s failed", request.address, exc_info=True)
            reply = self._fail(request, f"it failed inside the daemon: {type(error).__name__}: {error}")
        if reply is not None:
            self._subscriptions.reached_at(request.sender).answer(reply)

    def _fail(self, request: Request, reason: str) -> Reply:
        address, reason = request.address[:LONGEST], reason[:LONGEST_REASON]
        self._refusals.add(f"{address}: {reason}")
        return Reply("/fail", ((address, reason),))

    def _take(self, request: Request) -> Reply | None:
        target = parse_address(request.address)
        now = time.time()
        if request.at is not None and request.at - now > FARTHEST_S:
            raise ControlError(f"a message can be timed {FARTHEST_S / 3600:g} hours ahead, no more")
        if isinstance(target, Knob):
            return self._turn(target, request)
        target.check_count(request.arguments)
        start = partial(self._start, target)
        if request.at is not None and request.at > now:
            self._timed.put(request.at, partial(self._attempt, request, start))
            return None
        return start(request)

    def _start(self, command: Command, request: Request) -> Reply | None:
        action = self._actions[command.name]
        if command.synchronous and command.name != "sync":
            return action(request)
        self._slow.put(AT_ONCE, partial(self._attempt, request, action))
        return None

    def _turn(self, knob: Knob, request: Request) -> Reply:
        parameter, voice = knob.parameter, knob.voice
        if voice is not None and voice > self._instrument.voices:
            raise ControlError(f"there is no voice {voice}: {self._instrument.voices} playing, counted from 1")
        if len(request.arguments) > 1:
            raise ControlError(f"{parameter.name} takes one value, not {len(request.arguments)} of them")
        if not request.arguments:
            value = self._instrument.get(parameter.name, voice or 1)
            shown = parameter.to_normalised(value) if knob.normalised else value
            return Reply(request.address, ((shown,),))
        take = parameter.from_normalised if knob.normalised else parameter.coerce
        value, remark = take(request.arguments[0])
        news = Reply(knob.plain_address, ((value,),))
        announce = partial(self._subscriptions.publish, news, request.sender.key)
        with self._turning:
            self._instrument.set(parameter.name, value, voice, request.at)
            if request.at is None or request.at <= time.time():
                announce()
            else:
                self._announce_later(request.at, announce)
        shown = parameter.to_normalised(value) if knob.normalised else value
        return Reply(request.address, ((shown, remark),)) if remark else Reply(request.address, ((shown,),), quiet=True)

    def _announce_later(self, at: float, announce: Callable[[], None]) -> None:
        try:
            self._timed.put(at, announce)
        except ControlError as error:  # the change itself is made; only the news of it is lost
            self._refusals.add(f"a change is not announced: {error}")

    def _load(self, request: Request) -> Reply:
        path = Path(_text(request, "a path")).expanduser()
        return _done(request, self._instrument.load(path))

    def _prime(self, request: Request) -> Reply:
        return _done(request, self._instrument.prime(_text(request, "a sound file or kind of noise")))

    def _reset(self, request: Request) -> Reply:
        self._instrument.reset()
        return _done(request)

    def _panic(self, request: Request) -> Reply:
        with self._turning:
            self._instrument.panic()
            self._subscriptions.publish(Reply(address_of("mute"), ((True,),)))
        return _done(request)

    def _save_state(self, request: Request) -> Reply:
        self._instrument.save_state(_text(request, "a name"))
        return _done(request)

    def _recall_state(self, request: Request) -> Reply:
        self._instrument.recall_state(_text(request, "a name"))
        return _done(request)

    def _start_recording(self, request: Request) -> Reply:
        return _done(request, str(self._instrument.start_recording(_text(request, "a file name"))))

    def _stop_recording(self, request: Request) -> Reply:
        path, seconds = self._instrument.stop_recording()
        return _done(request, str(path), seconds)

    def _status(self, _request: Request) -> Reply:
        status = self._instrument.status()
        return Reply("/status.reply", (tuple(status[field] for field in STATUS_FIELDS),), dict(status))

    def _notify(self, request: Request) -> Reply:
        on, *rest = (_whole_number(value) for value in request.arguments)
        port = rest[0] if rest else None
        if on not in (0, 1):
            raise ControlError(f"notify takes 1 (on) or 0 (off), not {request.arguments[0]!r}")
        if port is not None and not 1 <= port <= 65535:
            raise ControlError(f"a port is a number from 1 to 65535, not {port}")
        act = self._subscriptions.add if on else self._subscriptions.remove
        return _done(request, act(request.sender, port))

    def _sync(self, request: Request) -> Reply:
        return Reply("/synced", (request.arguments,))

    def _parameters(self, _request: Request) -> Reply:
        described = [parameter.describe() for parameter in PARAMETERS.values()]
        data: list[dict[str, Any]] = [
            {**values, "choices": list(parameter.choices)}
            for values, parameter in zip(described, PARAMETERS.values(), strict=True)
        ]
        return Reply("/parameters.reply", tuple(tuple(values.values()) for values in described), data)

    def _quit(self, request: Request) -> Reply:
        self._instrument.quit()
        return _done(request)


def _done(request: Request, *results: Value) -> Reply:
    return Reply("/done", ((request.address, *results),))


def _text(request: Request, expected: str) -> str:
    """Returns the only argument as text; a number becomes its digits, as patches send names such as 1.0."""
    value = request.arguments[0]
    text = f"{value:g}" if isinstance(value, float) else str(value)
    if not text or "\0" in text or len(text) > LONGEST_TEXT:
        raise ControlError(f"{request.address} takes {expected} of 1 to {LONGEST_TEXT} characters, not {text[:40]!r}")
    return text


def _whole_number(value: Value) -> int:
    if isinstance(value, str) or value != value or abs(value) > 1e9 or int(value) != value:
        raise ControlError(f"notify takes whole numbers, not {value!r}")
    return int(value)
