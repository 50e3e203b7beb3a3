"""Reads the text of subtitles, whatever its encoding. Pure.

Containers want UTF-8, but people put what they have into them, often Windows-1252, which includes ISO 8859-1. ffmpeg
passes the bytes on unchanged; here each line that is not UTF-8 is read as Windows-1252, if all of these lines together
look like a language written in Latin letters.
"""

import re
import string
from typing import NamedTuple

FALLBACK = "cp1252"
BYTE_ORDER_MARKS = (b"\xff\xfe", b"\xfe\xff")
"""Of UTF-16, in which every second byte of a text may be a letter."""
FEW_LETTERS = 8
"""So few letters beyond ASCII do not tell in which encoding they are."""
ACCENTED_SHARE = 0.5
"""No language in Latin letters has more letters beyond ASCII: Vietnamese has a third. More of them are another
script's, in an encoding of its own."""
_ASCII_LETTERS = string.ascii_letters.encode()
_OTHERS = bytes(range(0x80, 0x100))
_CONTROL_CHARACTERS = re.compile("[\x00-\x08\x0b-\x1f\x7f]")


class DecodedText(NamedTuple):
    """Text, and what became of the lines that are not UTF-8."""

    text: str
    read_as_fallback: int = 0
    """Lines that were read as Windows-1252."""
    left_out: int = 0
    """Lines that are neither; they are missing in the text."""


def decode_text(content: bytes) -> DecodedText:
    r"""Read text as UTF-8; the lines that are not are read as Windows-1252, or left out.

    Args:
        content: lines that end with `\n`.
    """
    try:
        return DecodedText(_without_control(content.decode("utf-8")))
    except UnicodeDecodeError:
        pass
    originals = content.split(b"\n")
    lines = [_decode_line(line, "utf-8") for line in originals]
    foreign = [number for number, line in enumerate(lines) if line is None]
    if _is_latin(b"\n".join(originals[number] for number in foreign)):
        for number in foreign:
            lines[number] = _decode_line(originals[number], FALLBACK)
    left_out = sum(line is None for line in lines)
    text = "\n".join(line for line in lines if line is not None)
    return DecodedText(_without_control(text), len(foreign) - left_out, left_out)


def _decode_line(line: bytes, encoding: str) -> str | None:
    try:
        return line.decode(encoding)
    except UnicodeDecodeError:
        return None


def _is_latin(text: bytes) -> bool:
    """Whether text that is not UTF-8 looks like a language written in Latin letters."""
    others, letters = (len(text) - len(text.translate(None, delete=kind)) for kind in (_OTHERS, _ASCII_LETTERS))
    if any(mark in text for mark in BYTE_ORDER_MARKS):
        return False
    return others <= max(FEW_LETTERS, ACCENTED_SHARE * (others + letters))


def _without_control(text: str) -> str:
    return _CONTROL_CHARACTERS.sub("", text)
