"""What an examination finds, and what would help."""

from dataclasses import dataclass
from typing import Literal

Severity = Literal["problem", "note", "good"]


@dataclass(frozen=True)
class Finding:
    """One thing that was looked at.

    Attributes:
        subject: one word for what was looked at.
        severity: a problem keeps the machine from playing live; a note makes it worse than it could be.
        sentence: what was found.
        remedy: what would help; "" of what is good.
    """

    subject: str
    severity: Severity
    sentence: str
    remedy: str = ""

    def __post_init__(self) -> None:
        assert (self.severity == "good") == (not self.remedy), self.sentence

    @property
    def text(self) -> str:
        """The sentence, with its remedy."""
        return f"{self.sentence}: {self.remedy}" if self.remedy else self.sentence
