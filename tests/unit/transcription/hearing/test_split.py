"""Parts: how many, and where they are cut."""

from itertools import pairwise

import pytest

from podjobs.contract.ports.speech import VAD_FRAME_S
from podjobs.contract.reply_to import Nobody
from podjobs.media.facts import AudioFacts
from podjobs.transcription.hearing.sound import GRID_S, Sound, on_grid
from podjobs.transcription.hearing.split import find_pause, find_quietest, place_marks, search_span
from podjobs.transcription.recipe import Recipe
from podjobs.transcription.spans import TimeSpan
from podjobs.transcription.steps import stages_of
from support.jobs import transcription_job
from support.transcriber import make_settings

SETTINGS = make_settings("/media")


@pytest.mark.parametrize(
    ("length_s", "parts"),
    [
        (0.5, 1),
        (60, 1),
        (89, 1),  # 60 s are the least
        (91, 2),
        (600, 10),
        (1440, 24),  # 24 parts of 60 s
        (3600, 24),  # 24 of 150 s
        (7200, 24),  # 24 of 300 s
        (36000, 120),  # 300 s are the most
    ],
)
def test_place_marks_number_of_parts(length_s, parts):
    marks_s = place_marks(length_s, SETTINGS)
    assert len(marks_s) == parts - 1
    lengths = [after - before for before, after in pairwise((0, *marks_s, length_s))]
    assert lengths == pytest.approx([length_s / parts] * parts)


def test_search_span_two_marks_never_meet():
    assert search_span(300, 45, 300) == TimeSpan(255, 345)
    assert search_span(60, 45, 60) == TimeSpan(40, 80)
    assert search_span(10, 15, 300) == TimeSpan(0, 25)


def frames(*runs):
    return [probability for probability, seconds in runs for _ in range(round(seconds / VAD_FRAME_S))]


@pytest.mark.parametrize(
    ("runs", "expected_s"),
    [
        ([(0.9, 30)], None),
        ([(0.9, 10), (0.0, 0.1), (0.9, 20)], None),  # too short to be a pause
        ([(0.9, 10), (0.0, 0.6), (0.9, 20)], 10.3),
        ([(0.9, 5), (0.0, 0.4), (0.9, 9), (0.0, 0.8), (0.9, 10)], 14.8),  # the longest
        (
            [(0.9, 5), (0.0, 2), (0.9, 6), (0.0, 1.5), (0.9, 10)],
            14.0,
        ),  # of two long ones the nearer
        ([(0.9, 9), (0.0, 10), (0.9, 9)], 15),  # the mark itself lies in it
        ([(0.0, 30)], 15),  # nobody speaks
        ([(0.9, 20), (0.0, 10)], 20.5),  # half a second into it
    ],
)
def test_find_pause(runs, expected_s):
    found_s = find_pause(frames(*runs), 0.5, 15.0)
    assert found_s == (None if expected_s is None else pytest.approx(expected_s, abs=0.05))


def test_find_quietest_of_speech_without_a_pause():
    assert find_quietest(frames((0.9, 10), (0.55, 0.2), (0.9, 10))) == pytest.approx(10.1, abs=0.1)


def test_on_grid_is_a_whole_number_of_samples_at_usual_rates():
    for rate_hz in (8000, 11_025, 16_000, 22_050, 24_000, 32_000, 44_100, 48_000):
        assert (GRID_S * rate_hz).is_integer() or abs(GRID_S * rate_hz - round(GRID_S * rate_hz)) < 1e-9
    assert on_grid(61.234) == 61.24


def recipe(length_s, *cuts_s):
    audio = AudioFacts(index=0, codec="mp3", sample_rate_hz=44_100, channels=2, start_s=0.025)
    sound = Sound(source="a.mp3", audio=audio, origin_s=0.025, seeks=True)
    return Recipe(sound=sound, length_s=length_s, cuts_s=cuts_s, language="en")


def test_stages_parts_lie_end_to_end_and_weigh_what_they_last():
    """The last one reads on for a while: a file may be longer than it says."""
    job = transcription_job("a", 1, "/media/a.mp3", "en")
    transcribe, captions, notify = stages_of(recipe(600, 290.0, 410.0), job, asks_topic=False)
    spans = [(step.params["start_s"], step.params["end_s"]) for step in transcribe.steps]
    assert spans == [(0, 290), (290, 410), (410, 605)]
    assert [step.weight for step in transcribe.steps] == [290, 120, 195]
    assert [step.id for step in transcribe.steps] == ["part-0000", "part-0001", "part-0002"]
    assert captions.steps[0].needs == ("transcribe",)
    assert notify.steps[0].needs == ("captions",)


def test_stages_pod_is_asked_for_the_topic_before_anything_is_transcribed():
    job = transcription_job("a", 1, "/media/a.mp3", "en")
    topic, transcribe, *_ = stages_of(recipe(600, 290.0), job, asks_topic=True)
    assert [(step.function, step.action) for step in topic.steps] == [("notification", "topic")]
    assert {step.needs for step in transcribe.steps} == {("topic",)}


def test_stages_a_job_that_is_not_pods_asks_nobody():
    job = transcription_job("a", 1, "/media/a.mp3", "en").model_copy(update={"reply_to": Nobody()})
    assert [stage.name for stage in stages_of(recipe(600), job, asks_topic=True)] == [
        "transcribe",
        "captions",
        "notify",
    ]
