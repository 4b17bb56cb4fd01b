"""OSC address patterns, matched without backtracking.

A pattern reaches parameters only: `/noizenet/*` must never fade out and stop the daemon.
Source: OSC 1.0, "OSC Message Dispatching and Pattern Matching".
"""

from functools import lru_cache

from noizenet.addresses import LONGEST, known_addresses

WILDCARDS = frozenset("*?[{")


def is_pattern(address: str) -> bool:
    """Returns whether an address holds wildcards."""
    return not WILDCARDS.isdisjoint(address)


@lru_cache(maxsize=256)
def expand(pattern: str, voices: int) -> tuple[str, ...]:
    """Returns the addresses of parameters that a pattern means; none if it is malformed or too long."""
    if len(pattern) > LONGEST:
        return ()
    parts = pattern.split("/")
    return tuple(
        address
        for address in known_addresses(voices)
        if len(words := address.split("/")) == len(parts)
        and all(matches(part, word) for part, word in zip(parts, words, strict=True))
    )


def matches(pattern: str, word: str) -> bool:
    """Returns whether one part of an address fits a pattern of `*`, `?`, `[a-z]`, `[!a-z]` and `{one,two}`.

    It follows all ways through the word at once, as a set of places reached: pattern length times word length
    at worst, where a regular expression with many stars takes seconds.
    """
    places = {0}
    start = 0
    while start < len(pattern) and places:
        mark = pattern[start]
        if mark == "*":
            places = set(range(min(places), len(word) + 1))
            start += 1
            continue
        inside = {place for place in places if place < len(word)}
        if mark == "?":
            places = {place + 1 for place in inside}
            start += 1
            continue
        if mark in "[{":
            end = pattern.find("]" if mark == "[" else "}", start)
            if end < 0:
                return False
            content = pattern[start + 1 : end]
            if mark == "[":
                places = {place + 1 for place in inside if _in_class(content, word[place])}
            else:
                ends = content.split(",")
                places = {place + len(e) for place in places for e in ends if word.startswith(e, place)}
            start = end + 1
            continue
        places = {place + 1 for place in inside if word[place] == mark}
        start += 1
    return len(word) in places


def _in_class(content: str, letter: str) -> bool:
    negated = content.startswith("!")
    letters = content[1:] if negated else content
    found = False
    start = 0
    while start < len(letters):
        if letters[start + 1 : start + 2] == "-" and start + 2 < len(letters):
            found |= letters[start] <= letter <= letters[start + 2]
            start += 3
        else:
            found |= letters[start] == letter
            start += 1
    return found != negated
