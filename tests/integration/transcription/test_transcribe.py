"""Real speech, the real model: what is said becomes captions, what is not said does not."""

import stat
import time

import pytest

from podjobs.backends.work_folder import MARKER
from podjobs.contract.commands import Access
from podjobs.contract.confidence import Confidence
from podjobs.contract.ports.speech import SOUND_BYTES_PER_S, ModelLocation, WindowTranscript, Word
from podjobs.transcription.captions.faults import find_faults
from podjobs.transcription.captions.rules import CueRules
from support.captions import cues_of, text_of
from support.speech import LECTURE, NO_SPEECH, WER, error_rate, join, plain_words
from support.transcriber import MODEL, warm_model

TEXT = " ".join(LECTURE)


def put(transcriber, *files):
    for file in files:
        (transcriber.folder / file.name).hardlink_to(file)


def test_transcribe_speech_becomes_captions_at_its_time(transcriber, lecture, sentences):
    put(transcriber, lecture)

    vtt = transcriber.transcribe(lecture.name)

    assert error_rate(TEXT, text_of(vtt)) < WER
    cues = cues_of(vtt)
    assert cues[0].lines[0].startswith("Good morning")
    assert cues[0].start_s < 0.5
    last = cues[-1]
    assert "listening" in last.lines[-1]
    length_s = sum(s.stat().st_size for s in sentences) / 32_000 + 0.7 * len(sentences)
    assert length_s - 3.5 < last.start_s < last.end_s < length_s


def test_transcribe_leaves_one_file_that_all_may_read_and_nothing_else(transcriber, lecture):
    put(transcriber, lecture)
    transcriber.transcribe(lecture.name)
    (file,) = (transcriber.root / "temp").iterdir()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert not (transcriber.root / "work").exists()


@pytest.fixture
def in_parts(make_transcriber):
    """Parts of some ten seconds."""
    return make_transcriber(podjobs_part_min_s=8, podjobs_part_max_s=10)


def test_transcribe_in_parts_text_and_captions_are_as_of_the_whole(in_parts, lecture):
    """What happens to the words at each join: see test_joins.py."""
    put(in_parts, lecture)

    vtt = in_parts.transcribe(lecture.name)

    parts = [step for step, action, _ in in_parts.steps if action == "transcribe"]
    assert len(parts) >= 3
    assert error_rate(TEXT, text_of(vtt)) < WER
    heard, said = plain_words(text_of(vtt)), plain_words(TEXT)
    assert abs(len(heard) - len(said)) <= 2
    assert find_faults(cues_of(vtt), CueRules()) == []


def test_transcribe_parts_are_cut_where_nobody_speaks(in_parts, lecture):
    put(in_parts, lecture)
    _, plan = in_parts.plan(lecture.name)
    samples = in_parts.tools.run(
        ["ffmpeg", "-v", "error", "-i", str(lecture), "-ac", "1", "-ar", "16000", "-f", "s16le", "-"],
        timeout_s=60, access=Access((lecture,)), limit_bytes=1 << 28,
    )  # fmt: skip
    for cut_s in plan.shared["cuts_s"]:
        around = memoryview(samples[round((cut_s - 0.1) * 16_000) * 2 : round((cut_s + 0.1) * 16_000) * 2]).cast("h")
        assert max(map(abs, around)) < 200, cut_s  # the lecture's pauses are silent


@pytest.mark.parametrize("kind", NO_SPEECH)
def test_transcribe_what_is_not_speech_has_no_hallucination(transcriber, tmp_path, kind):
    """A valid WebVTT without a caption, and the job is done."""
    put(transcriber, join(tmp_path / "sound.mp3", (NO_SPEECH[kind], 20)))

    vtt = transcriber.transcribe("sound.mp3")

    assert vtt.strip() == "WEBVTT", vtt
    told = transcriber.run.results["captions"][1]
    assert told["message"].startswith("Nobody speaks in these 20 s")
    assert told["published_at"] > 0


@pytest.mark.slow
def test_transcribe_between_speech_there_is_no_hallucination(transcriber, tmp_path, sentences):
    """Captions lie where speech is."""
    pieces, spans, at_s = [], [], 0.0
    for sentence, kind in zip(sentences, NO_SPEECH, strict=False):
        length_s = sentence.stat().st_size / 32_000
        pieces += [sentence, (NO_SPEECH[kind], 6)]
        spans.append((at_s, at_s + length_s))
        at_s += length_s + 6
    put(transcriber, join(tmp_path / "mixed.mp3", *pieces))

    vtt = transcriber.transcribe("mixed.mp3")

    for cue in cues_of(vtt):
        middle_s = (cue.start_s + cue.end_s) / 2
        assert any(start_s - 1 < middle_s < end_s + 1 for start_s, end_s in spans), cue
    assert error_rate(" ".join(LECTURE[: len(spans)]), text_of(vtt)) < 0.12


class HardOfHearing:
    """The real model, except for what it does not hear."""

    def __init__(self, model, *, deaf):
        self._model, self._deaf = model, deaf

    def __getattr__(self, name):
        return getattr(self._model, name)

    def transcribe(self, location, windows, language, *, thorough, **others):
        if thorough and not self._deaf:
            return self._model.transcribe(location, windows, language, thorough=True, **others)
        return tuple(WindowTranscript(()) for _ in windows)


def test_transcribe_gap_is_transcribed_again(make_transcriber, lecture):
    """The first attempt heard nothing; the second one, with other parameters, does."""
    transcriber = make_transcriber(HardOfHearing(warm_model(), deaf=False), podjobs_gap_s=1.5)
    put(transcriber, lecture)
    assert error_rate(TEXT, text_of(transcriber.transcribe(lecture.name))) < 0.1


def test_transcribe_gap_that_stays_open_is_logged(make_transcriber, lecture):
    transcriber = make_transcriber(HardOfHearing(warm_model(), deaf=True), podjobs_gap_s=1.5)
    put(transcriber, lecture)
    assert transcriber.transcribe(lecture.name).strip() == "WEBVTT"
    assert any("have no caption" in sentence for sentence in transcriber.run.log)


class GoingInCircles:
    """The real model, except that batches become loops, and long windows, too, if it is stubborn."""

    def __init__(self, model, *, stubborn):
        self._model, self._stubborn = model, stubborn

    def __getattr__(self, name):
        return getattr(self._model, name)

    def transcribe(self, location, windows, language, *, thorough, **rest):
        if not thorough or (self._stubborn and any(len(window) > 11 * SOUND_BYTES_PER_S for window in windows)):
            loop = tuple(Word(" no,", at / 2, at / 2 + 0.5) for at in range(40))
            return tuple(WindowTranscript(loop, Confidence(compression_ratio=9.0)) for _ in windows)
        return self._model.transcribe(location, windows, language, thorough=True, **rest)


@pytest.mark.parametrize("stubborn", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_transcribe_loop_what_is_said_beneath_it_is_heard(make_transcriber, lecture, stubborn):
    transcriber = make_transcriber(GoingInCircles(warm_model(), stubborn=stubborn))
    put(transcriber, lecture)
    vtt = transcriber.transcribe(lecture.name)
    assert error_rate(TEXT, text_of(vtt)) < WER
    assert "no, no" not in text_of(vtt)


@pytest.mark.slow
def test_transcribe_quiet_sound_is_amplified_when_asked(make_transcriber, tmp_path, lecture):
    quiet = tmp_path / "quiet.wav"
    join(quiet, lecture, coding=(), rate_hz=16_000, volume_db=-25)
    transcriber = make_transcriber(transcription_normalize=True, transcription_normalize_target_level=-20)
    put(transcriber, quiet)

    vtt = transcriber.transcribe(quiet.name)

    (sentence,) = [sentence for sentence in transcriber.run.log if "LUFS" in sentence]
    assert "amplified by +" in sentence
    assert error_rate(TEXT, text_of(vtt)) < WER


def test_transcribe_model_is_loaded_once(transcriber):
    location = ModelLocation(MODEL)
    transcriber.model.is_multilingual(location)
    started = time.perf_counter()
    assert transcriber.model.is_multilingual(location) is False
    assert time.perf_counter() - started < 0.01


def test_captions_step_repeated_after_its_answer_was_lost_is_done(transcriber, lecture):
    put(transcriber, lecture)
    run, plan = transcriber.plan(lecture.name)
    for stage in plan.stages[:2]:
        run.perform(stage)
    made = (transcriber.root / run.job.captions).read_bytes()

    run.perform_step(plan.stages[1].steps[0])

    assert (transcriber.root / run.job.captions).read_bytes() == made


@pytest.mark.slow
def test_captions_step_repeated_after_it_was_killed_while_it_removed_leaves_nothing(transcriber, lecture):
    put(transcriber, lecture)
    run, plan = transcriber.plan(lecture.name)
    for stage in plan.stages[:2]:
        run.perform(stage)
    # the work folder is closed, but not all that is in it was removed
    transcriber.storage.start_work(run.job.id)
    with transcriber.storage.writing(transcriber.storage.work_key(run.job.id, "words")) as folder:
        (folder / "1.json").write_text("[]")
    (transcriber.root / "work" / run.job.id / MARKER).unlink()

    run.perform_step(plan.stages[1].steps[0])

    assert not (transcriber.root / "work").exists()
