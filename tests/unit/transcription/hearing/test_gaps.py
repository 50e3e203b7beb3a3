"""Gaps are found, and what is heard in them is not doubled."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.contract.ports.speech import WindowTranscript, Word
from podjobs.transcription.hearing.gaps import around_gaps, describe_gaps, find_gaps, words_in_gaps
from podjobs.transcription.hearing.utterances import place_utterances
from podjobs.transcription.hearing.windows import Window
from podjobs.transcription.spans import TimeSpan
from support.utterances import texts


@pytest.mark.parametrize(
    ("speech", "said", "expected"),
    [
        ([(0, 10)], [(0, 10)], []),
        ([(0, 10)], [], [(0, 10)]),
        ([(0, 3)], [], []),  # not longer than 3 s
        ([(0, 20)], [(0, 5), (9, 20)], [(5, 9)]),
        ([(0, 20)], [(9, 12), (0, 5)], [(5, 9), (12, 20)]),  # in any order
        ([(0, 10), (12, 20)], [(8, 13)], [(0, 8), (13, 20)]),
        ([(0, 10)], [(0, 9), (2, 4)], []),  # one word in another
        # short stretches count together: 1.1 s each
        ([(0, 1.1), (3, 4.1), (6, 7.1)], [], [(0, 1.1), (3, 4.1), (6, 7.1)]),
        ([(0, 1.1), (3, 4.1), (6, 7.1)], [(2.5, 3.5)], []),  # 2.8 s
        # … also with words between them
        ([(0, 12)], [(1.2, 4), (5.2, 10.8)], [(0, 1.2), (4, 5.2), (10.8, 12)]),
        # … but only within 15 s
        ([(0, 1.6), (7, 8), (14, 15.6)], [(7, 8)], []),
        ([(0, 1.6), (7, 8), (13.4, 15)], [(7, 8)], [(0, 1.6), (13.4, 15)]),
        ([(0, 20)], [], [(0, 20)]),
    ],
)
def test_find_gaps(speech, said, expected):
    gaps = find_gaps([TimeSpan(*span) for span in speech], [TimeSpan(*span) for span in said], 3.0)
    assert list(gaps) == expected


SPANS = st.lists(st.tuples(st.floats(0, 90), st.floats(0.01, 20)), max_size=8).map(
    lambda spans: [TimeSpan(start_s, start_s + length_s) for start_s, length_s in sorted(spans)]
)


def apart(spans):
    """The spans that begin after the one before has ended."""
    found = []
    for span in spans:
        if not found or span.start_s > found[-1].end_s:
            found.append(span)
    return found


@given(SPANS.map(apart), SPANS)
def test_find_gaps_what_is_no_gap_is_at_most_the_limit_in_any_window(speech, said):
    gaps = find_gaps(speech, said, 3.0)
    assert list(gaps) == apart(gaps)
    for gap in gaps:
        assert any(span.start_s <= gap.start_s and gap.end_s <= span.end_s for span in speech)
        assert not any(gap.overlap_s(span) > 1e-9 for span in said)
    assert find_gaps(speech, [*said, *gaps], 3.0) == ()


@given(SPANS.map(apart), st.sampled_from([0.5, 2.0]))
def test_around_gaps_passages_hold_each_gap_with_its_surroundings(gaps, context_s):
    passages = around_gaps(gaps, 120.0, context_s)
    assert list(passages) == apart(passages)
    for gap in gaps:
        assert any(
            passage.start_s <= max(0.0, gap.start_s - context_s) and passage.end_s >= min(120.0, gap.end_s + context_s)
            for passage in passages
        )


def test_describe_gaps_one_sentence_tells_what_is_missing_within_a_passage():
    gaps = [TimeSpan(1.0, 2.1), TimeSpan(3.0, 4.2), TimeSpan(40, 44)]
    assert describe_gaps(gaps) == (
        "2.3 s of speech from 1.0 s to 4.2 s have no caption.",
        "4.0 s of speech from 40.0 s to 44.0 s have no caption.",
    )
    assert describe_gaps([]) == ()


def heard(*words):
    return place_utterances(Window((TimeSpan(0.0, 30.0),)), WindowTranscript(tuple(Word(*word) for word in words)))


def test_words_in_gaps_the_neighbours_are_not_taken_twice():
    words = ((" before", 0.8, 1.2, 0.9), (" in", 2, 2.4, 0.9), (" it", 2.4, 2.8, 0.9), (" after", 4.9, 5.3, 0.9))
    written = heard(words[0], words[3])
    assert texts(words_in_gaps([TimeSpan(1.5, 4.5)], heard(*words), written)) == ["in it"]
    assert words_in_gaps([TimeSpan(7, 9)], heard(*words), written) == ()


def test_words_in_gaps_first_and_last_words_reach_beyond_speech():
    again = heard((" Good", 0.8, 1.2, 0.9), (" morning.", 1.2, 1.9, 0.9))
    assert texts(words_in_gaps([TimeSpan(1.1, 1.8)], again, ())) == ["Good morning."]
