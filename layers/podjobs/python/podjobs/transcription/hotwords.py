"""Hotwords: names that may be said, spelled as whoever requested the job spells them. Pure."""

from collections.abc import Mapping
from typing import Any

HOTWORDS_CHARS = 320
"""Some 130 of the 448 tokens that a model shares between them, the previous text and the text to come."""
BETWEEN = ", "
"""A list, as measured: of 39 names 11 are right without any, 37 as a list, 34 with spaces between them, 36 within a
text, 14 from its title alone (docs/decisions/0067-names-from-what-pod-knows.md)."""
_FOREIGN = frozenset("<>|[]{},;:\n")
"""What no name contains, but the marks of a model's own language do."""


def choose_hotwords(results: Mapping[str, Mapping[str, Any]]) -> str:
    """Put together what the steps before have found out about the topic.

    Args:
        results: of these steps, by id; `words` are the likeliest first, and from texts that anybody may have written.

    Returns:
        As many as fit, each once; empty if there are none.
    """
    chosen: list[str] = []
    length = 0
    for values in results.values():
        words = values.get("words")
        for word in words if isinstance(words, list) else ():
            if not isinstance(word, str) or not _FOREIGN.isdisjoint(word) or not word.strip() or word in chosen:
                continue
            if (length := length + len(word) + len(BETWEEN)) > HOTWORDS_CHARS:
                return BETWEEN.join(chosen)
            chosen.append(word)
    return BETWEEN.join(chosen)
