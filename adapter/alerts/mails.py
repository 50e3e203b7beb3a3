"""What the mails say: what has happened, why, what to do, and where to look. Pure."""

import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from adapter.alerts.occurrences import Kind, Occurrence
from adapter.door.celery_studio import RECORDING
from adapter.inspection.visible_text import visible
from adapter.plurals import is_plural

MOST_TOLD = 20
"""Occurrences that a mail tells one by one; the others are counted."""
REASON_CHARS = 600


@cache
def _texts(language: str) -> dict[str, str]:
    found: dict[str, str] = json.loads(
        (Path(__file__).with_name("texts") / f"{language}.json").read_text(encoding="utf-8")
    )
    return found


@dataclass(frozen=True, slots=True)
class Mail:
    """A subject and a text."""

    subject: str
    text: str


def compose(kind: str, occurrences: Sequence[Occurrence], language: str, page_url: str | None) -> Mail:
    """Compose one mail.

    Args:
        kind: of all the occurrences.
        occurrences: oldest first; not empty.
        language: `en` or `fr`.
        page_url: where the page is; None: the command line is named instead.
    """
    texts = _texts(language)
    first, count = occurrences[0], len(occurrences)
    subject = texts[f"{kind}.subject" if count == 1 else f"{kind}.subject_many"] % _values(first, count, language)
    lines = [texts[f"{kind}.what"] % _values(first, count, language), ""]
    for one in reversed(occurrences[-MOST_TOLD:]):
        lines.append(f"- {texts[f'{kind}.one'] % _values(one, count, language)}")
        lines += [f"  {line}" for line in one.reason[:REASON_CHARS].splitlines()]
        if kind == Kind.JOB_FAILED:
            lines.append(f"  {_where(one.about, texts, page_url)}")
    if count > MOST_TOLD:
        lines.append(_counted("more", count - MOST_TOLD, language))
    lines += ["", texts[f"{kind}.remedy"], "", page_url or texts["no_page"]]
    return Mail(subject, visible("\n".join(lines)) + "\n")


def compose_test(language: str) -> Mail:
    """A mail that tells nothing but that mails arrive."""
    texts = _texts(language)
    return Mail(texts["test.subject"], texts["test.what"] + "\n")


def _where(job_id: str, texts: dict[str, str], page_url: str | None) -> str:
    return f"{page_url}/jobs/{job_id}" if page_url else texts["show"] % {"job": job_id}


def _counted(name: str, count: int, language: str) -> str:
    """A text about a number of things."""
    texts = _texts(language)
    return texts[name if is_plural(count, language) else f"{name}_one"] % {"count": count}


def _target(target: str, texts: dict[str, str]) -> str:
    what = "recording" if target.startswith(RECORDING) else "video"
    return texts[f"target.{what}"] % {"number": target.removeprefix(RECORDING)}


def _values(one: Occurrence, count: int, language: str) -> dict[str, object]:
    texts = _texts(language)
    waited_min = round(float(one.values.get("waited_s", 0)) / 60)
    return {
        "about": one.about,
        "count": count,
        "at": time.strftime("%Y-%m-%d %H:%M:%S", time.localtime(one.at_s)),
        "target": _target(one.values.get("target", ""), texts),
        "type": texts.get(f"type.{one.values.get('type', '')}", one.values.get("type", "")),
        "over": texts.get(f"{one.values.get('kind', '')}.over", "") % {"about": one.about},
        "minutes": _counted("minutes", waited_min, language),
    }
