"""Transcribes one part: detects speech, transcribes it, drops hallucinations, tries again where words are missing."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from pydantic import TypeAdapter

from podjobs.contract.plans import Result
from podjobs.contract.ports.speech import SOUND_BYTES_PER_S, SpeechModel, WindowTranscript, Word
from podjobs.transcription.hallucinations.screening import drop_hallucinations
from podjobs.transcription.hearing.doubts import choose_transcript, describe_doubtful, goes_in_circles
from podjobs.transcription.hearing.gaps import (
    WORD_MARGIN_S,
    around_gaps,
    around_words,
    describe_gaps,
    find_gaps,
    words_in_gaps,
)
from podjobs.transcription.hearing.sound import read_sound
from podjobs.transcription.hearing.utterances import Utterance, mark_voiced, merge_utterances, place_utterances
from podjobs.transcription.hearing.vad import divide_span, find_speech, pad_speech, widen_speech
from podjobs.transcription.hearing.windows import MAX_SPEECH_S, Window, pack_windows
from podjobs.transcription.interpreter import Assignment, Interpreter, runs_of, speech_in
from podjobs.transcription.recipe import Part, Recipe
from podjobs.transcription.spans import TimeSpan
from podjobs.transcription.spoken_languages import describe_others
from podjobs.transcription.steps import WORDS_FOLDER
from podjobs.transcription.workspace import Workspace

Heard = tuple[Window, WindowTranscript]
SHORT_S = 10.0
"""A model that went in circles, or heard nothing, may find its way in shorter windows."""
SURE_PROBABILITY = 0.8
"""Of speech: music that is taken for speech seldom reaches it, speech in noise nearly always does."""
AGAIN_S = ((MAX_SPEECH_S, 2.0), (SHORT_S, 0.5))
"""What has no words is heard again in passages of at most this length, with so much around it: words at its edges are
whole, and the model knows what it is about. What then has none is heard nearly by itself, and in shorter passages: a
model that ends too early, after what it knows already, cannot do so then."""
WORDS: TypeAdapter[tuple[Word, ...]] = TypeAdapter(tuple[Word, ...])


def transcribe_part(part: Part, recipe: Recipe, model: SpeechModel, work: Workspace, hotwords: str = "") -> Result:
    """Transcribe a part and leave the words in the job's work folder.

    Args:
        part: the part.
        recipe: the job.
        model: detects speech and transcribes it.
        work: the step's workspace.
        hotwords: that may be said; empty: none are known.

    Returns:
        `words`: how many; `speech_s`: how much speech there is; `runs`: how many words in a row are in which language;
        `spoken_s`: seconds of speech by language. The log says what was dropped, what is missing, and where another
        language is spoken.
    """
    samples = read_sound(recipe.sound, part.start_s, part.end_s, work)
    assignment = Assignment(recipe.language, recipe.language_is_open, hotwords, translate=recipe.translate)
    transcription = PartTranscription(samples, assignment, model, work)
    utterances = transcription.run()
    words = tuple(_on_file_clock(word, part.start_s) for utterance in utterances for word in utterance.words)
    with work.writing(WORDS_FOLDER) as folder:
        (folder / file_name(part)).write_bytes(WORDS.dump_json(words))
    speech_s = sum(span.length_s for span in transcription.speech)
    log = tuple(f"In the part from {_clock(part.start_s)} on: {sentence}" for sentence in transcription.log)
    interpreter = transcription.interpreter
    runs = runs_of([word.start_s - part.start_s for word in words], interpreter)
    spoken_s = speech_in(interpreter.heard, recipe.language)
    values = {"words": len(words), "speech_s": round(speech_s, 2), "runs": runs, "spoken_s": spoken_s}
    return Result(values=values, log=log)


def file_name(part: Part) -> str:
    """The name of the file with a part's words."""
    return f"{part.name}.json"


def read_words(part: Part, work: Workspace) -> tuple[Word, ...]:
    """Read the words of a transcribed part. Raises RetryableError if its file does not exist."""
    with work.storage.open(work.key(f"{WORDS_FOLDER}/{file_name(part)}")) as file:
        return WORDS.validate_python(json.load(file))


class PartTranscription:
    """The transcription of one part; all times are relative to its beginning."""

    def __init__(self, samples: bytes, assignment: Assignment, model: SpeechModel, work: Workspace) -> None:
        """Detect speech.

        Args:
            samples: the part's sound.
            assignment: the language, and whether it is translated.
            model: detects speech and transcribes it.
            work: the step's workspace; its settings count.
        """
        self._samples = samples
        self._settings = work.settings
        self.interpreter = Interpreter(model, work.settings.models, assignment)
        self._probabilities = list(model.speech_probabilities(samples))
        self.speech = find_speech(self._probabilities, work.settings.podjobs_speech_threshold)
        # with what may be speech, too: it is heard, and missed if it has no words
        self._wide = widen_speech(self.speech, self._probabilities)
        self._voice = find_speech(self._probabilities, max(SURE_PROBABILITY, work.settings.podjobs_speech_threshold))
        self._length_s = len(samples) / SOUND_BYTES_PER_S
        self.log: list[str] = []

    def run(self) -> tuple[Utterance, ...]:
        """Transcribe all speech; then, more thoroughly, what goes in circles, and what has no words yet."""
        padded = pad_speech(self._wide, self._length_s)
        windows = pack_windows(self._divided(padded, MAX_SPEECH_S), speech=self._wide)
        utterances = self._screened(self._out_of_circles(windows, self._transcribe(windows, thorough=False)))
        for longest_s, context_s in AGAIN_S:
            gaps = self._gaps(utterances)
            if not gaps:
                break
            passages = around_gaps(gaps, self._length_s, context_s)
            windows = tuple(Window((span,)) for span in self._divided(passages, longest_s))
            again = self._screened(zip(windows, self._transcribe(windows, thorough=True), strict=True))
            utterances = merge_utterances(utterances, words_in_gaps(gaps, again, utterances))
        self.log += describe_gaps(self._gaps(utterances))
        self.log += describe_doubtful(utterances, self._settings.podjobs_hallucination_limits.unsure_log_probability)
        self.log += describe_others(self.interpreter.heard, self.interpreter.assignment.language)
        return utterances

    def _divided(self, spans: Iterable[TimeSpan], max_s: float) -> list[TimeSpan]:
        return [part for span in spans for part in divide_span(span, self._probabilities, max_s)]

    def _transcribe(self, windows: Sequence[Window], *, thorough: bool) -> Sequence[WindowTranscript]:
        if not windows:
            return ()
        sounds = [window.samples_from(self._samples) for window in windows]
        return self.interpreter.transcribe(windows, sounds, thorough=thorough)

    def _out_of_circles(self, windows: Sequence[Window], transcripts: Sequence[WindowTranscript]) -> Iterator[Heard]:
        """The transcripts; those that go in circles are made again, in shorter windows if need be."""
        for window, transcript in zip(windows, transcripts, strict=True):
            if not goes_in_circles(transcript):
                yield window, transcript
                continue
            (again,) = self._transcribe([window], thorough=True)
            better = choose_transcript(transcript, again)
            divided = self._divided(window.spans, SHORT_S) if goes_in_circles(better) else []
            shorter = pack_windows(divided, SHORT_S, self.speech)
            parts = self._transcribe(shorter, thorough=True)
            if all(map(goes_in_circles, parts)):
                yield window, better
            else:
                yield from zip(shorter, parts, strict=True)

    def _screened(self, heard: Iterable[Heard]) -> tuple[Utterance, ...]:
        utterances = [
            mark_voiced(utterance, self._voice)
            for window, transcript in heard
            for utterance in place_utterances(window, transcript)
        ]
        kept, dropped = drop_hallucinations(utterances, self.speech, self._settings.podjobs_hallucination_limits)
        self.log += [sentence for sentence in dropped if sentence not in self.log]
        return kept

    def _gaps(self, utterances: Sequence[Utterance]) -> tuple[TimeSpan, ...]:
        return find_gaps(self._wide, around_words(utterances, WORD_MARGIN_S), self._settings.podjobs_gap_s)


def _on_file_clock(word: Word, part_start_s: float) -> Word:
    start_s, end_s = (round(time_s + part_start_s, 3) for time_s in (word.start_s, word.end_s))
    return replace(word, start_s=start_s, end_s=end_s)


def _clock(time_s: float) -> str:
    minutes, seconds = divmod(round(time_s), 60)
    return f"{minutes}:{seconds:02d}"
