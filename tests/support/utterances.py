"""Utterances, and what is left of them when hallucinations are dropped."""

from podjobs.contract.confidence import Confidence
from podjobs.contract.ports import Word
from podjobs.transcription.hallucinations.screening import drop_hallucinations
from podjobs.transcription.hearing.utterances import Utterance
from podjobs.transcription.spans import TimeSpan

EVERYWHERE = [(0.0, 10_000.0)]
UNSURE = {"average_log_probability": -0.8}


def utter(text, start_s=0.0, word_s=0.3, probability=0.9, **measures):
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


def texts(utterances):
    return [utterance.text for utterance in utterances]


def screen(utterances, speech=EVERYWHERE, limits=None):
    """What stays, and the log."""
    return drop_hallucinations(utterances, [TimeSpan(*span) for span in speech], limits)


def screened(utterances, speech=EVERYWHERE, limits=None):
    """The texts that stay, and the log."""
    kept, log = screen(utterances, speech, limits)
    return texts(kept), list(log)
