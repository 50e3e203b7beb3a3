"""The plan of an encoding job."""

import pytest

from podjobs.contract.errors import InvalidRequestError
from podjobs.encoding.boundaries import place_boundaries
from podjobs.encoding.plan import stages_of, write_recipe
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
    made = write_recipe(asked or job(), known or facts(), "videos/abc/talk.mp4", SETTINGS)
    return made.model_copy(update={"starts_s": place_boundaries(made.duration_s, 8, ())})


def test_stages_of_video_with_sound_encode_package_publish_notify():
    stages = stages_of(recipe(), job())
    assert [stage.name for stage in stages] == ["encode", "package", "publish", "notify"]
    # 100 s in chunks of 8 s: 13, the last of 4 s; the sound beside them
    assert [step.id for step in stages[0].steps] == ["audio", *(f"chunk-{number:04d}" for number in range(13))]
    assert [step.id for step in stages[1].steps] == ["package-360", "package-720", "images"]


def test_stages_of_silent_video_have_no_audio_step():
    stages = stages_of(recipe(known=facts(audio=False)), job())
    assert "audio" not in [step.id for step in stages[0].steps]


def test_stages_of_audio_file_make_sound_and_cover_only():
    stages = stages_of(recipe(known=facts(video=False)), job())
    assert [[step.id for step in stage.steps] for stage in stages] == [["audio", "images"], ["publish"], ["notify"]]


def test_stages_of_second_generation_encode_one_chunk_and_keep_the_sound():
    again = recipe().model_copy(update={"generation": 1})
    stages = stages_of(again, job())
    assert [[step.id for step in stage.steps] for stage in stages] == [
        ["chunk-0000-1"],
        ["package-360-1", "package-720-1", "images-1"],
        ["publish-1"],
        ["notify"],
    ]


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


def test_stages_of_no_step_of_a_usual_chunk_exceeds_the_limit_of_lambda():
    steps = [step for stage in stages_of(recipe(), job())[:1] for step in stage.steps]
    assert {step.timeout_s for step in steps} == {900}
