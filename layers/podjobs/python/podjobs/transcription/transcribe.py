"""Transcribes one part: finds speech, has it heard, drops what was invented, listens again where words are missing."""

import json
import math
from collections.abc import Sequence
from itertools import pairwise

from pydantic import TypeAdapter

from podjobs.contract.ports import PASSAGE_S, SOUND_BYTES_PER_S, Heard, HeardWord, SpeechModel
from podjobs.contract.steps import Result
from podjobs.transcription.hallucinations.screening import drop_invented
from podjobs.transcription.hearing.sound import read_sound
from podjobs.transcription.hearing.utterances import Segment, Word
from podjobs.transcription.hearing.vad import Stretch, divide, find_holes, find_stretches, pad
from podjobs.transcription.hearing.windows import LONGEST_S, Passage, make_passages
from podjobs.transcription.languages import choose_model
from podjobs.transcription.recipe import Part, Recipe
from podjobs.transcription.workspace import Workspace

FOLDER = "words"
SEGMENTS: TypeAdapter[tuple[Segment, ...]] = TypeAdapter(tuple[Segment, ...])
UTTERANCE_PAUSE_S = 1.0
"""After a longer pause something new is said."""
SENTENCE_ENDS = (".", "?", "!", "…", "。", "？", "！")  # noqa: RUF001 - signs of many writings
WORD_MARGIN_S = 0.5
"""A word's time is that exact: around it nothing is missing."""
SAME_WORD_S = 0.25
"""So much a word's time may differ when it is heard again."""
LEAST_PROBABILITY = 1e-6
"""So that a logarithm can be taken of it."""


def transcribe_part(part: Part, recipe: Recipe, model: SpeechModel, work: Workspace) -> Result:
    """Write down what is said in a part and leave the words in the job's work folder.

    Args:
        part: which.
        recipe: the job.
        model: listens.
        work: where and with what.

    Returns:
        `words`: how many; `speech_s`: how long somebody speaks; the log tells what was dropped and what is missing.
    """
    samples = read_sound(recipe.sound, part.start_s, part.end_s, work)
    hearing = Hearing(samples, recipe.language, model, work)
    segments = hearing.write_down()
    content = SEGMENTS.dump_json(tuple(_on_files_clock(segment, part.start_s) for segment in segments))
    with work.writing(FOLDER) as folder:
        (folder / file_name(part)).write_bytes(content)
    speech_s = sum(stretch.length_s for stretch in hearing.speech)
    log = tuple(f"In the part from {_clock(part.start_s)} on: {sentence}" for sentence in hearing.log)
    return Result(values={"words": sum(len(s.words) for s in segments), "speech_s": round(speech_s, 2)}, log=log)


def file_name(part: Part) -> str:
    """Of the file that holds a part's words."""
    return f"{part.name}.json"


def read_words(part: Part, work: Workspace) -> tuple[Word, ...]:
    """The words of a part that was transcribed. Raises RetryableError when its file is not there."""
    with work.storage.open(work.key(f"{FOLDER}/{file_name(part)}")) as file:
        segments = SEGMENTS.validate_python(json.load(file))
    return tuple(word for segment in segments for word in segment.words)


class Hearing:
    """One part while it is listened to; all times from its beginning."""

    def __init__(self, samples: bytes, language: str, model: SpeechModel, work: Workspace) -> None:
        """Find out where somebody speaks.

        Args:
            samples: the part's sound.
            language: that is spoken.
            model: listens.
            work: its settings.
        """
        self._samples = samples
        self._language = language
        self._model = model
        self._settings = work.settings
        self._place = choose_model(work.settings.models, language)
        self._probabilities = list(model.find_speech(samples))
        self.speech = find_stretches(self._probabilities, work.settings.podjobs_speech_threshold)
        self.log: list[str] = []

    def write_down(self) -> tuple[Segment, ...]:
        """Listen to all speech; then, more thoroughly, to that of which nothing was written down."""
        segments = self._listen(self.speech, thorough=False)
        holes = self._holes(segments)
        if holes:
            again = words_in(holes, self._listen(holes, thorough=True), segments)
            segments = tuple(sorted((*segments, *again), key=lambda segment: segment.start_s))
            self.log += [
                f"speech from {hole.start_s:.1f} s to {hole.end_s:.1f} s has no caption."
                for hole in self._holes(segments)
            ]
        return segments

    def _listen(self, speech: Sequence[Stretch], *, thorough: bool) -> tuple[Segment, ...]:
        total_s = len(self._samples) / SOUND_BYTES_PER_S
        pieces = [
            piece for stretch in pad(speech, total_s) for piece in divide(stretch, self._probabilities, LONGEST_S)
        ]
        passages = make_passages(pieces)
        if not passages:
            return ()
        sounds = [passage.take_from(self._samples) for passage in passages]
        heard = self._model.listen(self._place, sounds, self._language, thorough=thorough)
        segments = [
            segment for passage, one in zip(passages, heard, strict=True) for segment in place_utterances(passage, one)
        ]
        intervals = [(stretch.start_s, stretch.end_s) for stretch in self.speech]
        kept, dropped = drop_invented(segments, intervals, self._settings.podjobs_invention_limits)
        self.log += dropped
        return kept

    def _holes(self, segments: Sequence[Segment]) -> tuple[Stretch, ...]:
        said = (
            Stretch(word.start_s - WORD_MARGIN_S, word.end_s + WORD_MARGIN_S)
            for segment in segments
            for word in segment.words
        )
        return find_holes(self.speech, said, self._settings.podjobs_hole_s)


def words_in(holes: Sequence[Stretch], segments: Sequence[Segment], written: Sequence[Segment]) -> tuple[Segment, ...]:
    """Keep words that lie in holes, or at their edges where nothing is written yet. Pure.

    Around a hole there are words already, and parts of those are heard again; but where speech begins or ends with it,
    its first and last words reach beyond.

    Args:
        holes: speech that nothing was written down of.
        segments: what was heard there.
        written: what was written down before.
    """
    edges = [Stretch(hole.start_s - WORD_MARGIN_S, hole.end_s + WORD_MARGIN_S) for hole in holes]
    taken = [
        Stretch(word.start_s - SAME_WORD_S, word.end_s + SAME_WORD_S) for segment in written for word in segment.words
    ]
    found = []
    for segment in segments:
        words = tuple(word for word in segment.words if _lies_in(word, edges) and not _lies_in(word, taken))
        if words:
            found.append(segment.model_copy(update={"words": words}))
    return tuple(found)


def _lies_in(word: Word, spans: Sequence[Stretch]) -> bool:
    middle_s = (word.start_s + word.end_s) / 2
    return any(span.start_s <= middle_s <= span.end_s for span in spans)


def place_utterances(passage: Passage, heard: Heard) -> tuple[Segment, ...]:
    """Put what was heard in a passage where it was said, one segment an utterance. Pure.

    Args:
        passage: where its stretches are.
        heard: words with their times in the passage.

    Returns:
        Segments, each with its own confidence: a phrase that was invented stands beside others that were not. Signs
        without a word, as music leaves them, are none.
    """
    placed = [_placed(word, passage) for word in heard.words]
    segments = []
    begun = 0
    for index, (word, following) in enumerate(pairwise((*placed, None)), start=1):
        if word is not None and (following is None or _ends_utterance(word, following)):
            utterance = placed[begun:index]
            if any(character.isalnum() for word in utterance for character in word.text):
                segments.append(_segment(utterance, heard))
            begun = index
    return tuple(segments)


def _ends_utterance(word: Word, following: Word) -> bool:
    if not following.text.startswith(" "):  # its other half: «l'» «homme»
        return following.start_s - word.end_s > PASSAGE_S
    return word.text.endswith(SENTENCE_ENDS) or following.start_s - word.end_s > UTTERANCE_PAUSE_S


def _placed(word: HeardWord, passage: Passage) -> Word:
    start_s, end_s = passage.place(word.start_s, word.end_s)
    return Word(
        text=word.text,
        start_s=round(start_s, 3),
        end_s=round(end_s, 3),
        probability=min(1.0, max(0.0, word.probability)),
    )


def _segment(words: Sequence[Word], heard: Heard) -> Segment:
    logarithms = [math.log(max(word.probability, LEAST_PROBABILITY)) for word in words]
    return Segment(
        words=tuple(words),
        no_speech_probability=heard.no_speech_probability,
        average_log_probability=sum(logarithms) / len(logarithms),
        compression_ratio=heard.compression_ratio,
    )


def _on_files_clock(segment: Segment, start_s: float) -> Segment:
    words = tuple(
        word.model_copy(update={"start_s": round(word.start_s + start_s, 3), "end_s": round(word.end_s + start_s, 3)})
        for word in segment.words
    )
    return segment.model_copy(update={"words": words})


def _clock(time_s: float) -> str:
    minutes, seconds = divmod(round(time_s), 60)
    return f"{minutes}:{seconds:02d}"
