"""Where decoding begins so that a chunk's first frames are shown."""

import pytest

from podjobs.contract.commands import MediaInput
from podjobs.encoding.frames import SourceCut
from podjobs.encoding.lead import Seen, has_regular_number, judge_lead, kept_times, may_lack_frames, read_seen
from podjobs.encoding.recipe import Chunk
from podjobs.media.facts import MediaFacts, VideoFacts

CHUNK = Chunk(number=1, start_s=8, end_s=16)


def cut(codec="h264", frame_rate=25.0, decimation=1):
    video = VideoFacts(
        index=0, codec=codec, width_px=64, height_px=64, frame_rate=frame_rate, start_s=2.0, frames=None
    )  # fmt: skip
    facts = MediaFacts(format_name="matroska", start_s=2.0, duration_s=100, video=video, audio=None)
    source = MediaInput("/m/x.mkv", ("file",), "/pod/x.mkv")
    return SourceCut(source, facts, video, shift_s=2.0, preroll_s=0.5, decimation=decimation)


@pytest.mark.parametrize(
    ("frames", "frame_rate", "decimation", "is_regular"),
    [
        (200, 25, 1, True),
        (199, 25, 1, False),
        # more than expected: the rate changes, and some may be missing nevertheless
        (201, 25, 1, False),
        (240, 30000 / 1001, 1, True),
        (239, 30000 / 1001, 1, False),
        (200, 50, 2, True),
        (400, 49.99999, 1, True),
        (0, 0, 1, False),
    ],
)
def test_has_regular_number(frames, frame_rate, decimation, is_regular):
    assert has_regular_number(cut(frame_rate=frame_rate, decimation=decimation), CHUNK, frames) == is_regular


def test_has_regular_number_is_unknown_of_a_chunk_without_end():
    assert not has_regular_number(cut(), Chunk(number=1, start_s=8, end_s=None), 200)


@pytest.mark.parametrize(
    ("first_s", "frame_rate", "may"),
    [
        (8.0, 25, False),
        (8.033, 29.97, False),
        (8.04, 25, False),
        (8.05, 29.97, True),
        (8.9, 25, True),
        # slides: a frame may be missing within one interval of the average rate
        (8.9, 0.5, True),
        (8.04, 0, True),
        (None, 25, True),
    ],
)
def test_may_lack_frames_only_if_the_first_one_is_late(first_s, frame_rate, may):
    assert may_lack_frames(cut(frame_rate=frame_rate), CHUNK, first_s) == may


def test_may_lack_frames_first_chunk_is_read_from_the_beginning():
    assert not may_lack_frames(cut(), Chunk(number=0, start_s=0, end_s=8), None)


@pytest.mark.parametrize(
    ("codec", "frames_s", "intra_s", "shown", "is_settled"),
    [
        # shown before the chunk begins at 10 s of the source: nothing is missing any more
        ("h264", (9.96, 10.0, 10.04), (), 2, True),
        ("h264", (10.04,), (), 1, False),
        ("h264", (), (), 0, False),
        # decoders that show damaged pictures are believed from a whole one on
        ("mpeg4", (9.96, 10.0), (), 1, False),
        ("mpeg4", (9.96, 10.0), (9.96,), 1, True),
    ],
)
def test_judge_lead_pictures_before_the_chunk_settle_it(codec, frames_s, intra_s, shown, is_settled):
    lead = judge_lead(Seen((9.5,), frames_s, intra_s), cut(codec), CHUNK, until_s=11.0)
    assert (lead.shown, lead.is_settled) == (shown, is_settled)


def test_kept_times_are_those_that_decimation_leaves():
    times_s = [number / 100 for number in range(100, 112)]
    assert kept_times(times_s, 100, 2) == pytest.approx([1.0, 1.02, 1.04, 1.06, 1.08, 1.1])
    assert kept_times([2.0, 1.0, 2.0], 100, 1) == [1.0, 2.0]
    assert kept_times([], 100, 2) == []


def test_read_seen_hidden_packets_and_unknown_times_do_not_count():
    output = (
        "packet|pts_time=9.500000|flags=K_\n"
        "packet|pts_time=9.540000|flags=_D\n"
        "packet|pts_time=N/A|flags=__\n"
        "frame|best_effort_timestamp_time=9.500000|pict_type=I\n"
        "frame|best_effort_timestamp_time=-0.500000|pict_type=P\n"
        "frame|best_effort_timestamp_time=N/A|pict_type=P\n"
    )
    assert read_seen(output) == Seen((9.5,), (9.5, -0.5), (9.5,))
