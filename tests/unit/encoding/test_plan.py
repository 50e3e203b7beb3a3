"""The plan of an encoding job."""

import pytest

from podjobs.contract.errors import InvalidRequestError
from podjobs.encoding.plan import write_recipe
from podjobs.encoding.settings import EncodingSettings
from podjobs.media.facts import AudioFacts, MediaFacts, VideoFacts
from support.jobs import encoding_job

SETTINGS = EncodingSettings(media_root="/media")


def job(**changes):
    return encoding_job("job-1", 18, "/media/videos/abc/talk.mp4", **changes)


def facts(*, video=True, audio=True, duration_s=100.0, start_s=0.0):
    return MediaFacts(
        format_name="mov,mp4,m4a,3gp,3g2,mj2",
        start_s=start_s,
        duration_s=duration_s,
        video=VideoFacts(
            index=0, codec="h264", width_px=1280, height_px=720, frame_rate=25, start_s=start_s, frames=2500
        )
        if video
        else None,
        audio=AudioFacts(index=1, codec="aac", sample_rate_hz=48000, channels=2, start_s=start_s) if audio else None,
    )


def recipe(asked=None, known=None):
    return write_recipe(asked or job(), known or facts(), "videos/abc/talk.mp4", SETTINGS)


@pytest.mark.parametrize(
    ("cut", "origin_s", "duration_s", "ends"),
    [
        ((0, 0), 0, 100, False),
        ((2.5, 7), 2.5, 4.5, True),
        ((10, 0), 10, 90, False),  # no end: to the end of the source
        ((0, 100), 0, 100, False),
        ((90, 200), 90, 10, False),  # clamped
    ],
)
def test_write_recipe_cut_sets_the_time_line(cut, origin_s, duration_s, ends):
    made = recipe(job(cut_start=cut[0], cut_end=cut[1]))
    assert (made.origin_s, made.duration_s, made.ends) == (origin_s, duration_s, ends)
    assert bool(made.log) == (cut == (90, 200))


def test_write_recipe_source_that_starts_late_counts_from_its_first_frame():
    made = recipe(job(cut_start=2, cut_end=7), facts(start_s=1.5))
    assert made.origin_s == 3.5


@pytest.mark.parametrize("cut", [(7, 7), (8, 7), (100, 0), (100, 120)])
def test_write_recipe_cut_that_leaves_nothing_is_refused(cut):
    with pytest.raises(InvalidRequestError, match="Correct the cut"):
        recipe(job(cut_start=cut[0], cut_end=cut[1]))
