"""What of a text from elsewhere a terminal may show."""

import pytest

from adapter.inspection.visible_text import visible, visible_line


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Étape 1 : « 7.mp4 » [aac @ 0x1]", "Étape 1 : « 7.mp4 » [aac @ 0x1]"),
        ("a\u00a0: b\u202f! 👩\u200d🏫", "a\u00a0: b\u202f! 👩\u200d🏫"),
        ("red \x1b[31m, old \x9b31m, bell \x07", "red �[31m, old �31m, bell �"),
        ("gpj.\u202egnp", "gpj.�gnp"),
        ("one\ttwo\r\nthree", "one two\nthree"),
        ("over\rwritten \ud800", "over�written �"),
    ],
)
def test_text_has_nothing_that_a_terminal_obeys(text, shown):
    assert visible(text) == shown


def test_line_is_one():
    assert visible_line("one\ntwo\r\nthree\x0bfour\x1b[2J") == "one two three four�[2J"
