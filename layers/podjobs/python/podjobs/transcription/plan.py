"""Plans a transcription: probes the sound, determines its language, and splits it into parts."""

import posixpath
from dataclasses import dataclass

from podjobs.contract.errors import PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import TranscriptionJob
from podjobs.contract.plans import Plan
from podjobs.contract.ports.speech import ModelLocation, SpeechModel
from podjobs.media.decodable import gives_sound
from podjobs.media.levels import Recording, choose_channel, choose_lift, describe_cancelling, measure_levels
from podjobs.media.limits import check_length
from podjobs.media.probe import probe_source
from podjobs.transcription.hearing import loudness
from podjobs.transcription.hearing.sound import Sound, measure_length, on_grid, read_sound
from podjobs.transcription.hearing.split import SEARCH_RADII_S, find_pause, find_quietest, place_marks, search_span
from podjobs.transcription.hearing.vad import find_speech, pad_speech
from podjobs.transcription.hearing.windows import pack_windows
from podjobs.transcription.languages import AUTO, ENGLISH, choose_language, choose_model, read_language
from podjobs.transcription.recipe import Recipe
from podjobs.transcription.spans import TimeSpan
from podjobs.transcription.steps import stages_of
from podjobs.transcription.workspace import Workspace

LANGUAGE_WINDOWS = 5
"""Windows of speech, from all over the sound, whose language is detected."""
LANGUAGE_SEARCH_S = 60.0
TRANSCRIBES_ONLY = ("turbo", "distil")
"""In names of models that were trained without translations. Source: their model cards."""


@dataclass(frozen=True)
class SpeechDetector:
    """Detects speech in a sound."""

    sound: Sound
    model: SpeechModel
    work: Workspace

    def read(self, span: TimeSpan) -> tuple[bytes, list[float]]:
        """The samples of a span, and the probabilities of speech in them."""
        samples = read_sound(self.sound, span.start_s, span.end_s, self.work)
        return samples, list(self.model.speech_probabilities(samples))


def plan_job(job: TranscriptionJob, model: SpeechModel, work: Workspace) -> Plan:
    """Examine the sound and plan the rest of the job.

    Args:
        job: what was requested.
        model: detects pauses, and the language if the job leaves it open.
        work: the step's workspace.

    Raises:
        PermanentError: there is no such language or model, or the file contains no sound.
        RetryableError: the file does not exist (yet).
    """
    wanted = read_language(job.language)
    if wanted != AUTO:
        check_model(wanted, model, work)
    sound = open_sound(job, work)
    length_s = measure_length(sound, work)
    check_length(work.storage.pod_path(job.source), length_s, work.settings)
    if length_s <= 0 or not gives_sound(sound.source, sound.audio, work):
        name = work.storage.pod_path(job.source)
        detail = f"No sound can be read from {name!r}: the file is damaged. Upload it again."
        raise PermanentError(detail, kind=FailureKind.DAMAGED)
    work.storage.start_work(job.id, f"{job.type} of {job.target}")
    sound, log = _adjust(sound, length_s, work)
    detector = SpeechDetector(sound, model, work)
    is_open = wanted == AUTO
    if is_open:
        wanted, sentence = find_language(detector, length_s)
        log += (sentence,)
    # who speaks English is not translated
    translate = job.translate and wanted != ENGLISH
    if translate:
        check_translates(choose_model(work.settings.models, wanted))
        log += ("The captions are translated into English.",)
    cuts_s = place_cuts(detector, length_s)
    recipe = Recipe(
        sound=sound,
        length_s=length_s,
        cuts_s=cuts_s,
        language=wanted,
        # captions that are translated are in one language, whatever is spoken
        language_is_open=is_open and not translate,
        translate=translate,
        log=log,
    )
    return Plan(
        shared=recipe.model_dump(mode="json"),
        stages=stages_of(recipe, job, asks_topic=work.settings.podjobs_transcription_asks_topic),
        log=log,
        media_s=length_s,
        source_bytes=work.storage.size_bytes(job.source),
    )


def check_model(language: str, model: SpeechModel, work: Workspace) -> ModelLocation:
    """Find the model for a language and check that it can be used. Raises PermanentError if it cannot."""
    location = choose_model(work.settings.models, language)
    if language != ENGLISH and not model.is_multilingual(location):
        raise PermanentError(
            f"The model {location.model!r} in TRANSCRIPTION_MODEL_PARAM for {language!r} supports only English. "
            "Name a multilingual one, such as 'small' instead of 'small.en'.",
            kind=FailureKind.NO_MODEL,
        )
    return location


def check_translates(location: ModelLocation) -> None:
    """Raise PermanentError if a model is of a kind that was made to transcribe only."""
    name = posixpath.basename(location.model.rstrip("/")).lower()
    if any(mark in name for mark in TRANSCRIBES_ONLY):
        raise PermanentError(
            f"The model {location.model!r} in TRANSCRIPTION_MODEL_PARAM cannot translate into English. Name another "
            "one, such as 'medium' or 'large-v3', or ask for captions in the language that is spoken.",
            kind=FailureKind.NO_MODEL,
        )


def open_sound(job: TranscriptionJob, work: Workspace) -> Sound:
    """Probe the file. Raises PermanentError if it contains no sound."""
    facts = probe_source(work.tools, work.storage, work.settings, job.source)
    if facts.audio is None:
        name = work.storage.pod_path(job.source)
        detail = f"The file {name!r} has no audio stream: there is nothing to transcribe."
        raise PermanentError(detail, kind=FailureKind.NO_SOUND)
    return Sound.of(job.source, facts, facts.audio)


def _adjust(sound: Sound, length_s: float, work: Workspace) -> tuple[Sound, tuple[str, ...]]:
    """Choose the channel and the gain; the second value is what the log says about them."""
    measured = measure_levels(Recording(sound.source, sound.audio, length_s, sound.seeks), work)
    log: tuple[str, ...] = ()
    channel = choose_channel(measured)
    if channel is not None:
        sound = sound.model_copy(update={"channel": channel})
        log += (f"{describe_cancelling()} Only the {('left', 'right')[channel]} one is transcribed.",)
    if work.settings.transcription_normalize:
        sound, sentences = _normalize(sound, work)
        return sound, log + sentences
    lift_db = choose_lift(measured)
    if lift_db:
        sound = sound.model_copy(update={"gain_db": lift_db})
        log += (f"The sound is very quiet; it is amplified by {lift_db:.0f} dB to be transcribed.",)
    return sound, log


def _normalize(sound: Sound, work: Workspace) -> tuple[Sound, tuple[str, ...]]:
    measured_lufs = loudness.measure_loudness(sound, work)
    gain_db = loudness.choose_gain(measured_lufs, work.settings.transcription_normalize_target_level)
    sentence = f"The sound has a loudness of {measured_lufs:.1f} LUFS and is amplified by {gain_db:+.1f} dB."
    return sound.model_copy(update={"gain_db": gain_db}), (sentence,)


def place_cuts(detector: SpeechDetector, length_s: float) -> tuple[float, ...]:
    """Choose where the sound is cut into parts, examining only the surroundings of the marks.

    Args:
        detector: for the sound.
        length_s: how long it is.
    """
    settings = detector.work.settings
    marks_s = place_marks(length_s, settings)
    part_s = length_s / (len(marks_s) + 1)
    cuts_s = []
    for mark_s in marks_s:
        for radius_s in SEARCH_RADII_S:
            span = search_span(mark_s, radius_s, part_s)
            span = TimeSpan(on_grid(span.start_s), on_grid(span.end_s))
            _, probabilities = detector.read(span)
            if not probabilities:
                break
            pause_s = find_pause(probabilities, settings.podjobs_speech_threshold, mark_s - span.start_s)
            if pause_s is not None:
                cuts_s.append(on_grid(span.start_s + pause_s))
                break
        else:
            cuts_s.append(on_grid(span.start_s + find_quietest(probabilities)))
    return tuple(cuts_s)


def find_language(detector: SpeechDetector, length_s: float) -> tuple[str, str]:
    """Detect the language from speech in several places, not only at the beginning.

    Args:
        detector: for the sound.
        length_s: how long it is.

    Returns:
        The language's code, and a sentence for the log.

    Raises:
        PermanentError: no model can tell languages apart.
    """
    models, model = detector.work.settings.models, detector.model
    judge = next((location for location in _auto_first(models) if model.is_multilingual(location)), None)
    if judge is None:
        if set(models) == {ENGLISH}:
            return ENGLISH, "Pod leaves the language open, and there is only a model for English."
        raise PermanentError(
            "Pod leaves the language open, and no model of TRANSCRIPTION_MODEL_PARAM can tell languages apart. "
            "Choose the language of this video in Pod, or add an entry 'auto' that names a multilingual model.",
            kind=FailureKind.LANGUAGE,
        )
    votes = [model.detect_language(judge, window) for window in _speech_windows(detector, length_s)]
    if not votes:
        return next(iter(models)), "Pod leaves the language open, and no speech was found to detect it from."
    language = choose_language(votes, models)
    share = sum(vote.get(language, 0.0) for vote in votes) / len(votes)
    check_model(language, model, detector.work)
    return language, f"The language was detected as {language!r} ({share:.0%} sure, from {len(votes)} windows)."


def _auto_first(models: dict[str, ModelLocation]) -> list[ModelLocation]:
    return [models[AUTO]] if AUTO in models else list(dict.fromkeys(models.values()))


def _speech_windows(detector: SpeechDetector, length_s: float) -> list[bytes]:
    """The sound of one window of speech from each of several places."""
    found = []
    for number in range(LANGUAGE_WINDOWS):
        middle_s = length_s * (2 * number + 1) / (2 * LANGUAGE_WINDOWS)
        radius_s = min(LANGUAGE_SEARCH_S, length_s / LANGUAGE_WINDOWS) / 2
        span = TimeSpan(on_grid(max(0.0, middle_s - radius_s)), on_grid(middle_s + radius_s))
        samples, probabilities = detector.read(span)
        speech = find_speech(probabilities, detector.work.settings.podjobs_speech_threshold)
        if windows := pack_windows(pad_speech(speech, span.length_s)):
            fullest = max(windows, key=lambda window: sum(part.length_s for part in window.spans))
            found.append(fullest.samples_from(samples))
    return found
