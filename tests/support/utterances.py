"""Utterances, and what is left of them when hallucinations are dropped."""

from collections.abc import Iterable, Sequence

from podjobs.contract.confidence import Confidence
from podjobs.contract.ports.speech import Word
from podjobs.transcription.hallucinations.confidence import HallucinationLimits
from podjobs.transcription.hallucinations.screening import drop_hallucinations
from podjobs.transcription.hearing.utterances import Utterance
from podjobs.transcription.spans import TimeSpan

EVERYWHERE: Sequence[tuple[float, float]] = [(0.0, 10_000.0)]
UNSURE = {"average_log_probability": -0.8}


def utter(
    text: str, start_s: float = 0.0, word_s: float = 0.3, probability: float = 0.9, **measures: float
) -> Utterance:
    """One utterance, its words one right after the other."""
    words = [
        Word(
            text=f" {part}",
            start_s=round(start_s + index * word_s, 3),
            end_s=round(start_s + (index + 1) * word_s, 3),
            probability=probability,
        )
        for index, part in enumerate(text.split(" "))
    ]
    return Utterance(tuple(words), Confidence(**measures))


def texts(utterances: Iterable[Utterance]) -> list[str]:
    """Their texts."""
    return [utterance.text for utterance in utterances]


def screen(
    utterances: Sequence[Utterance],
    speech: Iterable[tuple[float, float]] = EVERYWHERE,
    limits: HallucinationLimits | None = None,
) -> tuple[tuple[Utterance, ...], tuple[str, ...]]:
    """What stays, and the log."""
    return drop_hallucinations(utterances, [TimeSpan(*span) for span in speech], limits)


def screened(
    utterances: Sequence[Utterance],
    speech: Iterable[tuple[float, float]] = EVERYWHERE,
    limits: HallucinationLimits | None = None,
) -> tuple[list[str], list[str]]:
    """The texts that stay, and the log."""
    kept, log = screen(utterances, speech, limits)
    return texts(kept), list(log)
