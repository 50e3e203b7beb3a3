"""Windows hold speech without pauses, and words find their way back."""

import pytest

from podjobs.transcription.hearing.windows import Window, pack_windows
from podjobs.transcription.spans import TimeSpan


@pytest.mark.parametrize(
    ("speech", "expected"),
    [
        ([], []),
        ([(0, 10), (20, 30)], [[(0, 10), (20, 30)]]),
        # 25 + 10 s are too much
        ([(0, 25), (30, 40)], [[(0, 25)], [(30, 40)]]),
        # full with three; the longest pause from 70 % on is after the second
        ([(0, 10), (10.5, 25.5), (30, 33), (33.5, 44)], [[(0, 10), (10.5, 25.5)], [(30, 33), (33.5, 44)]]),
        # the long pause comes too early: the window would be nearly empty
        ([(0, 5), (50, 62), (62.5, 74), (74.5, 80)], [[(0, 5), (50, 62), (62.5, 74)], [(74.5, 80)]]),
    ],
)
def test_pack_windows(speech, expected):
    windows = pack_windows([TimeSpan(*span) for span in speech], max_s=29)
    assert [list(window.spans) for window in windows] == expected


@pytest.mark.parametrize(
    ("speech", "first_end_s"),
    [
        (None, 22.0),  # the first one from 70 % on: all pauses look alike
        ([(0, 21.5), (22.5, 24), (26, 27.9), (28.1, 30)], 25.0),
        ([(0, 21), (23, 24.9), (25.1, 27.9), (28.1, 30)], 22.0),
        ([(0, 24.9), (25.1, 27.6), (28.4, 30)], 28.0),  # at 22 s somebody speaks: it was a cut
    ],
)
def test_pack_windows_spans_that_share_pauses_are_told_apart_by_where_speech_is(speech, first_end_s):
    spans = [TimeSpan(0, 22), TimeSpan(22, 25), TimeSpan(25, 28), TimeSpan(28, 40)]
    speech = None if speech is None else [TimeSpan(*span) for span in speech]
    first, *_ = pack_windows(spans, max_s=29, speech=speech)
    assert first.spans[-1].end_s == first_end_s


def test_samples_from_are_those_of_the_spans_and_nothing_else():
    sound = b"".join(number.to_bytes(2, "little") for number in range(16_000))
    taken = Window((TimeSpan(0.0, 0.001), TimeSpan(0.5, 0.502))).samples_from(sound)
    assert [int.from_bytes(taken[at : at + 2], "little") for at in range(0, len(taken), 2)] == [
        *range(16),
        *range(8000, 8032),
    ]


@pytest.mark.parametrize(
    ("word", "placed"),
    [
        ((0.0, 1.0), (10.0, 11.0)),
        ((4.0, 5.0), (14.0, 15.0)),
        ((5.0, 6.0), (20.0, 21.0)),
        ((4.5, 5.2), (14.5, 15.0)),  # its middle lies in the first span: it ends there
        ((4.9, 6.0), (20.0, 21.0)),  # in the second: it begins there
        ((9.5, 12.0), (24.5, 25.0)),  # beyond the end
    ],
)
def test_locate_word_lies_in_one_span(word, placed):
    assert Window((TimeSpan(10.0, 15.0), TimeSpan(20.0, 25.0))).locate(*word) == pytest.approx(placed)
