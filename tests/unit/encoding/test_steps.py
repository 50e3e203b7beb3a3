"""The steps of an encoding job: their ids, weights and time limits, and the stages they form."""

import pytest

from podjobs.contract.reply_to import RunnerCallback
from podjobs.encoding.boundaries import place_boundaries
from podjobs.encoding.plan import write_recipe
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.steps import repackage_stage, stages_of
from podjobs.media.facts import AudioFacts, MediaFacts, SubtitleFacts, VideoFacts
from support.jobs import encoding_job

SETTINGS = EncodingSettings(media_root="/media")


def job():
    return encoding_job("job-1", 18, "/media/videos/abc/talk.mp4")


def facts(*, video=True, audio=True, subtitles=(), duration_s=100.0):
    return MediaFacts(
        format_name="mov,mp4,m4a,3gp,3g2,mj2",
        start_s=0,
        duration_s=duration_s,
        video=VideoFacts(index=0, codec="h264", width_px=1280, height_px=720, frame_rate=25, start_s=0, frames=2500)
        if video
        else None,
        audio=AudioFacts(index=1, codec="aac", sample_rate_hz=48000, channels=2, start_s=0) if audio else None,
        subtitles=subtitles,
    )


def recipe(known=None):
    made = write_recipe(job(), known or facts(), "videos/abc/talk.mp4", SETTINGS)
    return made.model_copy(update={"starts_s": place_boundaries(made.duration_s, 8, ())})


def test_stages_of_video_with_sound_encode_package_publish_notify():
    stages = stages_of(recipe(), job())
    assert [stage.name for stage in stages] == ["encode", "package", "publish", "notify"]
    # 100 s in chunks of 8 s: 13, the last of 4 s; the sound beside them
    assert [step.id for step in stages[0].steps] == ["audio", *(f"chunk-{number:04d}" for number in range(13))]
    assert [step.id for step in stages[1].steps] == ["package-360", "package-720", "images"]


@pytest.mark.parametrize(("dialect", "generation", "told"), [("v4", 0, 1), ("v5", 0, 0), ("v4", 1, 0)])
def test_stages_of_runner_client_tell_it_once_that_the_job_goes_on(dialect, generation, told):
    """Beside the longest steps, as those that follow wait for it; Pod 5 would take it for a failure."""
    asked = job().model_copy(update={"reply_to": RunnerCallback(client="pod", dialect=dialect)})
    stages = stages_of(recipe().model_copy(update={"generation": generation}), asked)
    assert [step.id for stage in stages for step in stage.steps if step.action == "progress"] == ["progress"] * told
    assert sum(step.action == "progress" for step in stages[0].steps) == told


def test_stages_of_silent_video_have_no_audio_step():
    stages = stages_of(recipe(facts(audio=False)), job())
    assert "audio" not in [step.id for step in stages[0].steps]


def test_stages_of_audio_file_make_sound_and_cover_only():
    stages = stages_of(recipe(facts(video=False)), job())
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


def test_stages_of_no_step_of_a_usual_chunk_exceeds_the_limit_of_lambda():
    steps = [step for stage in stages_of(recipe(), job())[:1] for step in stage.steps]
    assert {step.timeout_s for step in steps} == {900}


def test_stages_of_weights_are_seconds_of_a_usual_machine():
    captions = SubtitleFacts(index=2, codec="subrip", language="fre")
    steps = {step.id: step for stage in stages_of(recipe(facts(subtitles=(captions,))), job()) for step in stage.steps}
    assert steps["audio"].weight == 4  # 100 s / 25
    assert steps["subtitles"].weight == 0.5  # 100 s / 200
    # 8 s of 25 frames of 640 × 360 + 1280 × 720 pixels / 60,000,000; the last one has 4 s
    assert [steps[f"chunk-{number:04d}"].weight for number in (0, 12)] == [3.84, 1.92]
    assert steps["package-720"].weight == 0.667  # 100 s / 150
    assert (steps["images"].weight, steps["publish"].weight) == (0.5, 0.2)


@pytest.mark.parametrize(("length_s", "timeout_s"), [(100, 900), (5000, 4000)])
def test_stages_of_a_step_that_cannot_be_divided_has_time_for_its_length(length_s, timeout_s):
    """5,000 s / 25 × 20."""
    sound = stages_of(recipe(facts(duration_s=length_s)), job())[0].steps[0]
    assert (sound.id, sound.timeout_s) == ("audio", timeout_s)


@pytest.mark.parametrize(("size_bytes", "weight"), [(1, 0.1), (5_000_000, 1), (5_000_000_000, 1000)])
def test_repackage_stage_weight_grows_with_the_file(size_bytes, weight):
    (step,) = repackage_stage(size_bytes).steps
    assert step.weight == weight
    assert step.timeout_s == max(900, 20 * weight)


def test_repackage_stage_that_codes_pictures_has_time_for_them():
    (step,) = repackage_stage(5_000_000, coding_s=99).steps
    assert (step.weight, step.timeout_s) == (100, 2000)
