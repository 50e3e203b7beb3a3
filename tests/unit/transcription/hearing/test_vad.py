"""Voice activity detection, in exact times: a frame is 0.032 s."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from podjobs.contract.ports.speech import VAD_FRAME_S
from podjobs.transcription.hearing.vad import divide_span, find_speech, least_speech_at, pad_speech, widen_speech
from podjobs.transcription.spans import TimeSpan


def frames(*runs):
    """(probability, how many frames), …"""
    return [probability for probability, count in runs for _ in range(count)]


def in_frames(spans):
    return [(round(span.start_s / VAD_FRAME_S), round(span.end_s / VAD_FRAME_S)) for span in spans]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], []),
        ([(0.0, 100)], []),
        ([(0.9, 100)], [(0, 100)]),
        ([(0.0, 10), (0.9, 20), (0.0, 10)], [(10, 30)]),
        # 7 frames of pause are 0.22 s: within a word; 8 are 0.26 s
        ([(0.9, 20), (0.0, 7), (0.9, 20)], [(0, 47)]),
        ([(0.9, 20), (0.0, 8), (0.9, 20)], [(0, 20), (28, 48)]),
        # begins at 0.5, goes on down to 0.35
        ([(0.4, 10), (0.6, 10), (0.4, 10), (0.3, 20)], [(10, 30)]),
        # 3 frames are 0.096 s: a click
        ([(0.0, 50), (0.9, 3), (0.0, 50)], []),
        ([(0.0, 50), (0.9, 4), (0.0, 50)], [(50, 54)]),
    ],
)
def test_find_speech(runs, expected):
    assert in_frames(find_speech(frames(*runs), 0.5)) == expected


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([(0.0, 10), (0.9, 20), (0.0, 10)], [(10, 30)]),
        # a sentence of which the detector is sure in its middle only
        ([(0.0, 10), (0.3, 50), (0.6, 10), (0.3, 50), (0.0, 10)], [(10, 120)]),
        # two of its words, and what is between them
        ([(0.0, 10), (0.2, 10), (0.6, 10), (0.1, 20), (0.6, 10), (0.0, 10)], [(10, 60)]),
        # what may be speech, but touches none
        ([(0.4, 50), (0.05, 10), (0.9, 20), (0.05, 10), (0.4, 50)], [(60, 80)]),
        ([(0.2, 100)], []),
    ],
)
def test_widen_speech_takes_in_what_touches_it_and_may_be_speech(runs, expected):
    probabilities = frames(*runs)
    assert in_frames(widen_speech(find_speech(probabilities, 0.5), probabilities)) == expected


@given(st.lists(st.tuples(st.floats(0, 1), st.integers(1, 20)), max_size=20), st.floats(0.06, 0.99))
def test_widen_speech_contains_all_speech_in_order_and_apart(runs, threshold):
    probabilities = frames(*runs)
    speech = find_speech(probabilities, threshold)
    wide = widen_speech(speech, probabilities)
    assert all(any(span.start_s <= sure.start_s and sure.end_s <= span.end_s for span in wide) for sure in speech)
    assert all(before.end_s < after.start_s for before, after in pairwise(wide))
    assert not wide or bool(speech)


def test_pad_speech_widens_up_to_the_middle_of_the_pause_and_not_beyond_the_ends():
    padded = pad_speech([TimeSpan(0.1, 2.0), TimeSpan(2.4, 3.0), TimeSpan(9.0, 9.9)], total_s=10.0)
    assert padded == (TimeSpan(0.0, 2.2), TimeSpan(2.2, 4.0), TimeSpan(8.0, 10.0))


def test_divide_span_cuts_where_it_is_least_like_speech():
    probabilities = frames((0.9, 600), (0.6, 3), (0.9, 597))  # 38.4 s; the dip is at 19.2 s
    first, second = divide_span(TimeSpan(0.0, 1200 * VAD_FRAME_S), probabilities, max_s=29)
    assert [round(end_s, 2) for end_s in (first.end_s, second.end_s)] == [19.25, 38.4]
    assert first.end_s == second.start_s


def test_divide_span_short_one_stays_whole():
    assert divide_span(TimeSpan(1.0, 20.0), frames((0.9, 700)), max_s=29) == (TimeSpan(1.0, 20.0),)


def test_least_speech_at_a_single_frame_is_an_accident():
    probabilities = frames((0.9, 20), (0.0, 1), (0.9, 20), (0.3, 3), (0.9, 20))
    assert least_speech_at(probabilities, 0, 64 * VAD_FRAME_S) == pytest.approx(42.5 * VAD_FRAME_S)
