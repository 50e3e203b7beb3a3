"""The interpreter: has windows transcribed in the language that was asked for, or in the one that is spoken in each."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from podjobs.contract.ports.speech import ModelLocation, SpeechModel, WindowTranscript
from podjobs.transcription.hearing.windows import Window
from podjobs.transcription.languages import ENGLISH, choose_model
from podjobs.transcription.spoken_languages import SpokenWindow, has_model, is_clear, language_at


@dataclass(frozen=True)
class Assignment:
    """In which language a part is transcribed, and with which help."""

    language: str
    """One of Whisper's codes."""
    is_open: bool = False
    """Whether nobody asked for it: what is clearly spoken in another one is transcribed in that."""
    hotwords: str = ""
    translate: bool = False
    """Whether the words are English, whatever is spoken."""


@dataclass
class Interpreter:
    """Has the windows of one part transcribed; all times are relative to its beginning."""

    model: SpeechModel
    models: Mapping[str, ModelLocation]
    """By language."""
    assignment: Assignment
    heard: list[SpokenWindow] = field(default_factory=list)
    """What is spoken in the windows of the first hearing."""

    def transcribe(
        self, windows: Sequence[Window], sounds: Sequence[bytes], *, thorough: bool
    ) -> tuple[WindowTranscript, ...]:
        """Transcribe windows, each in its language.

        Args:
            windows: in order.
            sounds: of the windows.
            thorough: see `SpeechModel.transcribe`; the languages are those of the first hearing.

        Returns:
            One transcript per window.
        """
        languages = [self.language_at(window.spans[0].start_s) for window in windows]
        transcripts = self._transcribe(sounds, languages, thorough=thorough)
        if thorough:
            return tuple(transcripts)
        self.heard = [
            SpokenWindow.of(window, transcript, self.assignment.language)
            for window, transcript in zip(windows, transcripts, strict=True)
        ]
        if not self.assignment.is_open:
            return tuple(transcripts)
        other = [
            index
            for index, window in enumerate(self.heard)
            if is_clear(window, self.assignment.language) and has_model(window.spoken, self.models)
        ]
        spoken = [self.heard[index].spoken for index in other]
        again = self._transcribe([sounds[index] for index in other], spoken, thorough=False)
        for index, transcript in zip(other, again, strict=True):
            transcripts[index] = transcript
            self.heard[index] = self.heard[index].transcribed_in(self.heard[index].spoken)
        return tuple(transcripts)

    def language_at(self, time_s: float) -> str:
        """The language in which what is said at a time is transcribed."""
        return language_at(self.heard, time_s) or self.assignment.language

    def written_at(self, time_s: float) -> str:
        """The language of the words for what is said at a time."""
        return ENGLISH if self.assignment.translate else self.language_at(time_s)

    def _transcribe(
        self, sounds: Sequence[bytes], languages: Sequence[str], *, thorough: bool
    ) -> list[WindowTranscript]:
        """Transcribe the windows of each language in a row together: the text of one is context for the next."""
        transcripts: list[WindowTranscript] = []
        pairs = zip(sounds, languages, strict=True)
        for language, group in groupby(pairs, key=lambda pair: pair[1]):
            transcripts += self.model.transcribe(
                choose_model(self.models, language),
                [sound for sound, _ in group],
                language,
                thorough=thorough,
                translate=self.assignment.translate,
                hotwords=self.assignment.hotwords,
            )
        return transcripts


def runs_of(times_s: Sequence[float], interpreter: Interpreter) -> list[tuple[str, int]]:
    """How many words in a row are in which language.

    Args:
        times_s: when the words begin, in order.
        interpreter: that had them transcribed.
    """
    return [(language, sum(1 for _ in group)) for language, group in groupby(map(interpreter.written_at, times_s))]


def speech_in(heard: Sequence[SpokenWindow], language: str) -> dict[str, float]:
    """Seconds of speech in each language; what is not clear counts as the language that was asked for.

    Args:
        heard: the windows.
        language: that was asked for.
    """
    found: dict[str, float] = {}
    for window in heard:
        spoken = window.spoken if is_clear(window, language) else language
        found[spoken] = round(found.get(spoken, 0.0) + window.length_s, 2)
    return found
