"""What we publish, beside what plain ffmpeg makes of the same source."""

import json
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import m3u8

from podjobs.encoding.recipe import Recipe
from support.corpus.expect import Expected, counted
from support.corpus.kit import Row
from support.corpus.pictures import TimeLine, check_pictures, cues_of
from support.corpus.places import Allowed, Findings, compare_chirps, compare_frames, marks_of, shift_of_chirps, thin_out
from support.corpus.watch import OWN_CLOCK, Area, Seen, Shown, watch
from support.fidelity.checks import check_segments

LENGTH_S = 0.3
"""How far stated lengths may be from what is there: a codec's last frame, the encoder's padding."""
ASPECT = 0.02
LADDER_PX = (180, 360)
"""Lines of the renditions of SMALL_LADDER; the picture gets the largest that it fills, else it keeps its size."""
QUIETER_DB, SILENT_DB = 20.0, -100.0
"""Sound that is so much quieter is lost."""
NAMED_SEGMENTS = 2
EMPTY: tuple[None, None] = (None, None)
VIDEO_SUFFIXES = (".mp4", ".ts")


@dataclass(frozen=True)
class Result:
    """What we made of a source."""

    output: Path
    info: Mapping[str, Any]
    recipe: Recipe
    log: Sequence[str]


def compare(row: Row, expected: Expected, result: Result) -> Findings:
    """Compare everything that was published with what plain ffmpeg decodes.

    Args:
        row: the source.
        expected: what is to be expected of it.
        result: what we made.
    """
    findings = Findings()
    begin_s = expected.begin_s
    if expected.seen.frames:
        files = _videos(result.output)
        if missing := [suffix for suffix in VIDEO_SUFFIXES if suffix not in {file.suffix for file in files}]:
            return Findings(worse=[f"no {suffix} was published" for suffix in missing])
        begins_s = [_compare_video(row, expected, file, findings) for file in files]
        # sound that begins a little earlier may belong to the time line, or not
        begin_s = next((one for one in begins_s if one is not None), begin_s)
        if row.numbered and not row.changes_size:
            line = TimeLine(expected.seen.frames, begin_s, expected.end_s - begin_s)
            if row.odd_frames:
                shown = watch(files[0], sound=None, options=OWN_CLOCK).frames
                line = replace(line, frames=shown, begin_s=shown[0].time_s)
            findings.worse += check_pictures(result.output, line)
    else:
        _compare_sound_files(row, expected, result.output, findings)
        if _videos(result.output):
            findings.worse.append("a video was published for sound alone")
    _compare_stated(expected, begin_s, result, findings)
    return findings


def published_media(output: Path) -> list[Path]:
    """All that can be played."""
    return [*_videos(output), *sorted(output.glob("audio_*"))]


def _videos(output: Path) -> list[Path]:
    """The MP4, and the stream of the largest rendition."""
    streams = sorted(output.glob("*p.ts"), key=lambda file: int(file.stem[:-1]))
    return [*sorted(output.glob("*p.mp4"))[:1], *streams[-1:]]


def _compare_video(row: Row, expected: Expected, file: Path, findings: Findings) -> float | None:
    """Compare one file; returns where it begins, on plain ffmpeg's clock."""
    source = expected.seen
    made = _watch_made(row, source, file)
    kept = thin_out(source.frames, made.frames, expected.decimation)
    frames = compare_frames(kept, made.frames, row.slack_s, row.odd_frames)
    _add(file.name, frames, findings)
    if frames.shift_s is None:
        return None
    begin_s = made.frames[0].time_s - frames.shift_s
    _add(file.name, _compare_chirps(row, expected, made, (frames.shift_s, begin_s)), findings)
    _compare_level(source, made, file, findings)
    _compare_size(source, made, file, findings)
    if file.suffix == ".ts":
        findings.worse += check_segments(file.with_suffix(".m3u8"), "0:v")[:NAMED_SEGMENTS]
    else:
        _compare_audio_files(made, file.parent, findings)
    return begin_s


def _compare_chirps(row: Row, expected: Expected, made: Seen, clock_s: tuple[float, float]) -> Findings:
    shift_s, begin_s = clock_s
    chirps_s, others_s = list(expected.seen.chirps_s), list(expected.other_chirps_s)
    if 0 < begin_s - expected.begin_s <= row.meant_s:
        others_s += [time_s for time_s in chirps_s if time_s < begin_s]
        chirps_s = [time_s for time_s in chirps_s if time_s >= begin_s]
    allowed = Allowed(row.sound_slack_s, row.in_step)
    return compare_chirps(chirps_s, made.chirps_s, shift_s, marks_of(made.frames), others_s, allowed)


def _watch_made(row: Row, source: Seen, file: Path) -> Seen:
    """What our file shows; where the source's picture changes its size, each is looked at where it must be."""
    made = watch(file, options=OWN_CLOCK)
    if row.tone_mapped:
        made = replace(made, frames=[replace(frame, look=b"") for frame in made.frames])
    if not row.numbered:
        return replace(made, frames=counted(made.frames))
    if not row.changes_size or not made.size_px or not source.sizes_px:
        return made
    areas = {size: _fitted(size, made.size_px) for size in set(source.sizes_px)}
    readings = {size: watch(file, sound=None, options=OWN_CLOCK, area=area).frames for size, area in areas.items()}
    known = {frame.number: (frame, size) for frame, size in zip(source.frames, source.sizes_px, strict=False)}
    begin_s = made.frames[0].time_s - source.frames[0].time_s
    frames = []
    for place, frame in enumerate(made.frames):
        read = [seen[place] for size, seen in readings.items() if known.get(seen[place].number, EMPTY)[1] == size]
        # what is read at another picture's place may be a number, too, but hardly that of the time
        read.sort(key=lambda one: abs(one.time_s - begin_s - known[one.number][0].time_s))
        frames.append(read[0] if read else Shown(None, frame.time_s))
    return replace(made, frames=frames)


def _fitted(inner: tuple[float, float], outer: tuple[float, float]) -> Area:
    """Where a picture lies in another one if it is as large as it can be, in the middle, and not squeezed."""
    factor = min(outer[0] / inner[0], outer[1] / inner[1])
    width, height = inner[0] * factor / outer[0], inner[1] * factor / outer[1]
    return ((1 - width) / 2, (1 - height) / 2, width, height)


def _compare_size(source: Seen, made: Seen, file: Path, findings: Findings) -> None:
    sizes = source.sizes_px or ((source.size_px,) if source.size_px else ())
    if not sizes or not made.size_px:
        return
    width, height = max(sizes, key=lambda size: size[0] * size[1])
    made_width, made_height = made.size_px
    rounding = 2 / min(made_width, made_height)
    if abs(made_width / made_height / (width / height) - 1) > ASPECT + rounding:
        findings.worse.append(f"{file.name}: {made_width:g}x{made_height:g} for a picture of {width:g}x{height:g}")
    filled = max((lines for lines in LADDER_PX if lines <= min(width, height)), default=min(width, height))
    if file.suffix == ".ts" and min(made.size_px) < filled - 2:
        findings.worse.append(f"{file.name}: only {made_width:g}x{made_height:g} of {width:g}x{height:g}")


def _compare_level(source: Seen, made: Seen, file: Path, findings: Findings) -> None:
    """Sound between chirps, and of codecs that let none be recognized."""
    if source.level_db is not None and (made.level_db or SILENT_DB) < source.level_db - QUIETER_DB:
        findings.worse.append(f"{file.name}: the sound is lost")


def _compare_audio_files(made: Seen, output: Path, findings: Findings) -> None:
    """The sound for listening is that of the MP4, and begins with it."""
    files = sorted(output.glob("audio_*"))
    if made.level_db is not None and not files:
        findings.worse.append("no sound was published beside the video")
    for file in files:
        _add(file.name, compare_chirps(made.chirps_s, watch(file).chirps_s, 0.0, None), findings)


def _compare_sound_files(row: Row, expected: Expected, output: Path, findings: Findings) -> None:
    files = sorted(output.glob("audio_*"))
    if not files:
        findings.worse.append("no sound was published")
    for file in files:
        heard = watch(file)
        others_s = (*expected.other_chirps_s, *row.dropped_chirps_s)
        chirps_s, allowed = expected.seen.chirps_s, Allowed(row.sound_slack_s)
        shift_s = shift_of_chirps(chirps_s, heard.chirps_s, -expected.begin_s)
        _add(file.name, compare_chirps(chirps_s, heard.chirps_s, shift_s, None, others_s, allowed), findings)
        _compare_level(expected.seen, heard, file, findings)
        if abs(heard.sound_s - expected.length_s) > LENGTH_S:
            findings.worse.append(f"{file.name}: {heard.sound_s:.2f} s of {expected.length_s:.2f} s")


def _add(name: str, found: Findings, findings: Findings) -> None:
    findings.worse += [f"{name}: {clause}" for clause in found.worse]
    findings.better += [clause for clause in found.better if clause not in findings.better]
    findings.frames, findings.chirps = max(findings.frames, found.frames), max(findings.chirps, found.chirps)


def _compare_stated(expected: Expected, begin_s: float, result: Result, findings: Findings) -> None:
    """Every place that states a length states the same one, and it is that of the source."""
    length_s = expected.end_s - begin_s
    stated: dict[str, float] = {}
    for file in sorted(result.output.glob("*.m3u8")):
        playlist = m3u8.load(str(file))
        if playlist.segments:
            stated[file.name] = sum(float(segment.duration) for segment in playlist.segments)
    at_most: dict[str, float] = {}
    """A stream may end before its file does, and sound before the picture."""
    for file in sorted(result.output.glob("*p.mp4")):
        whole, streams = _stated_in(file)
        stated[file.name] = whole
        at_most |= {f"{file.name}, {kind}": value for kind, value in streams.items()}
    for file in sorted(result.output.glob("audio_*")):
        at_most[file.name] = _stated_in(file)[0]
    captions = result.output / "overview.vtt"
    if captions.exists():
        stated[captions.name] = cues_of(captions)[-1][1]
    faults = {name: value for name, value in stated.items() if abs(value - length_s) > LENGTH_S}
    sound_s = expected.sound_length_s(begin_s)
    faults |= {
        name: value
        for name, value in at_most.items()
        if value > length_s + LENGTH_S or ("audio" in name and value < sound_s - LENGTH_S)
    }
    whole_s = float(result.info["duration"])  # cut down to seconds
    if not length_s - LENGTH_S - 1 <= whole_s <= length_s + LENGTH_S:
        faults["info_video.json"] = whole_s
    findings.worse += [f"{name} states {value:.2f} s for {length_s:.2f} s" for name, value in faults.items()]


def _stated_in(file: Path) -> tuple[float, dict[str, float]]:
    """The length of a file, and those of its streams."""
    argv = ["ffprobe", "-v", "error", "-show_entries", "format=duration:stream=codec_type,duration"]
    output = subprocess.run([*argv, "-print_format", "json", str(file)], capture_output=True, check=True).stdout
    probed = json.loads(output)
    streams = {str(one["codec_type"]): float(one["duration"]) for one in probed["streams"] if "duration" in one}
    return float(probed["format"]["duration"]), streams
