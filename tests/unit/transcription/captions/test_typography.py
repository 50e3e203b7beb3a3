"""French typography, and white space in any language."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.transcription.captions.typography import NO_BREAK, THIN_NO_BREAK, typeset_words


def typeset(text, language):
    return "".join(typeset_words((text,), language)).strip()


def visible(text):
    """No-break spaces made visible: `~` is wide, `_` is thin."""
    return text.replace(NO_BREAK, "~").replace(THIN_NO_BREAK, "_")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Bonjour! Ça va? Oui; merci: bien", "Bonjour_! Ça va_? Oui_; merci~: bien"),
        ("Bonjour ! Ça va ? Oui ; merci : bien", "Bonjour_! Ça va_? Oui_; merci~: bien"),
        ("Quoi?! Non!!! (?) Vraiment...?", "Quoi_?! Non_!!! (?) Vraiment…_?"),
        ("L'idée, aujourd'hui, qu'il n'a pas", "L’idée, aujourd’hui, qu’il n’a pas"),
        ("l' homme et l'\"idée\"", "l’homme et l’«~idée~»"),
        (
            "la variable 'd' est nulle, les points 'm' et 'n' aussi",
            "la variable 'd' est nulle, les points 'm' et 'n' aussi",
        ),
        ("Et... donc", "Et… donc"),
        ('Il dit: "Allons-y!" puis "non".', "Il dit~: «~Allons-y_!~» puis «~non~»."),
        ("«Bonjour» et « oui »", "«~Bonjour~» et «~oui~»"),
        ('un écran de 27" et un de 24"', 'un écran de 27" et un de 24"'),  # inches
        ('il a dit "bonjour et puis', 'il a dit "bonjour et puis'),  # not paired
        ("à 10:30, en 16:9, C:\\Temp, std::map, a != b", "à 10:30, en 16:9, C:\\Temp, std::map, a != b"),
        ("https://u-b.fr/?a=b;c, www.u-b.fr: là", "https://u-b.fr/?a=b;c, www.u-b.fr~: là"),
        ("3 000 000 euros, 10 % ou 10%, 1,5 et 3.14", "3_000_000 euros, 10~% ou 10~%, 1,5 et 3.14"),
        ("en 2020 100 personnes, 06 12 34 56 78", "en 2020 100 personnes, 06 12 34 56 78"),
    ],
)
def test_typeset_french_follows_the_imprimerie_nationale(text, expected):
    assert visible(typeset(text, "fr")) == expected


@pytest.mark.parametrize("language", ["en", "de", "es", "zh"])
def test_typeset_other_languages_only_collapse_white_space(language):
    text = '  It\'s \t "so"...\n really? 3 000:\u2028yes!\x00\x07 '
    assert typeset(text, language) == 'It\'s "so"... really? 3 000: yes!'


@pytest.mark.parametrize(
    ("texts", "expected"),
    [
        # What was added or replaced belongs to the word it was next to; a no-break space does not begin a new word.
        ((" Bonjour", " !", " Ah", " bon", "?"), [" Bonjour", "_!", " Ah", " bon", "_?"]),
        ((' "Bonjour', " le", ' monde"', "."), [" «~Bonjour", " le", " monde~»", "."]),
        ((" «", " Oui", " »"), [" «", "~Oui", "~»"]),
        ((" l'", " homme", " qui", "", " "), [" l’", "homme", " qui", "", ""]),
        ((" un ", " deux", "\n", "trois"), [" un", " deux", "", " trois"]),
        ((" 3", " 000", " €"), [" 3", "_000", "~€"]),
    ],
)
def test_typeset_words_text_stays_with_its_word(texts, expected):
    assert [visible(text) for text in typeset_words(texts, "fr")] == expected


PIECES = st.sampled_from(
    [*" '\"’«».…;:!?()%€-0127,aéLd", "...", "//", "www.", "http://", " l'", "\u00a0", "\u202f", "\n"]
)
TEXTS = st.lists(PIECES | st.text(max_size=3), max_size=30).map("".join)


@given(text=TEXTS)
def test_typeset_words_is_idempotent(text):
    once = typeset(text, "fr")
    assert typeset(once, "fr") == once


def letters(text):
    return re.sub(r"[\s\x00-\x1f\x7f-\x9f\ufeff«»\"'’….]", "", text)


@given(texts=st.lists(TEXTS, max_size=8), language=st.sampled_from(["fr", "en"]))
def test_typeset_words_any_words_keep_their_letters_and_number(texts, language):
    written = typeset_words(texts, language)
    assert [letters(text) for text in written] == [letters(text) for text in texts]
    assert "".join(written).strip() == typeset("".join(texts), language)
