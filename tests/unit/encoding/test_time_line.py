"""Where the time line begins, and what is told about lengths."""

import pytest

from podjobs.encoding.completeness import played_length_s
from podjobs.encoding.time_line import compare_lengths, find_beginning
from podjobs.media.facts import AudioFacts, MediaFacts, VideoFacts


def facts(*, picture_s=0.0, stated_s=None, sound_s=None, duration_s=12.0):
    video = VideoFacts(
        index=0, codec="h264", width_px=640, height_px=360, frame_rate=25, start_s=picture_s, frames=None,
        stated_start_s=stated_s,
    )  # fmt: skip
    audio = AudioFacts(index=1, codec="aac", sample_rate_hz=48000, channels=2, start_s=sound_s or 0.0)
    return MediaFacts(
        format_name="matroska,webm", start_s=0.0, duration_s=duration_s, video=video,
        audio=None if sound_s is None else audio,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("picture_s", "stated_s", "sound_s", "begin_s", "words"),
    [
        (0.04, 0.04, 0.0, 0.04, ()),
        (2.4, 1.2, 0.0, 0.0, ("first 1.2 s of the picture cannot", "begins 2.4 s before")),
        (2.4, 0.08, 0.0, 0.08, ("first 2.3 s of the picture cannot", "begins 2.3 s before")),  # as it was meant
        (2.4, 0.0, 0.3, 0.3, ("first 2.4 s of the picture cannot", "begins 2.1 s before")),
        (2.4, 0.0, None, 2.4, ("first 2.4 s of the picture cannot",)),
        (2.4, 0.0, 2.0, 2.4, ("first 2.4 s of the picture cannot",)),
        (0.8, 0.0, 0.0, 0.8, ()),  # less than a second
        (9.6, 9.6, 0.0, 0.0, ("begins 9.6 s before",)),
    ],
)
def test_find_beginning_is_the_first_frame_that_can_be_decoded_or_much_earlier_sound(
    picture_s, stated_s, sound_s, begin_s, words
):
    found_s, log = find_beginning(facts(picture_s=picture_s, stated_s=stated_s, sound_s=sound_s))
    assert found_s == begin_s
    assert len(log) == len(words)
    assert all(word in sentence for word, sentence in zip(words, log, strict=True))


@pytest.mark.parametrize(
    ("stated_s", "others_end_s", "words"),
    [
        (12.0, None, None),
        (12.9, None, None),
        (None, None, None),
        (5.0, None, "it goes on until 12.0 s: all of it is used"),
        (120.0, None, "only 12.0 s could be read"),
        (52.0, 52.0, "only other streams go on"),
        (120.0, 52.0, "only 12.0 s could be read"),
    ],
)
def test_compare_lengths_tells_differences_in_both_directions(stated_s, others_end_s, words):
    log = compare_lengths(facts(duration_s=stated_s), facts(), others_end_s)
    assert len(log) == (0 if words is None else 1)
    assert all(words in sentence for sentence in log)


def test_compare_lengths_that_count_from_zero_are_right():
    late = {"start_s": 3.0}
    stated, measured = facts(duration_s=12.0), facts(duration_s=9.0)
    assert compare_lengths(stated.model_copy(update=late), measured.model_copy(update=late), None) == ()


@pytest.mark.parametrize(
    ("times_s", "sound_s", "expected_s", "length_s"),
    [
        ([0.0, 0.04, 0.08], 0.0, None, 0.12),
        ([0.08, 0.0, 0.04], 0.1, 0.12, 0.12),
        ([0.0, 1.0, 2.0], 2.5, 2.6, 2.6),  # no longer than the source
        ([0.0, 1.0, 2.0], 0.0, 10.0, 3.0),  # damaged
        ([0.0, 1.0, 12.0], 0.0, 5.0, 23.0),  # longer than expected
        ([0.0, 1.0, 2.0], 9.0, 3.0, 9.0),  # its sound goes on
        ([0.0], 0.0, 40.0, 40.0),  # a single frame
        ([0.0], 0.0, None, 0.0),
    ],
)
def test_played_length_s_follows_what_was_encoded(times_s, sound_s, expected_s, length_s):
    assert played_length_s(times_s, sound_s, expected_s) == pytest.approx(length_s)
