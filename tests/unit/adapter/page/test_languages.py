"""The page speaks French as well as English."""

import re
from pathlib import Path

import pytest

from adapter.inspection import overview
from adapter.inspection.dead_letter_filter import KINDS
from adapter.page import access, attention, routes, steps_picture
from adapter.page.languages import catalogue, choose_language, translate
from adapter.page.requests import STATES, TYPES
from adapter.plurals import Plural

TEMPLATES = Path(routes.__file__).with_name("templates")
PLACES = re.compile(r"%\((\w+)\)s")
QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


def written_texts():
    """The texts between `_("` and `")`, both of `ngettext`, and the titles of tables."""
    for template in TEMPLATES.glob("*.html"):
        source = template.read_text()
        yield from re.findall(r'\b_\("([^"]+)"', source)
        for pair in re.findall(r'ngettext\("([^"]+)", "([^"]+)"', source):
            yield from pair
        for titles in re.findall(r"parts\.head\(\[(.*?)\]", source):
            yield from QUOTED.findall(titles)
    for source in ("rendering.py",):
        yield from re.findall(r'self\.text\("([^"]+)"', TEMPLATES.with_name(source).read_text())


def constants():
    """The texts that stand in code."""
    for module in (overview, attention, steps_picture, access, routes):
        for name, value in vars(module).items():
            if name[0].isupper() and isinstance(value, str) and " " in value.strip():
                yield value
            if isinstance(value, Plural):
                yield from value
    for texts in steps_picture.FOLDED.values():
        yield from texts
    yield from STATES
    yield from TYPES
    yield from KINDS
    yield from ("done", "retried", "failed", "draining", "drained")


@pytest.mark.parametrize("text", sorted({*written_texts(), *constants()}))
def test_every_text_has_a_french_one_with_the_same_places(text):
    assert text in catalogue("fr"), text
    assert sorted(PLACES.findall(catalogue("fr")[text])) == sorted(PLACES.findall(text))


def test_the_catalogue_has_no_text_that_nobody_uses():
    assert set(catalogue("fr")) - {*written_texts(), *constants()} == set()


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", "en"),
        ("fr", "fr"),
        ("fr-CA,fr;q=0.9", "fr"),
        ("de,fr;q=0.5,en;q=0.7", "en"),
        ("de", "en"),
        ("en;q=0.2, fr;q=0.8", "fr"),
        ("fr;q=x, en", "en"),
        (",;q=,;;", "en"),
    ],
)
def test_the_language_is_the_first_that_a_browser_accepts(accepted, expected):
    assert choose_language("", "", accepted) == expected


def test_a_choice_counts_more_than_what_a_browser_accepts():
    assert choose_language("", "fr", "en") == "fr"
    assert choose_language("en", "fr", "fr") == "en"
    assert choose_language("xx", "../../etc", "fr") == "fr"


def test_values_are_filled_in_and_a_text_without_translation_stays():
    assert translate("fr", "Cancel %(job)s", {"job": "7"}) == "Annuler 7"
    assert translate("fr", "100 % of it") == "100 % of it"
