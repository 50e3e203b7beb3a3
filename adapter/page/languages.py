"""The languages of the page: English is in the templates, the others in `texts`."""

import json
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

LANGUAGES = {"en": "English", "fr": "Français"}
DEFAULT = "en"
_TEXTS = Path(__file__).with_name("texts")

Translate = Callable[[str], str]


def choose_language(wanted: str, cookie: str, accepted: str) -> str:
    """Choose a language.

    Args:
        wanted: what the address asks for.
        cookie: what was chosen before.
        accepted: the header Accept-Language (RFC 9110, 12.5.4).
    """
    for choice in (wanted, cookie):
        if choice in LANGUAGES:
            return choice
    ranked: list[tuple[float, str]] = []
    for part in accepted.split(","):
        name, _, quality = part.strip().partition(";q=")
        try:
            ranked.append((-float(quality or 1), name.partition("-")[0].lower()))
        except ValueError:
            continue
    return next((name for _, name in sorted(ranked, key=lambda one: one[0]) if name in LANGUAGES), DEFAULT)


@cache
def catalogue(language: str) -> dict[str, str]:
    """The translations of a language: English text → its own."""
    if language == DEFAULT:
        return {}
    found: dict[str, str] = json.loads((_TEXTS / f"{language}.json").read_text(encoding="utf-8"))
    return found


def translate(language: str, text: str, values: dict[str, Any] | None = None) -> str:
    """A text in a language, with its values filled in; what has no translation stays English."""
    translated = catalogue(language).get(text, text)
    return translated % values if values else translated
