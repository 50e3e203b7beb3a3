"""Finds out which parts of a job have sound that can be decoded: a header may promise what is not there.

Browsers declare a sound track when the microphone is muted, and never write a packet of it; packets may be damaged; the
sound may have ended long before a cut begins. This is asked only after sound could not be encoded as planned.
"""

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple

from podjobs.contract.commands import Access
from podjobs.contract.errors import PermanentError
from podjobs.contract.media_paths import Key
from podjobs.encoding.recipe import Credit, PartName, Recipe
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import PACKET_TIMES, input_argv
from podjobs.media.decodable import gives_sound
from podjobs.media.facts import AudioFacts, MediaFacts


class Audibility(Enum):
    """What there is of a part's sound; the words complete the sentence «The sound of the … »."""

    HEARD = "can be decoded"
    ELSEWHERE = "ends before this part of the video, or begins after it: there is silence"
    UNREADABLE = "cannot be decoded: it is left out"
    EMPTY = "is declared, but the file contains none: it is left out"


class _Span(NamedTuple):
    """A part of a source, on its own clock; None as the end: with the source."""

    start_s: float
    end_s: float | None


NAMES: dict[PartName, str] = {"opening": "opening credits", "main": "video", "ending": "ending credits"}


def examine_sound(recipe: Recipe, work: Workspace) -> dict[PartName, Audibility]:
    """Decode the beginning of the sound of each part that should have some.

    Args:
        recipe: the job.
        work: runs ffmpeg and ffprobe.

    Returns:
        What each of these parts has.
    """
    found: dict[PartName, Audibility] = {}
    credit: Credit | None
    if recipe.facts.audio is not None:
        span = _Span(recipe.origin_s, recipe.end_s)
        found["main"] = _examine(recipe.source, recipe.facts, recipe.facts.audio, span, work)
    credits_by_part: Sequence[tuple[PartName, Credit | None]] = (("opening", recipe.opening), ("ending", recipe.ending))
    for part, credit in credits_by_part:
        if credit is not None and credit.facts.audio is not None:
            whole = _Span(credit.facts.start_s, None)
            found[part] = _examine(credit.source, credit.facts, credit.facts.audio, whole, work)
    return found


def silence_parts(recipe: Recipe, found: dict[PartName, Audibility]) -> Recipe:
    """The recipe without the sounds that cannot be heard: silence as long as the picture takes their place. Pure.

    Args:
        recipe: the job.
        found: as returned by `examine_sound`.
    """
    silent = {part for part, audibility in found.items() if audibility is not Audibility.HEARD}
    changes: dict[str, object] = {}
    if "main" in silent:
        changes |= {"facts": _without_sound(recipe.facts), "pad_audio": True}
    for part, credit in (("opening", recipe.opening), ("ending", recipe.ending)):
        if credit is not None and part in silent:
            changes[part] = credit.model_copy(update={"facts": _without_sound(credit.facts)})
    return recipe.model_copy(update=changes)


def can_be_silent(recipe: Recipe, found: dict[PartName, Audibility]) -> bool:
    """Whether there is some sound to which silence belongs: in another part, or at another time of this one. Pure."""
    some = any(audibility in {Audibility.HEARD, Audibility.ELSEWHERE} for audibility in found.values())
    return some and recipe.duration_s is not None and recipe.facts.video is not None


def tell_silent(found: dict[PartName, Audibility]) -> tuple[str, ...]:
    """A sentence for the job's log about each part whose sound is missing. Pure."""
    return tuple(
        f"The sound of the {NAMES[part]} {audibility.value}."
        for part, audibility in found.items()
        if audibility is not Audibility.HEARD
    )


def _without_sound(facts: MediaFacts) -> MediaFacts:
    return facts.model_copy(update={"audio": None})


def _examine(source: Key, facts: MediaFacts, audio: AudioFacts, span: _Span, work: Workspace) -> Audibility:
    if gives_sound(source, audio, work, span):
        return Audibility.HEARD
    whole = _Span(facts.start_s, None)
    if span != whole and gives_sound(source, audio, work, whole):
        return Audibility.ELSEWHERE
    file = work.storage.input_of(source)
    argv = [work.settings.ffprobe_cmd, "-v", "error", "-select_streams", str(audio.index)]
    argv += ["-read_intervals", "%+#1", *PACKET_TIMES, *input_argv(file, work.settings)]
    try:
        return Audibility.UNREADABLE if work.run(argv, access=Access((file,))).strip() else Audibility.EMPTY
    except PermanentError:
        return Audibility.UNREADABLE
