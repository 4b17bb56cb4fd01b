"""Who hears of changes and telemetry, and where each asker wants its replies."""

import threading
from collections.abc import Hashable

from noizenet.errors import ControlError
from noizenet_daemon.messages import Reply, Sender

MOST_SUBSCRIBERS = 64  # scsynth's default, too


class Subscriptions:
    """The subscribers, in the order they came. Any method may be called from any thread.

    A sender that named a port is reached there for everything, replies included: programs such as Max send
    and receive on sockets of their own.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._subscribers: dict[Hashable, tuple[Sender, Hashable]] = {}  # target's key: target, asker's key

    def add(self, asker: Sender, port: int | None) -> int:
        """Subscribes the asker, at another port if one is given, and returns how many there are now.

        Raises:
            ControlError: it is subscribed already, there are too many, or it has no ports.
        """
        target = asker if port is None else asker.on_port(port)
        with self._lock:
            if target.key in self._subscribers:
                raise ControlError("already registered")
            if len(self._subscribers) >= MOST_SUBSCRIBERS:
                raise ControlError(
                    f"there are {MOST_SUBSCRIBERS} subscribers already: one must leave first, with /notify 0"
                )
            self._subscribers[target.key] = (target, asker.key)
            return len(self._subscribers)

    def remove(self, asker: Sender, port: int | None) -> int:
        """Ends the asker's subscription, or that of the port given, and returns how many are left.

        Raises:
            ControlError: there is none.
        """
        key = asker.key if port is None else asker.on_port(port).key
        if not self.forget(key):
            raise ControlError("not registered")
        with self._lock:
            return len(self._subscribers)

    def forget(self, key: Hashable) -> bool:
        """Ends the subscriptions of a sender, if it has any; returns whether it had."""
        with self._lock:
            kept = {
                target_key: entry
                for target_key, entry in self._subscribers.items()
                if key not in (target_key, entry[1])
            }
            had = len(kept) < len(self._subscribers)
            self._subscribers = kept
        return had

    def reached_at(self, sender: Sender) -> Sender:
        """Returns the sender to answer: the asker itself, or the port that it named."""
        with self._lock:
            for target_key, (target, asker_key) in self._subscribers.items():
                if asker_key == sender.key != target_key:
                    return target
        return sender

    def publish(self, reply: Reply, author: Hashable = None) -> None:
        """Sends news to every subscriber but its author."""
        with self._lock:
            targets = [
                target
                for target_key, (target, asker_key) in self._subscribers.items()
                if author is None or author not in (target_key, asker_key)
            ]
        for target in targets:
            target.answer(reply)
