"""Examines a source beyond what its header says: where its streams end, which sizes its picture has, what is lost."""

from dataclasses import dataclass

from podjobs.contract.errors import PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.media_paths import Key
from podjobs.encoding import time_line
from podjobs.encoding.survey import survey_pictures
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import LAID_OUT_CHANNELS
from podjobs.media.facts import MediaFacts
from podjobs.media.lengths import measure_source


@dataclass(frozen=True)
class Examined:
    """A source as it was found to be."""

    facts: MediaFacts
    log: tuple[str, ...]
    """A sentence about everything that is not as the header says, or not encoded as it is."""

    def also_said(self, *sentences: str) -> "Examined":
        """The same with more sentences before the others."""
        return Examined(self.facts, (*sentences, *self.log))


def examine_source(source: Key, facts: MediaFacts, work: Workspace) -> Examined:
    """Put what is measured and seen in the place of what the header says.

    Args:
        source: the file, which must be seekable.
        facts: as its header says.
        work: runs ffprobe and ffmpeg.

    Raises:
        PermanentError: there is nothing to encode.
    """
    measured = measure_source(source, facts, work)
    if measured.has_picture:
        log = time_line.compare_lengths(facts, measured.facts, measured.others_end_s)
        return Examined(survey_pictures(source, measured.facts, work), (*describe_changes(facts), *log))
    sound = measured.facts.model_copy(update={"video": None})
    if sound.audio is None:
        detail = "The source has no picture that can be decoded. Convert it and upload it again."
        raise PermanentError(detail, kind=FailureKind.DAMAGED)
    said = "The source has no picture, although its header says so: it is encoded as a recording of sound."
    end_s = sound.audio.end_s
    sound = sound.model_copy(update={"duration_s": None if end_s is None else end_s - sound.start_s})
    return Examined(sound, (*describe_changes(facts), said))


def describe_changes(facts: MediaFacts) -> tuple[str, ...]:
    """A sentence about each stream or text that is left out or cut, and about sound that is not heard as it is. Pure.

    Args:
        facts: of the source.
    """
    log = facts.notes + tuple(
        f"The audio stream {index} has a codec that ffmpeg does not know, and is left out."
        for index in facts.unknown_audio
    )
    if facts.audio is not None and facts.audio.channels > LAID_OUT_CHANNELS:
        log += (f"The sound has {facts.audio.channels} channels: their mean is heard on both sides.",)
    return log + tuple(
        f"The subtitle stream {subtitle.index} ({subtitle.codec}) contains pictures, not text, and is left out."
        for subtitle in facts.subtitles
        if not subtitle.is_text
    )
