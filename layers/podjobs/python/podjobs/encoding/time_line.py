"""Where the output begins and ends on the source's clock, and where the source has no picture or no sound. Pure.

See docs/decisions/0005-the-time-line-begins-with-the-first-frame.md.
"""

from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import Cut
from podjobs.media.facts import AudioFacts, MediaFacts, VideoFacts

FREEZE_FROM_S = 1.0
"""If picture or sound is missing for longer than this, the nearest frame or silence replaces it: players stop where one
of the two is missing."""

Log = tuple[str, ...]
"""Sentences for the job's log."""


def find_beginning(facts: MediaFacts) -> tuple[float, Log]:
    """Find where the time line begins, before any cut: with the picture, or with sound that begins much earlier.

    Args:
        facts: of the source.

    Returns:
        A time on the source's clock.
    """
    video, audio = facts.video, facts.audio
    if video is None:
        return facts.start_s, ()
    stated_s = video.start_s if video.stated_start_s is None else video.stated_start_s
    lost_s = video.start_s - stated_s
    lost = (f"The first {lost_s:.1f} s of the picture cannot be decoded, as its beginning is missing.",)
    log: Log = lost if lost_s > FREEZE_FROM_S else ()
    if audio is None or audio.start_s > video.start_s - FREEZE_FROM_S:
        return video.start_s, log
    # where the picture was meant to begin, unless the sound is much earlier than that, too
    begin_s = max(stated_s, audio.start_s) if audio.start_s > stated_s - FREEZE_FROM_S else audio.start_s
    early_s = video.start_s - begin_s
    return begin_s, (
        *log,
        f"The sound begins {early_s:.1f} s before the picture: the first frame is shown from the beginning on.",
    )


def compare_lengths(stated: MediaFacts, measured: MediaFacts, others_end_s: float | None) -> Log:
    """Say where the measured length differs from the one that the header states.

    Args:
        stated: as the header says.
        measured: where picture and sound really end.
        others_end_s: where the last of the streams that are not used ends, on the source's clock.
    """
    if stated.duration_s is None or measured.duration_s is None or (stated.video is None and stated.guesses_length):
        return ()
    difference_s = measured.duration_s - stated.duration_s
    # the length in an MP4 counts from the time 0 on, even if nothing begins there
    if min(abs(difference_s), abs(difference_s + measured.start_s)) <= FREEZE_FROM_S:
        return ()
    promised = f"The source says it is {stated.duration_s:.1f} s long, but"
    if difference_s > 0:
        return (f"{promised} it goes on until {measured.duration_s:.1f} s: all of it is used.",)
    if others_end_s is not None and others_end_s > measured.start_s + stated.duration_s - FREEZE_FROM_S:
        return (f"{promised} its picture and sound end after {measured.duration_s:.1f} s; only other streams go on.",)
    return (f"{promised} only {measured.duration_s:.1f} s could be read: it is cut off or damaged.",)


def measure_length_s(facts: MediaFacts, beginning_s: float) -> float | None:
    """Compute the source's length from the beginning of the time line on.

    Args:
        facts: of the source.
        beginning_s: on the source's clock.

    Returns:
        Seconds; None if it is not known, or only a guess.
    """
    if facts.duration_s is None or (facts.video is None and facts.guesses_length):
        return None
    return facts.duration_s - max(0.0, beginning_s - facts.start_s)


def clamp_cut(cut: Cut | None, length_s: float | None) -> tuple[float, float | None, Log]:
    """Find where the output begins and ends, from the beginning of the time line.

    Args:
        cut: as requested; None: all of the source is kept.
        length_s: of the source; None if unknown.

    Returns:
        Beginning and end; None as the end: with the source, whose length is unknown.

    Raises:
        InvalidRequestError: the cut leaves nothing.
    """
    if cut is None:
        return 0.0, length_s, ()
    if cut.end_s is not None and cut.start_s >= cut.end_s:
        raise InvalidRequestError(
            f"The cut starts at {cut.start_s:g} s and ends at {cut.end_s:g} s: nothing is left. Correct the cut.",
            kind=FailureKind.CUT,
        )
    if length_s is None:
        return cut.start_s, cut.end_s, ()
    if cut.start_s >= length_s:
        raise InvalidRequestError(
            f"The cut starts at {cut.start_s:g} s, but the video is {length_s:.1f} s long. Correct the cut.",
            kind=FailureKind.CUT,
        )
    if cut.end_s is not None and cut.end_s > length_s:
        log = f"The cut ends at {cut.end_s:g} s, but the video is only {length_s:.1f} s long: it ends there."
        return cut.start_s, length_s, (log,)
    return cut.start_s, length_s if cut.end_s is None else cut.end_s, ()


def ends_before_source(cut: Cut | None, end_s: float | None, length_s: float | None) -> bool:
    """Whether the output ends before the source does.

    Args:
        cut: as requested.
        end_s: where the output ends, as returned by `clamp_cut`.
        length_s: of the source; None if unknown.
    """
    if cut is None or cut.end_s is None or end_s is None:
        return False
    return length_s is None or end_s < length_s


def stops_early(stream: VideoFacts | AudioFacts | None, end_s: float | None) -> bool:
    """Whether a stream ends so long before the output that something must replace it.

    Args:
        stream: of the source; None: there is none.
        end_s: where the output ends, on the source's clock; None if unknown.
    """
    if stream is None or stream.end_s is None or end_s is None:
        return False
    return end_s - stream.end_s > FREEZE_FROM_S
