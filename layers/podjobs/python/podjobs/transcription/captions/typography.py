"""Typography: white space in any language; the no-break spaces, apostrophes and quotation marks of French. Pure.

Only spaces and punctuation change, and every word keeps its own text, so that the word times remain valid.

Source: Lexique des règles typographiques en usage à l'Imprimerie nationale, 2002, «Ponctuation»: a thin no-break space
before ; ! ? and a no-break space as wide as a word space before the colon and inside guillemets. A thin one separates
the thousands of a number, a wide one the number from its % or €.
"""

import re
from collections.abc import Sequence
from typing import NamedTuple

NO_BREAK = "\N{NO-BREAK SPACE}"
THIN_NO_BREAK = "\N{NARROW NO-BREAK SPACE}"


class Rule(NamedTuple):
    """What each group of a pattern is replaced with; what lies outside the groups stays."""

    pattern: re.Pattern[str]
    replacements: tuple[str, ...]


def _rule(pattern: str, *replacements: str) -> Rule:
    return Rule(re.compile(pattern, re.IGNORECASE), replacements)


_ADDRESS = re.compile(r"(?:\b[a-z][a-z0-9+.-]{1,20}://|\bwww\.)\S*[^\s.,;:!?…»\")\]]", re.IGNORECASE)
# Not a letter between quotation marks: «la variable 'd' est».
_ELIDED = r"(?<![\w'’])(?:[cdjlmnst]|qu|jusqu|lorsqu|puisqu|quoiqu|quelqu|presqu)"
# Where punctuation ends a word: not within «10:30», «3:2», «C:\\», «std::map» or «!=».
_END = r"(?=[;:!?]*(?:[\s,.…»\"”’)\]]|$))"

EVERYWHERE = (
    # Controls would be invisible in a player or break the file.
    _rule(r"([\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f\ufeff]+)", ""),
    _rule(rf"([{NO_BREAK}{THIN_NO_BREAK}]{{2,}})", NO_BREAK),
    _rule(rf"(\s*[^\S{NO_BREAK}{THIN_NO_BREAK}]\s*)", " "),
)
# In this order: each rule relies on what those before it wrote.
FRENCH = (
    _rule(r"(?<!\.)(\.{3})(?!\.)", "…"),
    _rule(r"(?<=[^\W\d_])(')(?=\w)", "’"),
    # An elided word stays with what follows, whatever that is: «l' homme», «l'"idée"».
    _rule(rf"{_ELIDED}(['’]\s?)(?=[\w\"«(])", "’"),
    # Only marks that pair up: an inch sign, or a mark whose other half the model left out, stays as it is.
    _rule(r"(?<![\w\"])(\")(?=[^\s\"])[^\"]*(?<=[^\s\"])(\")(?![\w\"])", f"«{NO_BREAK}", f"{NO_BREAK}»"),
    _rule(r"«(\s*)(?=\S)", NO_BREAK),
    _rule(r"(?<=[^\s«])(\s*)»", NO_BREAK),
    _rule(rf"(?<=[^\s(\[«“!?])(\s*)(?=[!?]+{_END})", THIN_NO_BREAK),
    _rule(rf"(?<=[^\s(\[«“;])(\s*)(?=;{_END})", THIN_NO_BREAK),
    _rule(rf"(?<=[^\s(\[«“:])(\s*)(?=:{_END})", NO_BREAK),
    _rule(r"(?<=\d)(\s*)(?=[%€](?!\w))", NO_BREAK),
    _rule(r"(?:(?<![\d.,])\d{1,3}|(?<=\d\s)\d{3})(\s)(?=\d{3}(?!\d))", THIN_NO_BREAK),
)


def typeset_words(texts: Sequence[str], language: str) -> list[str]:
    """Typeset the words of a text by the rules of its language; idempotent.

    Args:
        texts: the words, each with the space before it; one without continues the previous word.
        language: ISO 639-1; for languages other than `fr`, white space is collapsed and nothing else.

    Returns:
        As many texts. One that begins with a plain space may begin a line; texts may contain plain spaces, too.
        A text is empty if nothing of it is left.
    """
    text = "".join(texts)
    owners = [index for index, part in enumerate(texts) for _ in part]
    length = len(text.rstrip())
    text, owners = text[:length], owners[:length]
    for rule in EVERYWHERE:
        text, owners = _apply(rule, text, owners, frozenset())
    for rule in FRENCH if language == "fr" else ():
        text, owners = _apply(rule, text, owners, _address_places(text))
    parts: list[list[str]] = [[] for _ in texts]
    for character, owner in zip(text, owners, strict=True):
        parts[owner].append(character)
    return ["".join(part) for part in parts]


def _address_places(text: str) -> frozenset[int]:
    """The places of all characters of addresses, which are not typeset."""
    return frozenset(place for found in _ADDRESS.finditer(text) for place in range(*found.span()))


def _apply(rule: Rule, text: str, owners: list[int], fixed: frozenset[int]) -> tuple[str, list[int]]:
    """Apply a rule except at fixed places, and note which word each new character belongs to."""
    texts: list[str] = []
    new_owners: list[int] = []
    position = 0
    for found in rule.pattern.finditer(text):
        spans = [found.span(group) for group in range(1, len(rule.replacements) + 1)]
        if any(start in fixed and (end > start or start - 1 in fixed) for start, end in spans):
            continue
        for (start, end), replacement in zip(spans, rule.replacements, strict=True):
            # A space goes with the word after it, as in the words of a transcript.
            of_next = end < len(text) and not text[start:end].strip()
            texts += (text[position:start], replacement)
            new_owners += owners[position:start]
            new_owners += [owners[end if of_next else start]] * len(replacement)
            position = end
    return "".join(texts) + text[position:], new_owners + owners[position:]
