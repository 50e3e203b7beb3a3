"""Reads what a studio's recorder has written: a mediapackage, which names the sources, and a SMIL file, the cut. Pure.

Both come from outside: they are read element by element, without entities, and only as far as they are of use.

Source: docs/contract-pod-runner.md, row r; Opencast's mediapackage.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from urllib.parse import urljoin
from xml.parsers import expat

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import Cut, Layout

LARGEST_BYTES = 1 << 20
MOST_ELEMENTS = 10_000
PRESENTATION, PRESENTER, CUTTING = "presentation/source", "presenter/source", "smil/cutting"
LAYOUTS: tuple[Layout, ...] = ("mid", "pipb", "piph")
DEFAULT_LAYOUT: Layout = "mid"
LONGEST_S = 5 * 24 * 3600
_TIME = re.compile(r"(?:(?P<h>\d{1,4}):(?P<m>[0-5]?\d):)?(?P<s>\d{1,9}(?:\.\d{1,9})?)s?")


@dataclass
class Element:
    """An element, without what is in it but its own text."""

    path: tuple[str, ...]
    """The names of those around it, and its own, without namespaces."""
    attributes: dict[str, str]
    text: str = ""
    number: int = 0
    parent: int = 0
    """The number of the one around it."""


@dataclass(frozen=True)
class Mediapackage:
    """A recording as its recorder describes it."""

    presentation: str | None
    """URL of the source."""
    presenter: str | None
    layout: Layout
    cutting: str | None
    """URL of the SMIL file; None: all of it is kept."""


def read_mediapackage(content: bytes, url: str) -> Mediapackage:
    """Read a mediapackage.

    Args:
        content: of the file.
        url: where it was; what it names may be written relative to it.

    Raises:
        InvalidRequestError: it is none, or names no source.
    """
    elements = list(_elements(content, "mediapackage"))
    urls: dict[str, str] = {}
    by_number = {one.number: one for one in elements}
    for one in elements:
        if one.path[-1] == "url" and one.text.strip():
            kind = by_number[one.parent].attributes.get("type", "")
            # of each type the last one, as Pod reads it
            urls[kind] = urljoin(url, one.text.strip())
    wanted = elements[0].attributes.get("presenter", DEFAULT_LAYOUT)
    found = Mediapackage(
        presentation=urls.get(PRESENTATION),
        presenter=urls.get(PRESENTER),
        layout=next((layout for layout in LAYOUTS if layout == wanted), "alone"),
        cutting=urls.get(CUTTING),
    )
    if found.presentation is None and found.presenter is None:
        raise InvalidRequestError(
            f"The mediapackage names neither a {PRESENTATION} nor a {PRESENTER}: there is nothing to compose. Record "
            "it again.",
            kind=FailureKind.NO_MEDIA,
        )
    return found


def read_cut(content: bytes) -> Cut | None:
    """Read which part of the recording is kept; None: all of it.

    Args:
        content: of the SMIL file: the first video in it counts.

    Raises:
        InvalidRequestError: it cannot be read, or the cut leaves nothing.
    """
    for one in _elements(content, "SMIL file"):
        if one.path[-1] == "video":
            begin, end = one.attributes.get("clipBegin", ""), one.attributes.get("clipEnd", "")
            start_s = _seconds(begin) if begin else 0.0
            end_s = _seconds(end) if end else None
            if end_s is not None and end_s <= start_s:
                raise InvalidRequestError(
                    f"The cut from {start_s:g} s to {end_s:g} s leaves nothing of the recording. Correct it.",
                    kind=FailureKind.CUT,
                )
            return Cut(start_s=start_s, end_s=end_s) if start_s or end_s is not None else None
    return None


def _seconds(time: str) -> float:
    found = _TIME.fullmatch(time.strip())
    seconds = int(found["h"] or 0) * 3600 + int(found["m"] or 0) * 60 + float(found["s"]) if found else LONGEST_S + 1
    if seconds > LONGEST_S:
        raise InvalidRequestError(
            f"The SMIL file has the time {time[:100]!r}, expected seconds such as 1.5s, or HH:MM:SS. Cut it again.",
            kind=FailureKind.CUT,
        )
    return seconds


def _elements(content: bytes, what: str) -> Iterator[Element]:
    """All elements of a document, in the order of their beginnings. Raises InvalidRequestError."""
    if len(content) > LARGEST_BYTES:
        raise InvalidRequestError(f"The {what} is larger than {LARGEST_BYTES >> 20} MiB.")
    reading = _Reading()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = reading.begin
    parser.EndElementHandler = reading.end
    parser.CharacterDataHandler = reading.add_text
    # with it would come entities, which can be endless or read other files
    parser.StartDoctypeDeclHandler = reading.refuse_doctype
    try:
        parser.Parse(content, True)  # noqa: FBT003 - expat's own
    except (expat.ExpatError, _RefusedError) as error:
        raise InvalidRequestError(f"The {what} cannot be read: {error}. Record it again.") from error
    yield from reading.elements


class _RefusedError(Exception):
    """The document has what is not read."""


@dataclass
class _Reading:
    elements: list[Element] = field(default_factory=list)
    _open: list[Element] = field(default_factory=list)

    def begin(self, name: str, attributes: dict[str, str]) -> None:
        if len(self.elements) >= MOST_ELEMENTS:
            raise _RefusedError(f"it has more than {MOST_ELEMENTS} elements")
        around = self._open[-1] if self._open else None
        path = (*(around.path if around else ()), name.rpartition(" ")[2])
        element = Element(path, attributes, number=len(self.elements), parent=around.number if around else 0)
        self.elements.append(element)
        self._open.append(element)

    def end(self, _name: str) -> None:
        self._open.pop()

    def add_text(self, text: str) -> None:
        self._open[-1].text += text

    def refuse_doctype(self, *_: object) -> None:
        raise _RefusedError("it has a document type declaration")
