"""Measures where picture and sound begin and end: headers, tags and other streams may say anything.

Only the ends of a file are read: a seek far beyond its end leads to the last key frame, from where the last packets are
read. What is claimed counts only as a hint where to look. See docs/decisions/0019-lengths-are-measured.md.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import NamedTuple

from podjobs.contract.commands import Access, MediaInput
from podjobs.contract.errors import CommandStoppedError, PermanentError
from podjobs.contract.media_paths import Key
from podjobs.media.commands import KEEP_GOING, PACKET_TIMES, UNATTENDED, input_argv
from podjobs.media.facts import AudioFacts, MediaFacts, VideoFacts
from podjobs.media.workspace import MediaWorkspace, S

FAR_S = 1_000_000_000
"""Beyond the end of any file: demuxers seek to the last key frame."""
OGG_TAIL_S = 5.0
"""More than an Ogg page holds."""
READ_TIMEOUT_S = 15
"""A file without an index is read from its beginning; one that takes longer has no length and is repackaged."""
DECODE_TIMEOUT_S = 60
READ_LIMIT_BYTES = 64 << 20
"""Most that ffprobe may write: some two million packets."""
WINDOWS = 16
"""How many places are looked at in one go when the end is searched for."""
ROUNDS = 10
"""Enough for the largest claim: each round divides what is left by the number of windows."""
NEAR_S = 2.0
"""What is left to search is read in one piece."""
LONGEST_FRAME_S = 60.0
"""How long the last frame is shown if nothing but its own header says so: longer only if the one before was."""
LONGEST_SOUND_PACKET_S = 1.0
"""Beyond this the duration of a packet is a fault of its header."""
ROUNDING_S = 0.1
"""Headers that are wrong by no more than this are right."""
LATE_S = 1.0
"""Where a picture begins that much later than stated, the first packet is looked up."""
REORDERED = 16
"""Among so many packets is the first frame."""
ASSUMED_FRAME_S = 0.04
TICKS_PER_S = 90_000


class StreamEnd(NamedTuple):
    """Where the packets of a stream end, on the file's own clock."""

    last_s: float
    """Time of the last one."""
    duration_s: float | None
    """Its duration, as stated; None if it is not."""
    before_s: float | None
    """Time of the one before."""


@dataclass(frozen=True)
class Measured:
    """What was measured of a source."""

    facts: MediaFacts
    """With the true times of picture and sound; those that could not be measured are None."""
    others_end_s: float | None
    """Where the last of the other streams ends, on the file's own clock."""
    has_picture: bool
    """False: there is a video stream, but neither a packet nor a frame of it."""


def measure_source(key: Key, facts: MediaFacts, work: MediaWorkspace[S], *, whole: bool = False) -> Measured:
    """Measure where the picture and the sound of a source begin and end.

    Args:
        key: the source.
        facts: as its header states them.
        work: runs ffprobe and ffmpeg.
        whole: read all of it, as it is short and cannot be seeked.

    Raises:
        RetryableError: the source does not exist (yet), or the machine is too busy.
    """
    source = work.storage.input_of(key)
    ends = _read_ends(source, ("%" if whole else _tail_of(facts),), work)
    video, audio = facts.video, facts.audio
    used = {stream.index for stream in (video, audio) if stream is not None}
    others = [end.last_s + (end.duration_s or 0.0) for index, end in ends.items() if index not in used]
    has_picture = True
    if video is not None:
        end = ends.get(video.index) or _search_end(source, video, facts, work)
        first_s = _first_decoded_s(source, video, work)
        has_picture = end is not None or first_s is not None
        if first_s is not None and first_s - video.start_s > LATE_S:
            # ffprobe takes streams that begin after what it analyses for streams that begin with the file
            stated_s = _first_packet_s(source, video, work)
            video = video.model_copy(update={"start_s": first_s if stated_s is None else min(stated_s, first_s)})
        video = correct_video(video, first_s, end)
    if audio is not None:
        end = ends.get(audio.index) or _search_end(source, audio, facts, work)
        audio = audio.model_copy(update={"end_s": None if end is None else sound_end_s(end)})
    update = {"video": video, "audio": audio, "duration_s": _length_s(facts, video, audio)}
    return Measured(facts.model_copy(update=update), max(others, default=None), has_picture)


def _length_s(facts: MediaFacts, video: VideoFacts | None, audio: AudioFacts | None) -> float | None:
    """The length from the measured ends; the one that is stated, if that is as good."""
    if video is not None and video.end_s is None:
        return None
    ends_s = [stream.end_s for stream in (video, audio) if stream is not None and stream.end_s is not None]
    if not ends_s:
        return None
    measured_s = max(ends_s) - facts.start_s
    if facts.duration_s is not None and abs(measured_s - facts.duration_s) < ROUNDING_S:
        return facts.duration_s
    return round(measured_s, 6)


def correct_video(video: VideoFacts, first_s: float | None, end: StreamEnd | None) -> VideoFacts:
    """Put the measured times in the place of the stated ones. Pure.

    Args:
        video: as stated.
        first_s: time of the first frame that can be decoded; None: unknown.
        end: its last packet; None: unknown.
    """
    frame_s = 1 / video.frame_rate if video.frame_rate else ASSUMED_FRAME_S
    start_s = video.start_s if first_s is None else first_s
    end_s = None if end is None else round(end.last_s + frame_length_s(end, frame_s), 6)
    if end is not None and end_s is not None and video.end_s is not None and end.last_s < video.end_s < end_s:
        # Matroska gives its usual duration to every frame that has none of its own
        end_s = video.end_s
    as_stated = abs(start_s - video.start_s) < frame_s / 2
    if video.end_s is not None and end_s is not None:
        as_stated = as_stated and abs(end_s - video.end_s) < frame_s * 1.5
    return video.model_copy(
        update={
            "start_s": start_s,
            "stated_start_s": video.start_s,
            "last_s": None if end is None else end.last_s,
            "end_s": end_s,
            # the container's count includes what is missing
            "frames": video.frames if as_stated else None,
        }
    )


def frame_length_s(end: StreamEnd, frame_s: float) -> float:
    """How long the last frame is shown: as long as it states, within reason. Pure.

    Args:
        end: the last frame.
        frame_s: usual length of a frame.
    """
    if end.duration_s is None or end.duration_s <= 0:
        return frame_s
    gap_s = 0.0 if end.before_s is None else end.last_s - end.before_s
    return min(end.duration_s, max(LONGEST_FRAME_S, gap_s))


def sound_end_s(end: StreamEnd) -> float:
    """Where a sound ends. Pure."""
    stated_s = end.duration_s or 0.0
    return round(end.last_s + (stated_s if 0 < stated_s <= LONGEST_SOUND_PACKET_S else 0.0), 6)


def last_packets(lines: Iterable[str]) -> dict[int, StreamEnd]:
    """Find the last packet of each stream, by its index. Pure.

    Args:
        lines: `stream|time|duration|flags` of each packet, in any order.
    """
    ends: dict[int, StreamEnd] = {}
    for line in lines:
        index, time, duration, flags, *_ = [*line.split("|"), "", "", "", ""]
        # D: outside the file's edit list, so it is decoded but not shown
        if not index.isdigit() or "D" in flags or not re.fullmatch(r"-?\d+(\.\d+)?", time):
            continue
        last_s, known = float(time), ends.get(int(index))
        duration_s = float(duration) if re.fullmatch(r"\d+(\.\d+)?", duration) else None
        if known is None or last_s > known.last_s:
            ends[int(index)] = StreamEnd(last_s, duration_s, None if known is None else known.last_s)
        elif last_s < known.last_s and (known.before_s is None or last_s > known.before_s):
            ends[int(index)] = known._replace(before_s=last_s)
    return ends


def _tail_of(facts: MediaFacts) -> str:
    """The interval, in ffprobe's notation, that holds the last packets."""
    if facts.format_name == "ogg" and facts.duration_s is not None:
        # its demuxer counts from the next page on; the stated length is that of the last page
        return f"{max(facts.start_s, facts.start_s + facts.duration_s - OGG_TAIL_S):.6f}%"
    return f"{FAR_S}%"


def _search_end(
    source: MediaInput, stream: VideoFacts | AudioFacts, facts: MediaFacts, work: MediaWorkspace[S]
) -> StreamEnd | None:
    """Find the last packet of a stream that ends long before the file does, or whose end is cut off."""
    # MP4 has an index of every stream; elsewhere the picture's leads to the sound, too
    only = stream.index if "mp4" in facts.format_name else None

    def look(*intervals: str) -> StreamEnd | None:
        return _read_ends(source, intervals, work, only).get(stream.index)

    claims_s = [stream.end_s, None if facts.duration_s is None else facts.start_s + facts.duration_s]
    claimed_s = [claim_s for claim_s in claims_s if claim_s is not None and claim_s > stream.start_s]
    for claim_s in claimed_s:
        end = look(f"{max(stream.start_s, claim_s - NEAR_S):.6f}%{claim_s + NEAR_S:.6f}")
        if end is not None and end.last_s < claim_s + NEAR_S / 2:
            return end
    low_s, high_s = stream.start_s, max(claimed_s, default=0.0)
    for _ in range(ROUNDS):
        step_s = (high_s - low_s) / WINDOWS
        if step_s < NEAR_S:
            break
        times_s = [low_s + step_s * number for number in range(WINDOWS)]
        end = look(*(f"{time_s:.6f}%{time_s + NEAR_S / 2:.6f}" for time_s in times_s))
        if end is None:
            return None
        low_s, high_s = max(low_s, end.last_s), min([time_s for time_s in times_s if time_s > end.last_s] or [high_s])
    # a single stream is read to its end, others only as far as they were not seen
    return look(f"{low_s:.6f}%" if only is not None else f"{low_s:.6f}%{max(low_s, high_s) + NEAR_S:.6f}")


def _read_ends(
    source: MediaInput, intervals: Iterable[str], work: MediaWorkspace[S], only: int | None = None
) -> dict[int, StreamEnd]:
    """The last packets within ffprobe's intervals; none if the source cannot be seeked quickly."""
    argv = [work.settings.ffprobe_cmd, "-v", "error", "-read_intervals", ",".join(intervals)]
    argv += [] if only is None else ["-select_streams", str(only)]
    argv += ["-show_entries", "packet=stream_index,pts_time,duration_time,flags"]
    argv += ["-print_format", "compact=nokey=1:print_section=0", *input_argv(source, work.settings)]
    output = _try(argv, source, READ_TIMEOUT_S, work)
    return last_packets(output.splitlines())


def _first_decoded_s(source: MediaInput, video: VideoFacts, work: MediaWorkspace[S]) -> float | None:
    """Time of the first frame that ffmpeg decodes: packets that depend on earlier ones give none."""
    argv = [work.settings.ffmpeg_cmd, *UNATTENDED, *KEEP_GOING, "-copyts", "-noautorotate", "-threads", "1"]
    argv += [*input_argv(source, work.settings), "-map", f"0:{video.index}", "-frames:v", "1"]
    argv += ["-fps_mode", "passthrough", "-enc_time_base", f"1:{TICKS_PER_S}", "-f", "framecrc", "pipe:1"]
    # A machine that is busy says nothing about the picture: the step is tried again.
    output = _try(argv, source, DECODE_TIMEOUT_S, work, may_stop=False)
    # stream, decoding time, presentation time, duration, size, checksum
    frame = re.search(r"^0,\s*-?\d+,\s*(-?\d+),", output, re.MULTILINE)
    return int(frame[1]) / TICKS_PER_S if frame else None


def _first_packet_s(source: MediaInput, video: VideoFacts, work: MediaWorkspace[S]) -> float | None:
    """Time of the first packet, whether or not it can be decoded."""
    argv = [work.settings.ffprobe_cmd, "-v", "error", "-select_streams", str(video.index)]
    argv += ["-read_intervals", f"%+#{REORDERED}", *PACKET_TIMES, *input_argv(source, work.settings)]
    lines = (line.split("|")[0] for line in _try(argv, source, READ_TIMEOUT_S, work).splitlines())
    return min((float(line) for line in lines if re.fullmatch(r"-?\d+(\.\d+)?", line)), default=None)


def _try(
    argv: list[str],
    source: MediaInput,
    timeout_s: float,
    work: MediaWorkspace[S],
    *,
    may_stop: bool = True,
) -> str:
    """What a command writes; nothing if it fails, or is stopped where it may be: then nothing is known."""
    try:
        output = work.tools.run(
            argv,
            timeout_s=min(timeout_s, work.timeout_s),
            access=Access((source,)),
            limit_bytes=READ_LIMIT_BYTES,
        )
    except CommandStoppedError:
        if not may_stop:
            raise
        return ""
    except PermanentError:
        return ""
    return output.decode("ascii", "replace")
