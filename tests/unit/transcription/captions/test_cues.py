"""Cues: exact ones, and what holds for any words."""

import unicodedata
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.contract.ports.speech import Word
from podjobs.transcription.captions.cues import make_cues, make_cues_in_languages
from podjobs.transcription.captions.faults import find_faults
from podjobs.transcription.captions.rules import CueRules, columns
from support.words import LANGUAGES, any_words, say

RULES = CueRules()


def plain(cues):
    """Cues as tuples, the no-break spaces visible: `~` is wide, `_` is thin."""
    return [
        (cue.start_s, cue.end_s, *(line.replace("\u00a0", "~").replace("\u202f", "_") for line in cue.lines))
        for cue in cues
    ]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Bonjour à toutes et à tous. <0.4> Aujourd'hui, nous parlons de l'homme et de la machine !",
            # 22 letters at 12.5 a second are 1.76 s
            [
                (0.0, 1.8, "Bonjour à toutes et à tous."),
                (2.16, 5.827, "Aujourd’hui, nous parlons de l’homme", "et de la machine_!"),
            ],
        ),
        (
            "Le général de Gaulle arrive à Londres le 17 juin 1940, et il y rencontre Winston Churchill.",
            [
                (0.0, 3.52, "Le général de Gaulle arrive", "à Londres le 17 juin 1940,"),
                (3.52, 6.0, "et il y rencontre Winston Churchill."),
            ],
        ),
        (
            "En 2020, il y avait 3 000 000 de chômeurs, soit plus de 10 % de la population active en France.",
            [
                (0.0, 2.64, "En 2020,", "il y avait 3_000_000 de chômeurs,"),
                (2.64, 6.107, "soit plus de 10~%", "de la population active en France."),
            ],
        ),
        (
            "M. Dupont dit que c'est \"normal\", p. ex. dans l'œuvre de van Gogh : voilà ce qu'il en pense.",
            [
                (0.0, 4.32, "M. Dupont dit que c’est «~normal~»,", "p. ex. dans l’œuvre de van Gogh~:"),
                (4.32, 5.92, "voilà ce qu’il en pense."),
            ],
        ),
    ],
)
def test_make_cues_french_is_broken_at_phrases(text, expected):
    cues = make_cues(say(text), "fr")
    assert plain(cues) == expected
    assert find_faults(cues, RULES) == []


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Dr. Smith and Prof. Jones, e.g. from Oxford, wrote it. <0.5> Mr. Bean did not.",
            [
                (0.0, 3.6, "Dr. Smith and Prof. Jones,", "e.g. from Oxford, wrote it."),
                (4.1, 5.234, "Mr. Bean did not."),
            ],
        ),
        (
            "The idea goes back to the Atlas computer in Manchester, which was built in the early 1960s.",
            [
                (0.0, 3.68, "The idea goes back", "to the Atlas computer in Manchester,"),
                (3.68, 6.014, "which was built in the early 1960s."),
            ],
        ),
    ],
)
def test_make_cues_english_is_broken_at_phrases(text, expected):
    cues = make_cues(say(text), "en")
    assert plain(cues) == expected
    assert find_faults(cues, RULES) == []


@pytest.mark.parametrize(
    ("text", "chars_per_s", "expected"),
    [
        # Short ones stay for a second, into the silence.
        ("Oui. <3> Non. <2> Si.", 12.5, [(0.0, 1.0, "Oui."), (3.32, 4.32, "Non."), (5.64, 6.64, "Si.")]),
        # Without silence they share a cue.
        ("No. <0.1> Yes. <0.1> No. <0.1> Yes. <0.1> Maybe.", 12.5, [(0.0, 2.0, "No. Yes. No. Yes. Maybe.")]),
        # 71 columns at 15 a second are 4.734 s, though they are said in 1.5 s: silence follows.
        (
            "one two three four five six seven eight nine ten eleven twelve thirteen",
            40,
            [(0.0, 4.734, "one two three four five six seven", "eight nine ten eleven twelve thirteen")],
        ),
        # A pause of 1.5 s parts two cues whatever the text.
        ("of <1.5> the", 10, [(0.0, 1.0, "of"), (1.7, 2.7, "the")]),
        # A gap of less than 0.2 s is closed.
        (
            "This is what the sentence says. <0.15> And this is another one that follows it.",
            10,
            [(0.0, 2.75, "This is what the sentence says."), (2.75, 6.05, "And this is another one that follows it.")],
        ),
        # One of 0.2 s stays.
        (
            "This is what the sentence says. <0.2> And this is another one that follows it.",
            10,
            [(0.0, 2.6, "This is what the sentence says."), (2.8, 6.1, "And this is another one that follows it.")],
        ),
    ],
)
def test_make_cues_times_can_be_read(text, chars_per_s, expected):
    cues = make_cues(say(text, chars_per_s), "en")
    assert plain(cues) == expected
    assert find_faults(cues, RULES) == []


def test_make_cues_no_silence_after_a_fast_cue_comes_earlier():
    # 40 columns need 2 s; at 30 letters a second there are 1.266 s up to the next sentence, so it comes half a second
    # before its first word at 3.167 s, which is as much as it may.
    words = say("Well. <3> Extraordinary considerations everywhere. Overwhelmingly everybody agrees,", 30)
    words += say("nevertheless experts remain unconvinced.", 30, words[-1].end_s)
    assert plain(make_cues(words, "en")) == [
        (0.0, 1.0, "Well."),
        (2.667, 4.433, "Extraordinary considerations everywhere."),
        (4.433, 9.3, "Overwhelmingly everybody agrees,", "nevertheless experts remain unconvinced."),
    ]


def test_make_cues_a_word_wider_than_a_line_is_cut_at_a_sign():
    words = say("Voir https://arche.univ-lorraine.fr/course/view.php?id=12345&section=2 pour la suite.")
    assert plain(make_cues(words, "fr")) == [
        (0.0, 3.36, "Voir", "https://arche.univ-lorraine.fr/course/"),
        (3.36, 6.48, "view.php?id=12345&section=2", "pour la suite."),
    ]


def test_make_cues_a_word_of_letters_only_is_cut_where_the_line_ends():
    (cue,) = make_cues([Word(text=" " + "a" * 60, start_s=0, end_s=3)], "en")
    assert cue.lines == ("a" * 40, "a" * 20)


def test_make_cues_invisible_characters_at_the_end_of_a_line_make_no_empty_one():
    texts = [" " + "a" * 40 + "\u00a0", "\u200b", " b"]
    cues = make_cues([Word(text=text, start_s=index, end_s=index + 1) for index, text in enumerate(texts)], "en")
    assert [line for cue in cues for line in cue.lines] == ["a" * 40, "b"]


def test_make_cues_parts_of_a_word_stay_together():
    words = [
        Word(text=text, start_s=index / 10, end_s=(index + 1) / 10)
        for index, text in enumerate([" Qu", "'", "est", "-ce", " que", " l", "'", "État", " ?"])
    ]
    assert plain(make_cues(words, "fr")) == [(0.0, 1.467, "Qu’est-ce que l’État_?")]


def test_make_cues_chinese_is_broken_between_characters_but_not_before_a_sign():
    text = "今天我们来讲操作系统的基本概念和它的历史发展、然后我们再看看一些例子。"
    words = [Word(text=sign, start_s=index / 5, end_s=(index + 1) / 5) for index, sign in enumerate(text)]
    cues = make_cues(words, "zh")
    # 35 characters, two columns each; at 10 a second; the last sign takes no time
    assert plain(cues) == [(0.0, 6.8, "今天我们来讲操作系统的基本概念", "和它的历史发展、然后我们再看看一些例子。")]
    assert find_faults(cues, RULES) == []


def test_make_cues_chinese_numbers_and_latin_names_stay_whole():
    texts = [*"这个价格是", "3.", "14", *"元、我们用", "Node.", "js", *"来写程序、用", "100", "%", *"的内存。"]
    words = [Word(text=text, start_s=index / 5, end_s=(index + 1) / 5) for index, text in enumerate(texts)]
    cues = make_cues(words, "zh")
    assert [cue.lines for cue in cues] == [("这个价格是3.14元、", "我们用Node.js来写程序、用100%的内存。")]


@pytest.mark.parametrize(
    "sign",
    [
        Word(text=" ?", start_s=3, end_s=8),  # it lasts as long as the pause
        Word(text=" ?", start_s=7.6, end_s=7.8),  # it is heard behind the pause
    ],
)
def test_make_cues_a_sign_takes_no_time(sign):
    # 25 letters at 10 a second
    words = [*say("Avez-vous des questions là", 10), sign, *say("Non, alors on continue.", 10, 8)]
    assert plain(make_cues(words, "fr")) == [
        (0.0, 2.3, "Avez-vous des questions là_?"),
        (8.0, 10.0, "Non, alors on continue."),
    ]


def test_make_cues_a_sign_behind_a_pause_begins_no_cue():
    words = [*say("ما هي الخوارزمية", 10), Word(text=" ؟", start_s=6, end_s=6.2), *say("سلسلة من الخطوات", 10, 7)]
    assert [cue.lines for cue in make_cues(words, "ar")] == [("ما هي الخوارزمية ؟",), ("سلسلة من الخطوات",)]


@pytest.mark.parametrize(("text", "line"), [(" - Bonjour à", "- Bonjour à"), (" - Bonjour", "- Bonjour")])
def test_make_cues_a_dash_in_a_word_does_not_delay_it(text, line):
    assert plain(make_cues([Word(text=text, start_s=2, end_s=4)], "fr")) == [(2.0, 4.0, line)]


def test_make_cues_a_sign_that_is_spoken_takes_time():
    words = [*say("Il en reste 20", 10), Word(text=" %", start_s=1.1, end_s=2.6)]
    assert plain(make_cues(words, "fr")) == [(0.0, 2.6, "Il en reste 20~%")]


def test_make_cues_a_last_word_that_never_ends_stays_with_its_phrase():
    words = say("Je vous remercie de votre attention", 10)
    words[-1] = replace(words[-1], end_s=22.0)
    assert plain(make_cues(words, "fr")) == [(0.0, 7.0, "Je vous remercie de votre attention")]


def test_make_cues_no_words_no_cues():
    assert make_cues([], "fr") == ()
    assert make_cues([Word(text="  ", start_s=0, end_s=1), Word(text=" \u00a0", start_s=1, end_s=2)], "fr") == ()


@pytest.mark.parametrize(
    "starts_s",
    [
        [5.0] * 40,  # all at one time
        [float(40 - index) for index in range(40)],  # backwards
        [-3.0] * 40,
        [index / 3 if index != 7 else 5_000.0 for index in range(40)],  # one far ahead
    ],
)
def test_make_cues_absurd_times_give_cues_one_after_the_other(starts_s):
    words = [
        Word(text=f" extraordinary{index}", start_s=start_s, end_s=start_s - 1)
        for index, start_s in enumerate(starts_s)
    ]
    cues = make_cues(words, "en")
    assert find_faults(cues, RULES) == []
    assert all(before.end_s <= after.start_s for before, after in pairwise(cues))
    assert " ".join(line for cue in cues for line in cue.lines) == " ".join(word.text.strip() for word in words)


def test_make_cues_one_absurd_time_does_not_displace_the_rest():
    words = say("One two three four five six. <2> Seven eight nine ten.")
    broken = [replace(word, start_s=500.0) if index == 3 else word for index, word in enumerate(words)]
    assert plain(make_cues(broken, "en")) == plain(make_cues(words, "en"))


def test_make_cues_in_languages_each_by_its_own_rules():
    english = say("Thank you. And now in French?")
    french = say("Bonjour à tous ! Ça va ?", start_s=english[-1].end_s + 0.1)
    cues = make_cues_in_languages([("en", english), ("fr", french)])
    # French has thin spaces before its marks
    assert [cue[2:] for cue in plain(cues)] == [("Thank you. And now in French?", "Bonjour à tous_! Ça va_?")]
    assert find_faults(cues, RULES) == []


def test_make_cues_in_languages_a_sentence_goes_on_from_part_to_part():
    words = say("This is one sentence of two parts.")
    halves = [("en", words[:4]), ("en", []), ("en", words[4:])]
    assert make_cues_in_languages(halves) == make_cues(words, "en")


@given(words=any_words(), cut=st.integers(0, 60), languages=st.tuples(LANGUAGES, LANGUAGES))
def test_make_cues_in_languages_any_words_are_kept_and_keep_the_rules(words, cut, languages):
    cues = make_cues_in_languages(list(zip(languages, (words[:cut], words[cut:]), strict=True)))
    assert letters("".join(line for cue in cues for line in cue.lines)) == letters("".join(word.text for word in words))
    assert find_faults(cues, RULES) == []


ANY_RULES = st.builds(
    CueRules,
    max_lines=st.integers(1, 3),
    max_line_chars=st.integers(10, 50),
    max_cue_chars=st.integers(10, 120),
    max_chars_per_s=st.sampled_from([8.0, 20.0, 30.0]),
    min_gap_s=st.sampled_from([0.0, 0.2]),
)


def letters(text):
    """What must not be lost: all but white space, invisible characters and what French typography rewrites."""
    text = text.replace("...", "…").replace("'", "’")
    return "".join(
        sign for sign in text if sign not in '"«»' and unicodedata.category(sign) not in {"Zs", "Zl", "Zp", "Cc", "Cf"}
    )


@given(words=any_words(), language=LANGUAGES, rules=ANY_RULES)
def test_make_cues_any_words_are_neither_lost_nor_duplicated(words, language, rules):
    cues = make_cues(words, language, rules)
    assert letters("".join(line for cue in cues for line in cue.lines)) == letters("".join(word.text for word in words))


@given(words=any_words(), language=LANGUAGES, rules=ANY_RULES)
def test_make_cues_any_words_keep_the_rules(words, language, rules):
    cues = make_cues(words, language, rules)
    assert find_faults(cues, rules) == []
    assert all(cue.start_s < cue.end_s for cue in cues)
    assert all(letters(line) or line.strip(" \u00a0\u202f") for cue in cues for line in cue.lines)
    assert all(before.end_s <= after.start_s for before, after in pairwise(cues))


@given(words=any_words(), language=LANGUAGES)
def test_make_cues_any_words_fit_into_the_fields_of_pods_editor(words, language):
    cues = make_cues(words, language)
    assert all(columns("\n".join(cue.lines)) <= 80 for cue in cues)


@pytest.mark.parametrize("language", ["en", "zh"])
def test_make_cues_two_full_lines_and_the_end_of_one_do_not_fit_into_a_cue(language):
    # 40 columns, the end of the line, 40 columns: 81
    spaces = " " if language == "en" else ""
    words = [
        Word(text=f"{spaces}{'好' * 20 if language == 'zh' else 'a' * 40}", start_s=index * 3, end_s=index * 3 + 2.9)
        for index in range(2)
    ]
    assert [len(cue.lines) for cue in make_cues(words, language)] == [1, 1]
    rules = CueRules(max_cue_chars=81)
    assert [len(cue.lines) for cue in make_cues(words, language, rules)] == [2]


@given(
    text=st.lists(st.sampled_from(["mot", "et", "longtemps,", "fin.", "<0.3>", "<0.1>", "<2>", "l'eau"]), max_size=80)
)
def test_make_cues_times_are_those_of_the_words(text):
    words = say(" ".join(text))
    cues = make_cues(words, "fr")
    place = 0
    for cue, after in zip(cues, [*cues, None][1:], strict=True):
        count = len(" ".join(cue.lines).split())
        first, last = words[place], words[place + count - 1]
        assert first.start_s - RULES.max_lead_s - 0.001 <= cue.start_s <= first.start_s
        assert cue.end_s >= last.end_s or (after is not None and cue.end_s == after.start_s)
        place += count


@pytest.mark.parametrize("minutes", [20, pytest.param(120, marks=pytest.mark.slow)])
def test_make_cues_of_a_long_talk_keep_the_rules(minutes):
    sentence = "Alors, aujourd'hui, nous parlons de l'homme et de la machine, c'est-à-dire de 3 000 ans. <0.5> "
    words = say(sentence * (14 * minutes))
    assert words[-1].end_s > 60 * minutes
    cues = make_cues(words, "fr")
    assert find_faults(cues, RULES) == []
