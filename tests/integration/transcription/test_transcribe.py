"""Real speech through the real model: what is said is written, once, and nothing else."""

import shutil
import stat

import numpy as np
import pytest
import webvtt

from podjobs.contract.errors import PermanentError, RetryableError
from podjobs.contract.steps import StepSpec
from podjobs.media.probe import probe_source
from podjobs.transcription.cues import Cue, CueRules, find_faults
from podjobs.transcription.sound import Sound, read_sound
from podjobs.transcription.workspace import Workspace
from support.media import ffmpeg, make_video
from support.speech import TEXT, word_errors
from support.transcriber import make_settings, text_of

SHORT_PARTS = {"podjobs_part_min_s": 5, "podjobs_part_max_s": 10, "podjobs_parts_per_sound": 4}


def place(transcriber, source, name="talk.mp3"):
    return shutil.copy(source, transcriber.folder / name)


def seconds(clock):
    hours, minutes, rest = clock.split(":")
    return int(hours) * 3600 + int(minutes) * 60 + float(rest)


def cues_of(vtt):
    return [
        Cue(start_s=seconds(caption.start), end_s=seconds(caption.end), lines=tuple(caption.lines))
        for caption in webvtt.from_string(vtt).captions
    ]


def test_transcribe_speech_becomes_captions_people_can_read(transcriber, spoken):
    place(transcriber, spoken)
    vtt = transcriber.transcribe("talk.mp3")
    assert word_errors(" ".join(TEXT), text_of(vtt)) < 0.12
    assert find_faults(cues_of(vtt), CueRules()) == []


def test_transcribe_in_parts_loses_and_doubles_no_word(make_transcriber, spoken):
    whole, parts = make_transcriber(), make_transcriber(**SHORT_PARTS)
    place(whole, spoken)
    in_one = text_of(whole.transcribe("talk.mp3"))
    in_parts = text_of(parts.transcribe("talk.mp3"))
    assert sum(action == "transcribe" for _, action, _ in whole.steps) == 1
    assert sum(action == "transcribe" for _, action, _ in parts.steps) >= 3
    assert word_errors(in_one, in_parts) < 0.05
    assert len(in_parts.split()) == pytest.approx(len(in_one.split()), abs=2)


def test_plan_cuts_lie_in_pauses(make_transcriber, spoken):
    transcriber = make_transcriber(**SHORT_PARTS)
    place(transcriber, spoken)
    _, plan = transcriber.plan("talk.mp3")
    sound = Sound.model_validate(plan.shared["sound"])
    work = Workspace("test", transcriber.tools, transcriber.storage, transcriber.settings, 60)
    for cut_s in plan.shared["cuts_s"]:
        around = np.frombuffer(read_sound(sound, cut_s - 0.04, cut_s + 0.04, work), np.int16)
        assert np.abs(around.astype(int)).max() < 300


@pytest.mark.parametrize(
    ("name", "options", "largest"),
    # AAC puts noise of its own in the place of noise, another one at every decoding
    [("a.mp3", ("-q:a", 2), 3), ("a.m4a", ("-c:a", "aac"), 600), ("a.wav", (), 0)],
    ids=["mp3", "aac", "wav"],
)
def test_read_sound_parts_laid_end_to_end_are_the_whole(transcriber, spoken, name, options, largest):
    ffmpeg("-i", spoken, *options, transcriber.folder / name)
    key = f"videos/abc/0007/{name}"
    facts = probe_source(transcriber.tools, transcriber.storage, transcriber.settings, key)
    sound = Sound(source=key, audio=facts.audio, origin_s=facts.start_s, seeks=True)
    work = Workspace("test", transcriber.tools, transcriber.storage, transcriber.settings, 60)
    whole = np.frombuffer(read_sound(sound, 0.0, 20.0, work), np.int16).astype(int)
    pieces = [(0.0, 3.4), (3.4, 8.84), (8.84, 14.0), (14.0, 20.0)]
    joined = np.concatenate([np.frombuffer(read_sound(sound, *piece, work), np.int16) for piece in pieces]).astype(int)
    assert len(joined) == len(whole) == 20 * 16_000
    assert np.abs(joined - whole).max() <= largest
    assert np.abs(joined - whole).mean() < 1


@pytest.mark.parametrize(
    "sound",
    ["anullsrc=r=48000", "anoisesrc=a=0.1", "sine=f=1000", "aevalsrc=0.1*sin(440*2*PI*t)+0.1*sin(554*2*PI*t)"],
    ids=["silence", "noise", "tone", "chord"],
)
def test_transcribe_without_speech_nothing_is_invented(transcriber, sound):
    ffmpeg("-f", "lavfi", "-i", sound, "-t", 40, transcriber.folder / "talk.mp3")
    vtt = transcriber.transcribe("talk.mp3")
    assert vtt.strip() == "WEBVTT"
    assert any("Nobody speaks" in sentence for sentence in transcriber.log)


def test_transcribe_captions_are_readable_for_pod_and_a_repeat_changes_nothing(transcriber, spoken):
    place(transcriber, spoken)
    job, plan = transcriber.plan("talk.mp3")
    for stage in plan.stages:
        for spec in stage.steps if stage.name != "notify" else ():
            transcriber.perform(job, spec, plan.shared)
    made = transcriber.root / job.captions_key
    before = made.read_bytes()
    assert stat.S_IMODE(made.stat().st_mode) & 0o444 == 0o444
    assert not (transcriber.root / "work").exists()
    captions = next(spec for stage in plan.stages for spec in stage.steps if spec.action == "captions")
    transcriber.perform(job, captions, plan.shared)
    assert made.read_bytes() == before


def test_transcribe_loudness_is_brought_to_the_target(make_transcriber, spoken, tmp_path):
    transcriber = make_transcriber(transcription_normalize=True)
    ffmpeg("-i", spoken, "-af", "volume=-30dB", transcriber.folder / "quiet.mp3")
    vtt = transcriber.transcribe("quiet.mp3")
    assert word_errors(" ".join(TEXT), text_of(vtt)) < 0.15
    assert any("LUFS and is amplified by +" in sentence for sentence in transcriber.log)


def test_plan_length_that_pod_has_wrong_does_not_count(transcriber, spoken):
    place(transcriber, spoken)
    _, plan = transcriber.plan("talk.mp3", duration=100_000)
    assert 20 < plan.shared["length_s"] < 60


def test_plan_language_left_open_with_a_model_for_english_only_is_english(transcriber, spoken):
    place(transcriber, spoken)
    _, plan = transcriber.plan("talk.mp3", lang="auto")
    assert plan.shared["language"] == "en"


@pytest.mark.parametrize(
    ("lang", "reason"),
    [("klingon", "The language 'klingon' is not known"), ("fr", "There is no model for the language 'fr'")],
)
def test_plan_language_that_cannot_be_done_is_refused(transcriber, spoken, lang, reason):
    place(transcriber, spoken)
    with pytest.raises(PermanentError, match=reason):
        transcriber.plan("talk.mp3", lang=lang)


def test_plan_model_that_knows_english_only_is_not_used_for_french(make_transcriber, spoken):
    english = make_settings("/").transcription_model_param["WHISPER"]["en"]
    transcriber = make_transcriber(transcription_model_param={"WHISPER": {"fr": english.model_dump()}})
    place(transcriber, spoken)
    with pytest.raises(PermanentError, match="knows English only"):
        transcriber.plan("talk.mp3", lang="fr")


@pytest.mark.parametrize("files", [(), ("config.json",)], ids=["empty", "half"])
def test_plan_broken_model_folder_is_named(make_transcriber, spoken, tmp_path, files):
    folder = tmp_path / "model"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("{}")
    transcriber = make_transcriber(transcription_model_param={"WHISPER": {"en": {"model": str(folder)}}})
    place(transcriber, spoken)
    with pytest.raises(PermanentError, match="TRANSCRIPTION_MODEL_PARAM"):
        transcriber.transcribe("talk.mp3")


def test_plan_missing_file_is_waited_for(transcriber):
    with pytest.raises(RetryableError, match="is not there"):
        transcriber.plan("gone.mp3")


@pytest.mark.parametrize("content", [b"", b"no sound at all"], ids=["zero bytes", "text"])
def test_plan_file_that_is_no_sound_is_refused(transcriber, content):
    (transcriber.folder / "talk.mp3").write_bytes(content)
    with pytest.raises(PermanentError, match=r"talk\.mp3"):
        transcriber.plan("talk.mp3")


def test_plan_video_without_sound_is_refused(transcriber):
    make_video(transcriber.folder / "talk.mp4", duration_s=2, sound=False)
    with pytest.raises(PermanentError, match="no audio stream"):
        transcriber.plan("talk.mp4")


def test_report_failure_leaves_an_empty_file_for_pod(transcriber):
    job = transcriber.job("talk.mp3")
    transcriber.perform(job, StepSpec(id="report", function="transcription", action="report"), {})
    assert (transcriber.root / job.captions_key).read_text().strip() == "WEBVTT"
