"""The losses of single updates, as many as fit into a checkpoint's header."""

import math
from typing import Any

MOST = 2000  # entries, before every second one is let go
GOLDEN = (math.sqrt(5.0) - 1.0) / 2.0

Entry = tuple[int, float, int | None]


class UpdateHistory:
    """A thinned list of (update, loss, song); the song is None where a batch comes from several.

    An update is kept if the fractional part of (update x golden ratio) is below a share, which is halved when the
    list grows too long. These parts fall evenly, whatever the period in which the songs come round: to keep each
    fourth update of four songs would keep one song.

    Source: Weyl, "Über die Gleichverteilung von Zahlen mod. Eins", 1916, for the even spread of n x irrational.
    """

    def __init__(self, entries: list[Entry] | None = None, share: float = 1.0) -> None:
        self.entries: list[Entry] = entries or []
        self._share = share

    def add(self, update: int, loss: float, song: int | None) -> None:
        """Takes note of an update's loss, if it is one to be kept."""
        if not self._is_kept(update):
            return
        self.entries.append((update, loss, song))
        if len(self.entries) > MOST:
            self._share /= 2.0
            self.entries = [entry for entry in self.entries if self._is_kept(entry[0])]

    def columns(self) -> dict[str, list[Any]]:
        """Returns `updates`, `losses` to five digits, and `songs`, for the checkpoint's header."""
        updates, losses, songs = zip(*self.entries, strict=True) if self.entries else ((), (), ())
        return {"updates": list(updates), "losses": [float(f"{loss:.5g}") for loss in losses], "songs": list(songs)}

    def to_plain(self) -> dict[str, Any]:
        """Returns what `from_plain` takes, for the resume file."""
        return {"entries": [list(entry) for entry in self.entries], "share": self._share}

    @classmethod
    def from_plain(cls, plain: dict[str, Any]) -> "UpdateHistory":
        """Returns the history as it was when `to_plain` was called."""
        return cls([(update, loss, song) for update, loss, song in plain["entries"]], plain["share"])

    def _is_kept(self, update: int) -> bool:
        return update * GOLDEN % 1.0 < self._share
