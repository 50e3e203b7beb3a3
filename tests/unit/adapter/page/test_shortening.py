"""Texts are cut by what they take as HTML."""

from html import escape

import pytest
from hypothesis import given
from hypothesis import strategies as st

from adapter.page.shortening import latest_that_fit, shorten, size_bytes


@given(st.text())
def test_size_is_that_of_the_escaped_text(text):
    assert size_bytes(text) == len(escape(text).replace("&quot;", "&#34;").replace("&#x27;", "&#39;").encode())


@given(st.text(), st.integers(3, 50))
def test_shortened_text_fits_and_is_a_beginning(text, limit):
    found = shorten(text, limit)
    assert size_bytes(found) <= limit
    assert found == text or text.startswith(found.removesuffix("…").rstrip())


@pytest.mark.parametrize(
    ("text", "limit", "expected"),
    [
        ("abc", 3, "abc"),
        ("abcd", 3, "…"),
        ("abcdef", 5, "ab…"),
        ("''''", 13, "''…"),
        ("''", 10, "''"),
        ("été", 5, "été"),
    ],
)
def test_text_that_is_too_long_ends_with_an_ellipsis(text, limit, expected):
    assert shorten(text, limit) == expected


def test_latest_sentences_that_fit():
    sentences = ["first", "second", "third", "a very long fourth"]
    assert latest_that_fit(sentences, 100, 3, 9) == ["second", "third", "a very…"]
    assert latest_that_fit(sentences, 14, 3, 9) == ["third", "a very…"]
    assert latest_that_fit([], 14, 3, 9) == []
