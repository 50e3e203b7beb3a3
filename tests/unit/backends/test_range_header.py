"""Which bytes a request wants."""

import pytest

from podjobs.backends.s3.range_header import UnsatisfiableRangeError, read_range


@pytest.mark.parametrize(
    ("header", "wanted"),
    [
        (None, None),
        ("bytes=0-", (0, 99)),
        ("bytes=99-", (99, 99)),
        ("bytes=10-19", (10, 19)),
        ("bytes=10-1000", (10, 99)),
        ("bytes=-30", (70, 99)),
        ("bytes=-1000", (0, 99)),
        # what is not understood is ignored
        ("bytes=-", None),
        ("bytes=20-10", None),
        ("bytes=1-2,5-6", None),
        ("lines=1-2", None),
        ("bytes=\u0661-", None),
        ("bytes=" + "9" * 5000 + "-", None),
    ],
)
def test_range_of_100_bytes_is(header, wanted):
    assert read_range(header, 100) == wanted


@pytest.mark.parametrize(("header", "size_bytes"), [("bytes=100-", 100), ("bytes=0-", 0), ("bytes=-0", 100)])
def test_range_after_the_end_cannot_be_given(header, size_bytes):
    with pytest.raises(UnsatisfiableRangeError):
        read_range(header, size_bytes)
