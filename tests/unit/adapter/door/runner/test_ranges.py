"""Parts of files, as RFC 9110 has them."""

import pytest

from adapter.door.runner.ranges import Part, UnsatisfiableError, choose_part, is_unchanged

ETAG = '"abc"'


@pytest.mark.parametrize(
    ("headers", "part"),
    [
        ({}, None),
        ({"Range": "bytes=0-9"}, Part(0, 9)),
        ({"Range": "bytes=90-"}, Part(90, 99)),
        ({"Range": "bytes=-10"}, Part(90, 99)),
        ({"Range": "bytes=-1000"}, Part(0, 99)),
        ({"Range": "bytes=95-1000"}, Part(95, 99)),
        ({"Range": "bytes=0-0"}, Part(0, 0)),
        ({"Range": "bytes=9-0"}, None),
        ({"Range": "bytes=-"}, None),
        ({"Range": "bytes=0-1,5-6"}, None),
        ({"Range": "lines=0-1"}, None),
        ({"Range": "bytes=0-9", "If-Range": ETAG}, Part(0, 9)),
        ({"Range": "bytes=0-9", "If-Range": '"other"'}, None),
    ],
)
def test_choose_part(headers, part):
    assert choose_part(headers, ETAG, 100) == part


@pytest.mark.parametrize(("wanted", "size_bytes"), [("bytes=100-", 100), ("bytes=-0", 100), ("bytes=0-", 0)])
def test_choose_part_behind_the_end_is_an_error(wanted, size_bytes):
    with pytest.raises(UnsatisfiableError):
        choose_part({"Range": wanted}, ETAG, size_bytes)


@pytest.mark.parametrize(
    ("known", "unchanged"),
    [("", False), (ETAG, True), ('"x", W/"abc"', True), ("*", True), ('"abcd"', False)],
)
def test_is_unchanged(known, unchanged):
    assert is_unchanged({"If-None-Match": known}, ETAG) is unchanged
