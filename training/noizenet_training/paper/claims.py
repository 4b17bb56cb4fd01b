"""The paper's claims, in claims.toml, each with its verdict."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from noizenet_training.paper.plan import read_data
from noizenet_training.paper.rules import RULES, Verdict
from noizenet_training.paper.running import Results


@dataclass(frozen=True)
class Claim:
    """A claim of the paper, and whether it held here.

    Attributes:
        section: of the paper.
        implied: the paper doesn't say it in so many words, or only recommends to look.
        ours: it is the project's own.
        rule: in words, how it was decided.
    """

    section: str
    says: str
    verdict: Verdict
    implied: bool
    ours: bool
    rule: str


Claims = Sequence[Claim]


def judge(results: Results) -> list[Claim]:
    """Returns every claim with its verdict."""
    return [
        Claim(
            told["section"],
            told["says"],
            RULES[told["rule"]](results.about(told["of"]), told),
            told.get("implied", False),
            told.get("ours", False),
            _rule_in_words(told),
        )
        for told in read_data("claims.toml")["claims"]
    ]


def _rule_in_words(told: dict[str, Any]) -> str:
    """Returns the rule's sentence with the claim's own numbers."""
    sentence = (RULES[told["rule"]].__doc__ or "").strip().splitlines()[0]
    for name in ("least", "most"):
        if name in told:
            sentence = sentence.replace(f"`{name}`", f"{told[name]:g}")
    return sentence
