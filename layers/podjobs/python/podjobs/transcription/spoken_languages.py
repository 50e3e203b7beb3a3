"""Which languages are spoken: in each window, and in the whole sound beside the one that was asked for. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Any, Self

from whisper_ctranslate2.languages import LANGUAGES

from podjobs.contract.ports.speech import ModelLocation, WindowTranscript
from podjobs.transcription.hearing.windows import Window
from podjobs.transcription.languages import AUTO

CLEAR = 0.8
"""From this probability on. Whisper base is at least 0.98 sure of clean speech, of telephones and with music beneath;
where noise is as loud as the speech it is less sure than this, or wrong."""
LEAST_S = 5.0
"""Of speech: of less, no language is told."""
TOLD_S = 15.0
"""So much speech in another language than asked for is told."""
TOLD_SHARE = 0.5
"""Or this share, where there is less speech in all."""


@dataclass(frozen=True)
class SpokenWindow:
    """Which language is spoken in a window, and in which one it was transcribed."""

    start_s: float
    end_s: float
    length_s: float
    """Of its speech."""
    spoken: str
    """The likeliest language; empty: the model cannot tell."""
    probability: float
    language: str
    """In which it was transcribed."""

    @classmethod
    def of(cls, window: Window, transcript: WindowTranscript, language: str) -> Self:
        """A window that was transcribed in a language."""
        length_s = sum(span.length_s for span in window.spans)
        start_s, end_s = window.spans[0].start_s, window.spans[-1].end_s
        return cls(start_s, end_s, length_s, transcript.spoken, transcript.spoken_probability, language)

    def transcribed_in(self, language: str) -> Self:
        """The window, transcribed anew in another language."""
        return replace(self, language=language)


def is_clear(window: SpokenWindow, language: str) -> bool:
    """Whether another language than this one is clearly spoken in a window."""
    return window.spoken not in {"", language} and window.probability >= CLEAR and window.length_s >= LEAST_S


def has_model(language: str, models: Mapping[str, ModelLocation]) -> bool:
    """Whether there is a model for a language that was not asked for."""
    return language in models or (AUTO in models and language in LANGUAGES)


def language_at(heard: Sequence[SpokenWindow], time_s: float) -> str:
    """The language in which the window at a time was transcribed, or the last one before it; empty: there is none."""
    before = [window.language for window in heard if window.start_s <= time_s]
    return before[-1] if before else next((window.language for window in heard), "")


def name_of(language: str) -> str:
    """A language's English name."""
    return str(LANGUAGES.get(language, language)).capitalize()


def tell_other_languages(language: str, speech_s: Mapping[str, float]) -> str:
    """Write a sentence about speech in another language than the one that was asked for; empty: there is little.

    Args:
        language: that was asked for.
        speech_s: seconds of speech in each language.
    """
    total_s = sum(speech_s.values())
    others = {code: time_s for code, time_s in speech_s.items() if code != language}
    if sum(others.values()) < min(TOLD_S, TOLD_SHARE * total_s) or not others:
        return ""
    spoken = max(sorted(others), key=lambda code: others[code])
    return (
        f"{name_of(spoken)} seems to be spoken in {others[spoken]:.0f} of {total_s:.0f} s of speech, but captions in "
        f"{name_of(language)} were asked for, and are likely to be wrong there. If they are, choose {name_of(spoken)} "
        "for the transcription of this video in Pod."
    )


def add_up(results: Iterable[Mapping[str, Any]]) -> dict[str, float]:
    """Add up the seconds of speech in each language, as the parts' results tell them in `spoken_s`."""
    found: dict[str, float] = {}
    for values in results:
        for language, time_s in values.get("spoken_s", {}).items():
            found[language] = found.get(language, 0.0) + time_s
    return found


def describe_others(heard: Sequence[SpokenWindow], language: str) -> list[str]:
    """Write a sentence for the job's log about each passage in another language than that of the job.

    Args:
        heard: the windows of a part, in order.
        language: the job's.
    """
    sentences = []
    for (spoken, written), group in groupby(heard, key=lambda window: (_other(window, language), window.language)):
        if spoken:
            windows = list(group)
            done = "transcribed in it" if written == spoken else f"transcribed as {name_of(written)}"
            span = f"from {windows[0].start_s:.1f} s to {windows[-1].end_s:.1f} s"
            least = min(window.probability for window in windows)
            sentences.append(f"{name_of(spoken)} is spoken {span} ({least:.0%} sure), {done}.")
    return sentences


def _other(window: SpokenWindow, language: str) -> str:
    return window.spoken if is_clear(window, language) else ""
