"""Sounds in parts: no word is lost, doubled or cut through where two parts meet."""

import pytest

from podjobs.transcription.captions.faults import find_faults
from podjobs.transcription.captions.rules import CueRules
from podjobs.transcription.hearing.sound import SLACK_S
from podjobs.transcription.recipe import Recipe
from podjobs.transcription.transcribe import read_words
from podjobs.transcription.workspace import Workspace
from support.captions import cues_of
from support.lecture import make_lecture
from support.speech import LECTURE, NO_SPEECH, join, normalize
from support.word_joins import JoinFaults, count_join_faults


def transcribe(transcriber, sound):
    """Transcribe a sound.

    Returns:
        The words of all parts, read before they are removed, where parts meet, and the WebVTT.
    """
    (transcriber.folder / sound.name).hardlink_to(sound)
    run, plan = transcriber.plan(sound.name)
    recipe = Recipe.model_validate(plan.shared)
    parts, captions = plan.stages[:2]
    run.perform(parts)
    work = Workspace(run.job.id, transcriber.tools, transcriber.storage, transcriber.settings, 60)
    words = [word for part in recipe.parts(SLACK_S) for word in read_words(part, work)]
    run.perform(captions)
    return words, recipe.cuts_s, (transcriber.root / run.job.captions).read_text(encoding="utf-8")


def faults_at_joins(words, cuts_s, text):
    return count_join_faults(words, cuts_s, normalize(text), normalize)


def test_transcribe_in_parts_words_at_every_join_are_those_of_the_text(make_transcriber, lecture):
    words, cuts_s, _ = transcribe(make_transcriber(podjobs_part_min_s=8, podjobs_part_max_s=10), lecture)
    assert len(cuts_s) >= 2
    assert faults_at_joins(words, cuts_s, " ".join(LECTURE)) == JoinFaults(lost=0, doubled=0, cut_through=0)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_transcribe_ten_minutes_words_at_every_join_are_those_of_the_text(transcriber, tmp_path):
    """With noise, music, tones and clapping between the sentences, and parts as they are by default."""
    lecture = make_lecture(tmp_path / "speech", minutes=10)
    words, cuts_s, vtt = transcribe(transcriber, lecture.path)
    assert len(cuts_s) >= 5
    assert faults_at_joins(words, cuts_s, lecture.text) == JoinFaults(lost=0, doubled=0, cut_through=0)
    assert find_faults(cues_of(vtt), CueRules()) == []


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_transcribe_ten_minutes_without_speech_has_no_hallucination(transcriber, tmp_path):
    pieces = [(source, 20) for _ in range(5) for source in NO_SPEECH.values()]
    _, _, vtt = transcribe(transcriber, join(tmp_path / "nobody.mp3", *pieces))
    assert vtt.strip() == "WEBVTT"
