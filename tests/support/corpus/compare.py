"""What we publish, beside what plain ffmpeg makes of the same source."""

import json
import re
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import m3u8
import numpy as np

from podjobs.encoding.recipe import Recipe
from support.corpus.kit import Row
from support.corpus.places import Findings, compare_chirps, compare_frames, in_order, marks_of
from support.corpus.watch import WHOLE, Area, Seen, Shown, read_code, watch
from support.fidelity.checks import check_segments
from support.fidelity.marks import BITS, STRIP

EARLY_S = 1.0
"""Sound that begins this much before the picture belongs to the time line."""
LENGTH_S = 0.3
"""How far stated lengths may be from what is there: a codec's last frame, the encoder's padding."""
ASPECT = 0.02
LADDER_PX = (180, 360)
"""Lines of the renditions of SMALL_LADDER; the picture gets the largest that it fills, else it keeps its size."""
LEVEL_DB = 2.0
SEGMENT_S = 2.2
"""Pictures that are far apart are taken from key frames, of which each segment has one."""
PICTURE_S = 0.3
FROM_KEY_FRAMES_S = 4.0
TILE_HEIGHT_PX = 90


@dataclass(frozen=True)
class Result:
    """What we made of a source."""

    output: Path
    info: Mapping[str, Any]
    recipe: Recipe
    log: Sequence[str]


def expected_of(row: Row, seen: Seen, decimation: int) -> tuple[Seen, list[str]]:
    """What is to be expected of us: what a player would show of it, within the cut, at up to 60 frames a second.

    Returns:
        It, and what plain ffmpeg does that no player could show.
    """
    frames, hidden = in_order(seen.frames)
    remarks = [f"{hidden} frames of plain ffmpeg go back in time"] if hidden else []
    if not row.numbered:
        frames = [Shown(place, frame.time_s) for place, frame in enumerate(frames)]
    frames = frames[::decimation]
    begin_s = begin_of(frames, seen)
    start_s = begin_s + float(row.request.get("cut_start", 0))
    end_s = begin_s + float(row.request["cut_end"]) if row.request.get("cut_end") else float("inf")
    half_s = 0.001
    kept = [frame for frame in frames if start_s - half_s <= frame.time_s < end_s - half_s]
    chirps_s = [time_s for time_s in seen.chirps_s if start_s - half_s <= time_s < end_s - 0.05]
    sound_s = min(seen.sound_s, end_s) if seen.sound_s > start_s else 0.0
    return replace(seen, frames=kept, chirps_s=chirps_s, sound_s=sound_s), remarks


def begin_of(frames: Sequence[Shown], seen: Seen) -> float:
    """Where the time line begins: with the picture, or with sound that begins much earlier."""
    if not frames:
        return 0.0
    first_s = frames[0].time_s
    sounds_early = seen.sound_s > 0 and first_s > EARLY_S
    return 0.0 if sounds_early else first_s


def length_of(row: Row, seen: Seen) -> float:
    """How long the source plays, within the cut, as far as anything could be decoded."""
    begin_s = begin_of(seen.frames, seen) if not row.request else (seen.frames[0].time_s if seen.frames else 0.0)
    if not seen.frames:
        return seen.sound_s - float(row.request.get("cut_start", 0))
    return max(_picture_end_s(seen.frames), seen.sound_s) - begin_s


def _picture_end_s(frames: Sequence[Shown]) -> float:
    last = frames[-1].time_s - frames[-2].time_s if len(frames) > 1 else 0.04
    return frames[-1].time_s + last


def compare(row: Row, source: Seen, result: Result) -> Findings:
    """Compare everything that was published with what plain ffmpeg decodes.

    Args:
        row: the source.
        source: what plain ffmpeg decodes, as `expected_of` has it.
        result: what we made.
    """
    findings = Findings()
    length_s = length_of(row, source)
    if not source.frames:
        _compare_sound_files(source, result, findings)
        _compare_stated(length_s, result, findings)
        return findings
    for file in _videos(result.output):
        _compare_video(row, source, file, findings)
    if not _videos(result.output):
        findings.worse.append("no video was published")
        return findings
    _compare_pictures(row, source, length_s, result, findings)
    _compare_stated(length_s, result, findings)
    return findings


def _videos(output: Path) -> list[Path]:
    """The MP4, and the stream of the largest rendition."""
    streams = sorted(output.glob("*p.ts"), key=lambda file: int(file.stem[:-1]))
    return [*sorted(output.glob("*p.mp4"))[:1], *streams[-1:]]


def _compare_video(row: Row, source: Seen, file: Path, findings: Findings) -> None:
    made = _watch_made(row, source, file)
    frames = compare_frames(source.frames, made.frames, row.slack_s)
    _add(file.name, frames, findings)
    if frames.shift_s is None:
        return
    sound = compare_chirps(source.chirps_s, made.chirps_s, frames.shift_s, marks_of(made.frames))
    _add(file.name, sound, findings)
    _compare_level(row, source, made, file.name, findings)
    _compare_size(source, made, file, findings)
    if file.suffix == ".ts":
        findings.worse += check_segments(file.with_suffix(".m3u8"))[:2]
    else:
        _compare_audio_files(made, file.parent, findings)
        findings.shift_s = frames.shift_s


def _watch_made(row: Row, source: Seen, file: Path) -> Seen:
    """What our file shows; where the source's picture changes its size, each is looked at where it must be."""
    made = watch(file, plain=False)
    if not row.numbered:
        return replace(made, frames=[Shown(place, frame.time_s) for place, frame in enumerate(made.frames)])
    if not row.changes_size or not made.size_px or not source.sizes_px:
        return made
    areas = {size: _fitted(size, made.size_px) for size in set(source.sizes_px)}
    readings = {size: watch(file, plain=False, area=area).frames for size, area in areas.items()}
    size_of = {frame.number: size for frame, size in zip(source.frames, source.sizes_px, strict=False)}
    frames = []
    for place, frame in enumerate(made.frames):
        numbers = {read[place].number for size, read in readings.items() if size_of.get(read[place].number) == size}
        frames.append(Shown(next((one for one in numbers if one is not None), None), frame.time_s))
    return replace(made, frames=frames)


def _fitted(inner: tuple[float, float], outer: tuple[float, float]) -> Area:
    """Where a picture lies in another one if it is as large as it can be, in the middle, and not squeezed."""
    factor = min(outer[0] / inner[0], outer[1] / inner[1])
    width, height = inner[0] * factor / outer[0], inner[1] * factor / outer[1]
    return ((1 - width) / 2, (1 - height) / 2, width, height)


def _compare_level(row: Row, source: Seen, made: Seen, name: str, findings: Findings) -> None:
    if source.level_db is None or not source.chirps_s or row.request:
        return
    if made.level_db is None or made.level_db < source.level_db - 20:
        findings.worse.append(f"{name}: the sound is lost")


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


def _compare_audio_files(made: Seen, output: Path, findings: Findings) -> None:
    """The sound for listening is that of the MP4, and begins with the time line."""
    begin_s = made.frames[0].time_s
    for file in sorted(output.glob("audio_*")):
        _add(file.name, compare_chirps(made.chirps_s, watch(file).chirps_s, -begin_s, []), findings)


def _compare_sound_files(source: Seen, result: Result, findings: Findings) -> None:
    files = sorted(result.output.glob("audio_*"))
    if not files:
        findings.worse.append("no sound was published")
    start_s = float(result.info.get("cutting_start") or 0)
    for file in files:
        heard = watch(file)
        _add(file.name, compare_chirps(source.chirps_s, heard.chirps_s, -start_s, []), findings)
        length_s = source.sound_s - start_s
        if abs(heard.sound_s - length_s) > LENGTH_S:
            findings.worse.append(f"{file.name}: {heard.sound_s:.2f} s of {length_s:.2f} s")


def _add(name: str, found: Findings, findings: Findings) -> None:
    findings.worse += [f"{name}: {clause}" for clause in found.worse]
    findings.better += [clause for clause in found.better if clause not in findings.better]


def _compare_stated(length_s: float, result: Result, findings: Findings) -> None:
    """Every place that states a length states the same one, and it is that of the source."""
    stated: dict[str, float] = {"info_video.json": float(result.info["duration"])}
    for file in sorted([*result.output.glob("*.m3u8")]):
        playlist = m3u8.load(str(file))
        if playlist.segments:
            stated[file.name] = sum(float(segment.duration) for segment in playlist.segments)
    for file in sorted([*result.output.glob("*p.mp4"), *result.output.glob("audio_*")]):
        stated |= {f"{file.name} {name}": value for name, value in _stated_in(file).items()}
    captions = result.output / "overview.vtt"
    if captions.exists():
        stated[captions.name] = _cues(captions)[-1][1]
    for name, value in stated.items():
        least = length_s - LENGTH_S - (1 if name == "info_video.json" else 0)
        if not least <= value <= length_s + LENGTH_S and not (":" in name and value < length_s):
            findings.worse.append(f"{name} states {value:.2f} s for {length_s:.2f} s")


def _stated_in(file: Path) -> dict[str, float]:
    argv = ["ffprobe", "-v", "error", "-show_entries", "format=duration:stream=codec_type,duration"]
    output = subprocess.run([*argv, "-print_format", "json", str(file)], capture_output=True, check=True).stdout
    probed = json.loads(output)
    # a stream may end before the file does, but not after it
    streams = {f": {one['codec_type']}": float(one["duration"]) for one in probed["streams"] if "duration" in one}
    return {"as a whole": float(probed["format"]["duration"]), **streams}


def _compare_pictures(row: Row, source: Seen, length_s: float, result: Result, findings: Findings) -> None:
    """Thumbnails and the overview show what is shown at their times."""
    if not row.numbered or row.changes_size:
        return
    thumbnails = sorted(result.output.glob("thumbnail_0*.png"))
    wanted = max(len(thumbnails), 10 if length_s >= 10 else 0)
    slack_s = SEGMENT_S if wanted and length_s / wanted >= FROM_KEY_FRAMES_S else PICTURE_S
    if not thumbnails:
        findings.worse.append("there are no thumbnails")
    begin_s = begin_of(source.frames, source) if not row.request else source.frames[0].time_s
    for place, file in enumerate(thumbnails):
        at_s = length_s * (place + 0.5) / len(thumbnails)
        _check_picture(file.name, _codes(file, 1)[0], source, (begin_s + at_s, begin_s + at_s), slack_s, findings)
    strip, captions = result.output / "overview.png", result.output / "overview.vtt"
    if length_s >= 10 + LENGTH_S and not strip.exists():
        findings.worse.append("there is no overview")
    if strip.exists() and captions.exists():
        cues = _cues(captions)
        for place, (code, (from_s, to_s)) in enumerate(zip(_codes(strip, len(cues)), cues, strict=True)):
            span_s = (begin_s + from_s, begin_s + to_s)
            _check_picture(f"overview, {place}", code, source, span_s, slack_s, findings)


def _check_picture(
    name: str, number: int | None, source: Seen, span_s: tuple[float, float], slack_s: float, findings: Findings
) -> None:
    """The frame with this number is on the screen at some time of the span."""
    if number is None:
        return
    frames = source.frames
    ends_s = [frame.time_s for frame in frames[1:]] + [float("inf")]
    shown = [(frame.time_s, end_s) for frame, end_s in zip(frames, ends_s, strict=True) if frame.number == number]
    if shown and frames[0].number == number:
        shown.append((float("-inf"), shown[0][1]))
    if not any(from_s <= span_s[1] + slack_s and to_s >= span_s[0] - slack_s for from_s, to_s in shown):
        when = f"at {shown[0][0]:.2f} s" if shown else "nowhere"
        findings.worse.append(f"{name} shows frame {number}, which is {when}, for {span_s[0]:.2f} s")


def _codes(file: Path, tiles: int) -> list[int | None]:
    graph = f"crop=iw:ih*{STRIP}:0:0,scale={BITS * tiles}:1:flags=area,format=gray"
    argv = ["ffmpeg", "-v", "error", "-i", str(file), "-vf", graph, "-f", "rawvideo", "-frames:v", "1", "-"]
    pixels = np.frombuffer(subprocess.run(argv, capture_output=True, check=True).stdout, np.uint8)
    return [read_code(pixels[tile * BITS : (tile + 1) * BITS]) for tile in range(tiles)]


def _cues(file: Path) -> list[tuple[float, float]]:
    """Where the captions of the overview begin and end."""
    times = re.findall(r"(\d+):(\d\d):(\d\d\.\d+) --> (\d+):(\d\d):(\d\d\.\d+)", file.read_text())
    parsed = [[float(part) for part in one] for one in times]
    return [(3600 * a + 60 * b + c, 3600 * d + 60 * e + f) for a, b, c, d, e, f in parsed]


__all__ = ["TILE_HEIGHT_PX", "WHOLE", "Result", "begin_of", "compare", "expected_of", "length_of"]
