"""The header Retry-After, in seconds or as a date."""

from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from podjobs.contract.retry_after import read_retry_after


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        (None, None),
        ("7", 7),
        ("0.5", 0.5),
        ("999999999", 86_400),
        ("-3", None),
        ("soon", None),
        ("", None),
        ("nan", None),
        (format_datetime(datetime(2020, 1, 1, tzinfo=UTC), usegmt=True), 0),
    ],
)
def test_read_retry_after(text, seconds):
    assert read_retry_after(text) == seconds


def test_read_retry_after_date_is_counted_from_now():
    date = format_datetime(datetime.now(tz=UTC) + timedelta(seconds=100), usegmt=True)
    assert read_retry_after(date) == pytest.approx(99.5, abs=1.5)
