"""Numbers of things in sentences. Pure. In English; how other languages count: adapter/page/rendering.py, mails.py."""

from typing import NamedTuple


class Plural(NamedTuple):
    """Two sentences: for one of something, and for any other number."""

    one: str
    many: str


def plural(count: int, one: str, many: str) -> str:
    """The words that fit a number."""
    return one if count == 1 else many


def counted(count: int, one: str, many: str) -> str:
    """A number with the words that fit it, such as «1 job», «0 jobs»."""
    return f"{count} {plural(count, one, many)}"


def is_plural(count: int, language: str) -> bool:
    """Whether a language has its plural for a number: 0 is one in English, not in French."""
    return count > 1 if language == "fr" else count != 1
