"""What Pod says about a video, read from its REST interface: texts of its users, cut to what may travel. Pure.

Source: docs/contract-pod.md, questions. Descriptions are HTML; keywords are a list or, in older versions, one text.
"""

import re
from collections.abc import Iterable
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urlsplit

from podjobs.contract.bounds import cut_text
from podjobs.contract.ports.pod import VideoTopic

TITLE_BYTES = 400
DESCRIPTION_CHARS = 8000
"""Of the HTML that is read: what comes later is not looked at."""
DESCRIPTION_BYTES = 4000
OWNER_BYTES = 200
KEYWORDS = 50
KEYWORD_BYTES = 100
_KEYWORD = re.compile(r'\s*(?:"([^"]+)"|([^,;]+))')
_BLOCKS = frozenset({"p", "br", "div", "li", "ul", "ol", "h1", "h2", "h3", "h4", "h5", "h6", "tr", "td"})
_UNSEEN = frozenset({"script", "style"})
_MARKED_SECTION = re.compile(r"<!\[[^>]*>?")
"""Browsers take it for a comment; Python's parser raises an error about those that it does not know."""


def read_topic(facts: dict[str, Any], owner: Any = None) -> VideoTopic:
    """Read what Pod says about a video.

    Args:
        facts: the video, as Pod shows it; anything may be missing, or of another type.
        owner: its owner, likewise; None: not known.
    """
    return VideoTopic(
        title=cut_text(_text_of(facts.get("title")), TITLE_BYTES),
        description=cut_text(plain_text(_text_of(facts.get("description"))), DESCRIPTION_BYTES),
        owner=cut_text(_name_of(owner), OWNER_BYTES),
        keywords=tuple(cut_text(word, KEYWORD_BYTES) for word in _keywords_of(facts.get("tags")))[:KEYWORDS],
    )


def find_owner(facts: dict[str, Any]) -> int | None:
    """The number of a video's owner; None: Pod does not say.

    Args:
        facts: the video; it names its owner by the address of that user, of which only the number counts.
    """
    parts = urlsplit(_text_of(facts.get("owner"))).path.rstrip("/").rsplit("/", maxsplit=2)
    number = parts[-1] if len(parts) > 1 and parts[-2] == "users" else ""
    return int(number) if re.fullmatch(r"[0-9]{1,18}", number) else None


def plain_text(html: str) -> str:
    """The text that a browser would show of a piece of HTML; what is not HTML stays as it is."""
    reader = _TextReader()
    reader.feed(_MARKED_SECTION.sub(" ", html[:DESCRIPTION_CHARS]))
    reader.close()
    return " ".join("".join(reader.texts).split())


class _TextReader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.texts: list[str] = []
        self._unseen = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:  # noqa: ARG002 - the parser's
        self._unseen += tag in _UNSEEN
        if tag in _BLOCKS:
            self.texts.append(". ")

    def handle_endtag(self, tag: str) -> None:
        self._unseen = max(0, self._unseen - (tag in _UNSEEN))
        if tag in _BLOCKS:
            self.texts.append(". ")

    def handle_data(self, data: str) -> None:
        if not self._unseen:
            self.texts.append(data)


def _text_of(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _name_of(owner: Any) -> str:
    if not isinstance(owner, dict):
        return ""
    return " ".join(filter(None, (_text_of(owner.get(name)).strip() for name in ("first_name", "last_name"))))


def _keywords_of(tags: Any) -> Iterable[str]:
    """Keywords as a list of texts or of objects with a name, or as one text: `physics, "black holes"`."""
    match tags:
        case str():
            text = tags[:DESCRIPTION_CHARS]
            found: Iterable[str] = (quoted or plain for quoted, plain in _KEYWORD.findall(text))
        case list():
            found = (_text_of(tag.get("name") if isinstance(tag, dict) else tag) for tag in tags)
        case _:
            found = ()
    return filter(None, (word.strip() for word in found))
