"""What is made of the packets at the ends of a file."""

import pytest

from podjobs.media.facts import VideoFacts
from podjobs.media.lengths import StreamEnd, correct_video, frame_length_s, last_packets, sound_end_s


def video(**facts):
    values = {"index": 0, "codec": "h264", "width_px": 640, "height_px": 360, "frame_rate": 25, "start_s": 0.0}
    return VideoFacts(**(values | {"frames": 250, "end_s": 10.0} | facts))


def test_last_packets_finds_the_last_of_each_stream_in_time_not_in_file_order():
    lines = ["0|9.88|0.04|__", "1|9.9|0.02|K_", "0|9.96|0.04|__", "0|9.92|0.04|__", "1|9.92|0.02|K_"]
    assert last_packets(lines) == {0: StreamEnd(9.96, 0.04, 9.92), 1: StreamEnd(9.92, 0.02, 9.9)}


def test_last_packets_ignores_what_is_not_shown_or_has_no_time():
    lines = ["0|1.0|0.04|K_", "0|7.0|0.04|_D", "0|N/A|0.04|__", "", "1|N/A|N/A|K_", "2|-0.02|N/A|K_"]
    assert last_packets(lines) == {0: StreamEnd(1.0, 0.04, None), 2: StreamEnd(-0.02, None, None)}


@pytest.mark.parametrize(
    ("end", "length_s"),
    [
        (StreamEnd(9.96, 0.04, 9.92), 0.04),
        (StreamEnd(9.96, None, 9.92), 0.04),
        (StreamEnd(9.96, 0.0, 9.92), 0.04),
        (StreamEnd(20.0, 10.0, 10.0), 10.0),  # a slide
        (StreamEnd(0.0, 40.0, None), 40.0),  # a single picture
        (StreamEnd(0.0, 36_000.0, None), 60.0),  # a claim that nothing proves
        (StreamEnd(600.0, 36_000.0, 300.0), 300.0),  # as long as the one before
    ],
)
def test_frame_length_s_last_frame_is_shown_as_long_as_it_states_within_reason(end, length_s):
    assert frame_length_s(end, 0.04) == length_s


@pytest.mark.parametrize(("duration_s", "end_s"), [(0.02, 5.02), (None, 5.0), (0.0, 5.0), (3600.0, 5.0)])
def test_sound_end_s_adds_the_last_packet_unless_its_duration_is_absurd(duration_s, end_s):
    assert sound_end_s(StreamEnd(5.0, duration_s, 4.98)) == end_s


def test_correct_video_true_header_keeps_its_count_of_frames():
    corrected = correct_video(video(), 0.0, StreamEnd(9.96, 0.04, 9.92))
    assert (corrected.start_s, corrected.end_s, corrected.last_s, corrected.frames) == (0.0, 10.0, 9.96, 250)


@pytest.mark.parametrize(
    ("first_s", "end", "start_s", "end_s"),
    [
        (1.2, StreamEnd(9.96, 0.04, 9.92), 1.2, 10.0),  # the beginning cannot be decoded
        (0.0, StreamEnd(4.96, 0.04, 4.92), 0.0, 5.0),  # cut off
        (0.0, StreamEnd(19.96, 0.04, 19.92), 0.0, 20.0),  # stale tags
    ],
)
def test_correct_video_wrong_header_counts_nothing(first_s, end, start_s, end_s):
    corrected = correct_video(video(), first_s, end)
    assert (corrected.start_s, corrected.end_s, corrected.frames) == (start_s, end_s, None)
    assert corrected.stated_start_s == 0.0


def test_correct_video_end_that_cannot_be_found_is_unknown():
    corrected = correct_video(video(), None, None)
    assert (corrected.start_s, corrected.end_s, corrected.last_s) == (0.0, None, None)
