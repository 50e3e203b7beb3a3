"""The HTTP header Retry-After. Source: RFC 9110, 10.2.3."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

LONGEST_S = 86_400.0


def read_retry_after(text: str | None) -> float | None:
    """Read a Retry-After header: seconds or a date.

    Returns:
        Seconds from now, at most a day; None if the header is missing or cannot be parsed.
    """
    if text is None:
        return None
    try:
        return min(max(float(text), 0.0), LONGEST_S) if text.strip()[:1].isdigit() else _until(text)
    except (ValueError, TypeError):
        return None


def _until(date: str) -> float:
    moment = parsedate_to_datetime(date)
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return min(max((moment - datetime.now(tz=UTC)).total_seconds(), 0.0), LONGEST_S)
