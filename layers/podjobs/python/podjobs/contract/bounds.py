"""How much may travel: texts that come from media are cut, and what is still too long is refused. Pure.

The shared part of a plan and the values of a result go to many steps and are kept in Redis for weeks; CloudEvents of
more than 64 KB need not be forwarded by whoever stands in between. Source: CloudEvents 1.0.2, Size Limits.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from itertools import accumulate
from math import isfinite
from typing import Annotated, Any, TypeVar

from pydantic import AfterValidator

STEP_BYTES = 64 * 1024
"""The most that a step, the shared part of a plan, or the values of a result may take as JSON."""
REQUEST_BYTES = 8 * 1024 * 1024
"""The most that a request to a function may take: a step with the results that it needs, or a batch of statements."""
SENTENCE_BYTES = 1000
LOG_BYTES = 6000
"""For all sentences of a reply's log."""
DETAIL_BYTES = 2000
CONTEXT_TEXT_BYTES = 8000
"""For a text in an error's context, such as what a command wrote to stderr, or for all words of a command."""
CONTEXT_BYTES = 32_000
"""For all of an error's context."""
CONTEXT_VALUES = 20
CONTEXT_LEVELS = 6
"""Of nested objects and lists."""
CONTEXT_WORDS = CONTEXT_TEXT_BYTES
"""Of a list: each takes at least a byte."""
LARGEST_INTEGER = 2**63 - 1
"""What every JSON parser can read."""
ELLIPSIS = "…"

ValueT = TypeVar("ValueT")


def json_bytes(value: Any) -> int:
    """Size of a value as JSON in UTF-8, as it travels."""
    return len(json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=str).encode("utf-8", "replace"))


def cut_text(text: str, limit_bytes: int) -> str:
    """Shorten a text so that it takes no more than this in JSON; an ellipsis shows that something is missing.

    Half surrogate pairs, which UTF-8 cannot express, become question marks.

    Args:
        text: of any length.
        limit_bytes: for the text in JSON, without its quotes.
    """
    text = text[: limit_bytes + 1].encode("utf-8", "replace").decode()
    # a character takes at least one byte
    if len(text) <= limit_bytes and json_bytes(text) - 2 <= limit_bytes:
        return text
    left_bytes, end = limit_bytes - len(ELLIPSIS.encode()), 0
    for character in text[:limit_bytes]:
        left_bytes -= json_bytes(character) - 2
        if left_bytes < 0:
            break
        end += 1
    return text[:end].rstrip() + ELLIPSIS


def cut_log(sentences: Iterable[str], limit_bytes: int = LOG_BYTES) -> tuple[str, ...]:
    """Shorten a log: long sentences are cut, and of very many only the first are kept.

    Args:
        sentences: of a job's log.
        limit_bytes: for all of them together.
    """
    cut = [cut_text(sentence, SENTENCE_BYTES) for sentence in sentences]
    kept = _first(cut, limit_bytes)
    missing = len(cut) - len(kept)
    return (*kept, f"{missing} more sentences are left out.") if missing else kept


def _first(texts: Sequence[ValueT], limit_bytes: int) -> tuple[ValueT, ...]:
    """The first texts or other values, as many as fit."""
    ends_bytes = accumulate(json_bytes(text) + 1 for text in texts)
    return tuple(text for text, end_bytes in zip(texts, ends_bytes, strict=True) if end_bytes <= limit_bytes)


Log = Annotated[tuple[str, ...], AfterValidator(cut_log)]
"""Sentences for a job's log, as many as may travel."""


def cut_context(context: Mapping[str, Any]) -> dict[str, Any]:
    """Shorten what an error carries besides its sentence.

    Args:
        context: JSON-serialisable facts. Of a long command the beginning is kept, of long texts the end, where commands
            say what was wrong; of very many facts, the first.
    """
    cut = [(cut_text(name, 100), _cut_value(value)) for name, value in list(context.items())[:CONTEXT_VALUES]]
    return dict(_first(cut, CONTEXT_BYTES))


def _cut_value(value: Any) -> Any:
    value = _plain(value, CONTEXT_LEVELS)
    if isinstance(value, list):
        kept = _first(value, CONTEXT_TEXT_BYTES)
        return [*kept, ELLIPSIS] if len(kept) < len(value) else value
    return value if json_bytes(value) <= CONTEXT_TEXT_BYTES else cut_text(str(value), CONTEXT_TEXT_BYTES)


def _plain(value: Any, levels: int) -> Any:
    """Anything as something that JSON can express: an error about bad data may carry what no encoder takes."""
    match value:
        case str():
            # reversed: the end is kept
            return cut_text(value[::-1], CONTEXT_TEXT_BYTES)[::-1]
        case int() | float() | None:
            return _plain_number(value)
        case Mapping() if levels:
            return {cut_text(str(name), 100): _plain(inner, levels - 1) for name, inner in value.items()}
        case list() | tuple() if levels:
            words = value[:CONTEXT_WORDS]
            return [cut_text(one, SENTENCE_BYTES) if isinstance(one, str) else _plain(one, levels - 1) for one in words]
        case _:
            return cut_text(str(value), CONTEXT_TEXT_BYTES) if levels else ELLIPSIS


def _plain_number(value: float | None) -> float | str | None:
    if isinstance(value, int) and abs(value) > LARGEST_INTEGER:
        return cut_text(hex(value), SENTENCE_BYTES)
    return str(value) if isinstance(value, float) and not isfinite(value) else value


def _fits(values: dict[str, Any]) -> dict[str, Any]:
    size_bytes = json_bytes(values)
    if size_bytes > STEP_BYTES:
        raise ValueError(f"takes {size_bytes} bytes, but at most {STEP_BYTES} may travel")
    return values


Travelling = Annotated[dict[str, Any], AfterValidator(_fits)]
"""Values that later steps receive: a few numbers and names, never media."""
