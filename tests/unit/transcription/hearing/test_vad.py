"""Where somebody speaks, in exact times: a look is 0.032 s."""

import pytest

from podjobs.contract.ports import LOOK_S
from podjobs.transcription.hearing.vad import Stretch, divide, find_holes, find_stretches, least_speech_at, pad


def looks(*runs):
    """(probability, how many looks), …"""
    return [probability for probability, count in runs for _ in range(count)]


def spans(stretches):
    return [(round(stretch.start_s / LOOK_S), round(stretch.end_s / LOOK_S)) for stretch in stretches]


@pytest.mark.parametrize(
    ("runs", "expected"),
    [
        ([], []),
        ([(0.0, 100)], []),
        ([(0.9, 100)], [(0, 100)]),
        ([(0.0, 10), (0.9, 20), (0.0, 10)], [(10, 30)]),
        # 7 looks of pause are 0.22 s: within a word; 8 are 0.26 s
        ([(0.9, 20), (0.0, 7), (0.9, 20)], [(0, 47)]),
        ([(0.9, 20), (0.0, 8), (0.9, 20)], [(0, 20), (28, 48)]),
        # begins at 0.5, goes on down to 0.35
        ([(0.4, 10), (0.6, 10), (0.4, 10), (0.3, 20)], [(10, 30)]),
        # 3 looks are 0.096 s: a click
        ([(0.0, 50), (0.9, 3), (0.0, 50)], []),
        ([(0.0, 50), (0.9, 4), (0.0, 50)], [(50, 54)]),
    ],
)
def test_find_stretches(runs, expected):
    assert spans(find_stretches(looks(*runs), 0.5)) == expected


def test_pad_widens_up_to_the_middle_of_the_pause_and_not_beyond_the_ends():
    padded = pad([Stretch(0.1, 2.0), Stretch(2.4, 3.0), Stretch(9.0, 9.9)], total_s=10.0)
    assert padded == (Stretch(0.0, 2.2), Stretch(2.2, 3.4), Stretch(8.6, 10.0))


def test_divide_cuts_where_it_is_the_least_like_speech():
    probabilities = looks((0.9, 600), (0.6, 3), (0.9, 597))  # 38.4 s; the dip lies at 19.2 s
    pieces = divide(Stretch(0.0, 1200 * LOOK_S), probabilities, longest_s=29)
    assert [round(piece.end_s, 2) for piece in pieces] == [19.25, 38.4]
    assert pieces[0].end_s == pieces[1].start_s


def test_divide_short_stretch_stays_whole():
    assert divide(Stretch(1.0, 20.0), looks((0.9, 700)), longest_s=29) == (Stretch(1.0, 20.0),)


def test_least_speech_at_one_look_alone_is_an_accident():
    probabilities = looks((0.9, 20), (0.0, 1), (0.9, 20), (0.3, 3), (0.9, 20))
    assert least_speech_at(probabilities, 0, 64 * LOOK_S) == pytest.approx(42.5 * LOOK_S)


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
    ],
)
def test_find_holes(speech, said, expected):
    holes = find_holes([Stretch(*span) for span in speech], [Stretch(*span) for span in said], 3.0)
    assert [(hole.start_s, hole.end_s) for hole in holes] == expected
