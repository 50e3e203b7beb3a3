"""Lengths and clocks: headers that lie, streams that go on, files that end early, frames at odd times."""

from pathlib import Path
from typing import Any

from support.corpus.kit import (
    AAC,
    COPY,
    MP2,
    MP3,
    MPEG2,
    MPEG4,
    OPUS,
    PCM,
    VP8,
    VP9,
    X264,
    Kit,
    Make,
    Row,
    coded,
    copied,
    patched,
)
from support.corpus.patches import (
    asf_states,
    avi_states,
    cut_off,
    flash_states,
    matroska_states,
    matroska_tags_state,
    mp4_states,
    without_cues,
    zeros_inside,
)

THEORA = ("-c:v", "libtheora", "-q:v", "8", "-c:a", "libvorbis")
WMV = ("-c:v", "wmv2", "-q:v", "3", "-c:a", "wmav2")
FIRST = ("-movflags", "+faststart")
LENGTH: dict[str, Any] = {"area": "length"}
CLOCK: dict[str, Any] = {"area": "clock"}
APART: dict[str, Any] = {"area": "clock", "in_step": False}
"""Chirps do not begin with their frames."""
LATE_CUE = "1\n00:00:01,000 --> 00:00:02,000\nBonjour\n\n2\n00:00:40,000 --> 00:00:42,000\nAu revoir\n"


def subtitled(*coding: object, text: str = LATE_CUE) -> Make:
    """Subtitles that go on after picture and sound."""

    def make(kit: Kit, target: Path) -> None:
        (kit.folder / "a.srt").write_text(text, encoding="utf-8")
        whole = kit.part("whole.mkv", *coding)
        codec = {".mp4": "mov_text", ".mov": "mov_text", ".webm": "webvtt"}.get(target.suffix, "subrip")
        kit.ffmpeg("-i", whole, "-i", "a.srt", "-map", "0", "-map", "1", "-c", "copy", "-c:s", codec, target)

    return make


def joined_with_stale_tags(kit: Kit, target: Path) -> None:
    """Two recordings one after another, with the tags of the first."""
    parts = [kit.part(f"{first}.mkv", *X264, *AAC, first=first, seconds=4.8, sound_s=4.7) for first in (0, 120)]
    (kit.folder / "list").write_text("".join(f"file {part.name}\nduration 4.8\n" for part in parts), encoding="utf-8")
    kit.ffmpeg("-f", "concat", "-i", "list", *COPY, "whole.mkv")
    target.write_bytes(matroska_tags_state(4)((kit.folder / "whole.mkv").read_bytes()))


def cut_without_encoding(*coding: object, container: str = "mov", start_s: float = 1.5) -> Make:
    """Cut between key frames: an edit list, or frames before the beginning."""

    def make(kit: Kit, target: Path) -> None:
        whole = kit.part(f"whole.{container}", *coding)
        kit.ffmpeg("-ss", start_s, "-i", whole, *COPY, target)

    return make


def shown(name: str, about: str, pictures: str, *coding: object, rate: str = "25", **fields: Any) -> Row:
    """Numbered frames whose choice or times are changed by filters."""

    def make(kit: Kit, target: Path) -> None:
        clock = "1:90000" if target.suffix in {".mp4", ".ts"} else "1:1000"
        passed = ("-fps_mode", "passthrough", "-enc_time_base", clock)
        kit.ffmpeg("-i", kit.picture(rate=rate), "-i", kit.sound(rate=rate), "-vf", pictures, *passed, *coding, target)

    return Row(name, "clock", about, make, **fields)


LENGTHS = (
    Row("subtitles-go-on.mkv", "length", "a last caption 35 s after the end", subtitled(*X264, *AAC)),
    Row("subtitles-go-on.mp4", "length", "a last caption 35 s after the end", subtitled(*X264, *AAC)),
    Row("subtitles-go-on.mov", "length", "a last caption 35 s after the end", subtitled(*X264, *AAC)),
    Row("subtitles-go-on.webm", "length", "a last caption 35 s after the end", subtitled(*VP8, *OPUS)),
    patched("claims-more.mkv", "header far too long", (*X264, *AAC), matroska_states(120), **LENGTH),
    patched("claims-more.webm", "header far too long", (*VP8, *OPUS), matroska_states(120), **LENGTH),
    patched("claims-more.mp4", "header far too long", (*X264, *AAC), mp4_states(10), **LENGTH),
    patched("claims-more.mov", "header far too long", (*X264, *PCM), mp4_states(10), **LENGTH),
    patched("claims-more.flv", "header far too long", (*X264, *AAC), flash_states(120), **LENGTH),
    patched("claims-more.avi", "header far too long", (*MPEG4, *MP3), avi_states(1500), **LENGTH),
    patched("claims-more.wmv", "header far too long", WMV, asf_states(120), **LENGTH),
    patched("claims-less.mkv", "header too short", (*X264, *AAC), matroska_states(3), seconds=12, **LENGTH),
    patched("claims-less.webm", "header too short", (*VP8, *OPUS), matroska_states(3), **LENGTH),
    patched("claims-less.mp4", "header too short", (*X264, *AAC), mp4_states(0.4), **LENGTH),
    patched("claims-less.flv", "header too short", (*X264, *AAC), flash_states(2), **LENGTH),
    patched("claims-less.avi", "header too short", (*MPEG4, *MP3), avi_states(50), **LENGTH),
    patched("claims-less.wmv", "header too short", WMV, asf_states(2), **LENGTH),
    Row("stale-tags.mkv", "length", "joined, with the first one's DURATION tags", joined_with_stale_tags),
    patched("stale-tags.webm", "DURATION tags of a shorter file", (*VP8, *OPUS), matroska_tags_state(2), **LENGTH),
    patched("cut-off.mp4", "broken transfer, index first", (*X264, *AAC, *FIRST), cut_off(0.5), seconds=12, **LENGTH),
    patched("cut-off.mov", "broken transfer, index first", (*X264, *PCM, *FIRST), cut_off(0.6), **LENGTH),
    patched("cut-off-index-last.mp4", "broken transfer, index lost", (*X264, *AAC), cut_off(0.6), **LENGTH),
    patched(
        "cut-off-fragments.mp4",
        "broken transfer, fragmented",
        (*X264, *AAC, "-movflags", "+frag_keyframe+empty_moov"),
        cut_off(0.6),
        **LENGTH,
    ),
    patched("cut-off.mkv", "broken transfer", (*X264, *AAC), cut_off(0.6), **LENGTH),
    patched("cut-off.webm", "broken transfer", (*VP9, *OPUS), cut_off(0.6), **LENGTH),
    patched("cut-off.ts", "broken transfer", (*X264, *AAC), cut_off(0.6), **LENGTH),
    patched("cut-off.mpg", "broken transfer", (*MPEG2, *MP2, "-f", "vob"), cut_off(0.6), **LENGTH),
    patched("cut-off.avi", "broken transfer, index lost", (*MPEG4, *MP3), cut_off(0.6), **LENGTH),
    patched("cut-off.flv", "broken transfer", (*X264, *AAC), cut_off(0.6), **LENGTH),
    patched("cut-off.wmv", "broken transfer", WMV, cut_off(0.6), **LENGTH),
    patched("cut-off.ogv", "broken transfer", THEORA, cut_off(0.6), **LENGTH),
    patched("hole.mkv", "a part was never written", (*X264, *AAC), zeros_inside(0.4, 3000), **LENGTH),
    patched("hole.ts", "a part was never written", (*X264, *AAC), zeros_inside(0.4, 3000), **LENGTH),
    coded("sound-goes-on.mp4", "picture of 3 s, sound of 6 s", *X264, *AAC, seconds=3, sound_s=6, **LENGTH),
    coded("sound-goes-on.mkv", "picture of 3 s, sound of 6 s", *X264, *OPUS, seconds=3, sound_s=6, **LENGTH),
    coded("sound-goes-on.ts", "picture of 3 s, sound of 6 s", *X264, *AAC, seconds=3, sound_s=6, **LENGTH),
    coded("title-picture.mp4", "one picture with 6 s of sound", *X264, *AAC, seconds=0.04, sound_s=6, **LENGTH),
    coded("title-picture.mkv", "one picture with 6 s of sound", *X264, *OPUS, seconds=0.04, sound_s=6, **LENGTH),
)
CLOCKS = (
    coded("begins-at-7.mkv", "the clock begins at 7 s", *X264, *AAC, "-output_ts_offset", "7", **CLOCK),
    coded("begins-at-7.ts", "the clock begins at 7 s", *X264, *AAC, "-output_ts_offset", "7", **CLOCK),
    coded("clock-wraps.ts", "the clock begins anew after 26.5 h", *X264, *AAC, "-output_ts_offset", "95440", **CLOCK),
    coded(
        "clock-wraps.mpg",
        "the clock begins anew after 26.5 h",
        *MPEG2,
        *MP2,
        "-f",
        "vob",
        "-output_ts_offset",
        "95440",
        **CLOCK,
    ),
    coded(
        "late-sound.mp4",
        "sound begins at 1.7 s",
        *X264,
        *AAC,
        sound_before=("-ss", "1.7", "-itsoffset", "1.7"),
        **CLOCK,
    ),
    coded(
        "late-sound.mkv",
        "sound begins at 1.7 s",
        *X264,
        *AAC,
        sound_before=("-ss", "1.7", "-itsoffset", "1.7"),
        **CLOCK,
    ),
    coded(
        "late-sound.ts", "sound begins at 1.7 s", *X264, *MP2, sound_before=("-ss", "1.7", "-itsoffset", "1.7"), **CLOCK
    ),
    coded("late-picture.mp4", "picture begins at 2.2 s", *X264, *AAC, before=("-itsoffset", "2.2"), **APART),
    coded("late-picture.mkv", "picture begins at 2.2 s", *X264, *AAC, before=("-itsoffset", "2.2"), **APART),
    coded("late-picture.webm", "picture begins at 0.6 s", *VP8, *OPUS, before=("-itsoffset", "0.6"), **APART),
    coded("early-sound.mp4", "sound is 80 ms early", *X264, *AAC, sound_before=("-itsoffset", "-0.08"), **APART),
    coded(
        "negative.mp4",
        "the clock begins below zero",
        *X264,
        *AAC,
        "-output_ts_offset",
        "-0.5",
        "-avoid_negative_ts",
        "disabled",
        **CLOCK,
    ),
    coded("no-edit-list.mp4", "B-frames without an edit list", *X264, *AAC, "-use_editlist", "0", **CLOCK),
    Row("edit-list.mp4", "clock", "cut without encoding", cut_without_encoding(*X264, *AAC)),
    Row(
        "edit-list.mov",
        "clock",
        "cut without encoding, closer key frames",
        cut_without_encoding(*X264, "-g", "12", *PCM),
    ),
    Row(
        "cut-copy.mkv", "clock", "cut without encoding", cut_without_encoding(*X264, *AAC, container="mkv", start_s=2.5)
    ),
    Row("cut-copy.ts", "clock", "cut without encoding", cut_without_encoding(*X264, *AAC, container="ts", start_s=2.5)),
    patched("without-index.mkv", "no index", (*X264, *AAC), without_cues, **CLOCK),
    patched("without-index.webm", "no index", (*VP9, *OPUS), without_cues, **CLOCK),
    shown("screen.mkv", "frames are missing here and there", "select='mod(n,5)*mod(n,7)+not(mod(n,24))'", *X264, *OPUS),
    shown("screen.mp4", "frames are missing here and there", "select='mod(n,5)*mod(n,7)+not(mod(n,24))'", *X264, *AAC),
    shown("pause.mkv", "no frames for 2.5 s", "select='not(between(t,1.6,4.1))'", *X264, *OPUS),
    shown("pause.mp4", "no frames for 2.5 s", "select='not(between(t,1.6,4.1))'", *X264, *AAC),
    shown("pause.webm", "no frames for 2.5 s", "select='not(between(t,1.6,4.1))'", *VP8, *OPUS),
    shown("slows-down.mp4", "25, then 5 frames/s", "select='lt(t,3)+not(mod(n,5))'", *X264, *AAC),
    shown(
        "jitter.webm",
        "times in milliseconds, uneven",
        "settb=1/1000,setpts='PTS+floor(random(1)*25)'",
        *VP8,
        *OPUS,
        "-live",
        "1",
    ),
    shown("same-time.mkv", "several frames of one time", "setpts='(floor(N/6)*6+min(mod(N,6),4))/25/TB'", *X264, *OPUS),
    coded("slides.mkv", "one frame a second", *X264, *AAC, rate="1", seconds=12, sound_s=12, **CLOCK),
    coded("slides.mp4", "one frame in 4 s", *X264, *AAC, rate="1/4", seconds=16, sound_s=16, **CLOCK),
    coded("film.mov", "23.976 frames/s", *X264, *PCM, rate="24000/1001", **CLOCK),
    coded("ntsc.mp4", "29.97 frames/s", *X264, *AAC, rate="30000/1001", **CLOCK),
    coded("double.mkv", "59.94 frames/s", *X264, *AAC, rate="60000/1001", seconds=4, sound_s=4, **CLOCK),
    coded("game.mp4", "120 frames/s", *X264, *AAC, rate="120", seconds=4, sound_s=4, **CLOCK),
    coded("game.webm", "144 frames/s in milliseconds", *VP8, *OPUS, rate="144", seconds=3, sound_s=3, **CLOCK),
    coded("slow.avi", "5 frames/s", *MPEG4, *MP3, rate="5", **CLOCK),
    coded("part.mp4", "a cut", *X264, *AAC, request={"cut_start": 1.5, "cut_end": 4.7}, **CLOCK),
    coded("part.mkv", "a cut", *X264, *OPUS, request={"cut_start": 1.5, "cut_end": 4.7}, **CLOCK),
    coded("part.ts", "a cut", *X264, *AAC, request={"cut_start": 1.5, "cut_end": 4.7}, **CLOCK),
    coded(
        "part.webm",
        "a cut of a live recording",
        *VP8,
        *OPUS,
        "-live",
        "1",
        request={"cut_start": 1.5, "cut_end": 4.7},
        **CLOCK,
    ),
    coded("long.mp4", "long enough for an overview", *X264, *AAC, seconds=14, sound_s=14, **CLOCK),
    copied(
        "short-interleave.mp4",
        "all of the sound after the picture",
        (*X264, *AAC),
        ("-max_interleave_delta", "1"),
        **CLOCK,
    ),
)
ROWS: tuple[Row, ...] = (*LENGTHS, *CLOCKS)
