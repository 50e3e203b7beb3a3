"""Keeps documents small whatever jobs say: texts are cut by what they take as HTML. Pure."""

from collections.abc import Sequence

_ESCAPED = {"&": 5, "<": 4, ">": 4, '"': 5, "'": 5}
"""How many bytes these take once they are escaped."""
ELLIPSIS = "…"


def size_bytes(text: str) -> int:
    """How long a text is in a document."""
    return sum(_ESCAPED.get(letter) or len(letter.encode("utf-8", "replace")) for letter in text)


def shorten(text: str, limit_bytes: int) -> str:
    """Cut a text.

    Args:
        text: any.
        limit_bytes: what it may take in a document; 3 or more, for an ellipsis.
    """
    if len(text) * 5 <= limit_bytes or size_bytes(text) <= limit_bytes:
        return text
    left = limit_bytes - size_bytes(ELLIPSIS)
    for place, letter in enumerate(text):
        left -= size_bytes(letter)
        if left < 0:
            return text[:place].rstrip() + ELLIPSIS
    return text


def latest_that_fit(sentences: Sequence[str], most_bytes: int, most: int, each_bytes: int) -> list[str]:
    """The latest of some sentences, in their order, that a document has room for.

    Args:
        sentences: oldest first.
        most_bytes: what they may take together.
        most: how many at most.
        each_bytes: what one may take; it is cut.
    """
    found: list[str] = []
    for sentence in reversed(sentences[-most:]):
        cut = shorten(sentence, each_bytes)
        most_bytes -= size_bytes(cut)
        if most_bytes < 0:
            break
        found.append(cut)
    return found[::-1]
