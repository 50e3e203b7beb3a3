"""Texts that come from elsewhere (names of files, what ffmpeg says of an upload) as a terminal or a mail may show them.

What moves the cursor, changes colours or turns the direction of writing is replaced, so that nobody can make a line say
something else than it does. Pure.
"""

import unicodedata

REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_DIRECTIONS = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
"""What turns the direction of writing. Source: Unicode Standard Annex #9, 2."""
_UNSEEN = frozenset({"Cc", "Cs"})
"""Categories of control characters and of halves of surrogate pairs."""


def visible(text: str) -> str:
    """A text of one or more lines without what a terminal would obey; tabs become spaces."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_shown(letter) for letter in text.expandtabs(1).replace("\r\n", "\n"))


def visible_line(text: str) -> str:
    """The same in one line."""
    return visible(" ".join(text.splitlines()))


def _shown(letter: str) -> str:
    is_hidden = letter in _DIRECTIONS or (letter != "\n" and unicodedata.category(letter) in _UNSEEN)
    return REPLACEMENT if is_hidden else letter
