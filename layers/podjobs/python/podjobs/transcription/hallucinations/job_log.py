"""Sentences for the job's log about text that was dropped. Pure."""

from collections.abc import Sequence

from podjobs.contract.ports.speech import Word
from podjobs.media.timestamps import timestamp
from podjobs.transcription.hearing.utterances import text_of

MAX_QUOTE_CHARS = 80
"""Longer texts are cut."""


def describe_dropped(words: Sequence[Word], reason: str) -> str:
    """Write a sentence with the time, the text and the reason; sentences sort by time."""
    text = text_of(words)
    quote = text if len(text) <= MAX_QUOTE_CHARS else text[: MAX_QUOTE_CHARS - 1] + "…"
    return f"At {timestamp(max(words[0].start_s, 0.0))} «{quote}» was left out: {reason}."
