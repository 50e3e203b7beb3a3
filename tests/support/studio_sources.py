"""Recordings as browsers make them in a studio: a screen and a camera, whose colours and tones at any time are known.

MediaRecorder writes while it records: WebM without a duration and without cues, with the times at which frames came.
"""

import hashlib
import subprocess
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

SCREEN_COLOURS = ("red", "lime", "blue", "yellow", "red", "lime", "blue", "yellow")
CAMERA_COLOURS = ("cyan", "magenta", "white", "black", "cyan", "magenta", "white", "black")
"""Of each second in turn."""
SCREEN_HZ, CAMERA_HZ = 440, 1_200
FLASH_S = 0.2
"""How long a flash and its beep last."""
BEEP_HZ = 1_000
JITTER_S = 0.004

Sound = Literal["tone", "none", "silence", "no packets", "beeps"]
"""`none`: no track; `silence`: a track of zeros; `no packets`: a track in the header only, as of a muted microphone."""
Coding = Literal["vp8", "vp9", "h264"]
"""`h264` is the MP4 of a phone, all others are WebM."""

CODING_ARGV: dict[Coding, tuple[str, ...]] = {
    "vp8": ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2M", "-g", "100"),
    "vp9": ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-row-mt", "1", "-b:v", "2M", "-g", "100"),
    "h264": ("-c:v", "libx264", "-preset", "ultrafast", "-crf", "12", "-g", "250", "-pix_fmt", "yuv420p"),
}
TICKS = ("-enc_time_base:v", "1:1000")
"""Of WebM's clock: the encoder's own would move frames to multiples of the frame rate."""
PRIMED_S = 0.0065
"""Opus begins so much early. Readers of WebM take it off again, which ffmpeg does not think of as it writes."""
LIVE = ("-f", "webm", "-live", "1", "-cluster_time_limit", "1000", "-avoid_negative_ts", "disabled")


@dataclass(frozen=True)
class Take:
    """What is recorded of one source."""

    colours: Sequence[str] = SCREEN_COLOURS
    """The whole picture's, a second each. None at all: a source without picture."""
    lower: str | None = None
    """Colour of the lower half all the time, if it is another one: it tells which side is up."""
    size_px: tuple[int, int] = (384, 216)
    rate: str = "10"
    length_s: float = 4.0
    """On its own clock, the time before it starts included."""
    starts_s: float = 0.0
    """Its first frame and its first sound on its own clock."""
    jitter: bool = False
    """Frames come up to 4 ms early or late, and some do not come; never those at whole seconds or just after them."""
    flash_every_s: float = 0.0
    """White for `FLASH_S` at 1 s and every so often afterwards, otherwise black; 0: colours."""
    sound: Sound = "tone"
    tone_hz: int = SCREEN_HZ
    coding: Coding = "vp8"
    turn_degrees: int = 0
    """As a phone notes it that was held upright; MP4 only."""

    @property
    def suffix(self) -> str:
        """Of its file's name."""
        return "mp4" if self.coding == "h264" else "webm"


SCREEN = Take()
CAMERA = Take(colours=CAMERA_COLOURS, size_px=(320, 240), rate="30", jitter=True, tone_hz=CAMERA_HZ)


def record(folder: Path, take: Take) -> Path:
    """Record a source, or find what was recorded before.

    Args:
        folder: where recordings are kept.
        take: what it shows and sounds.
    """
    target = folder / f"{hashlib.sha256(repr(take).encode()).hexdigest()[:16]}.{take.suffix}"
    if target.exists():
        return target
    inputs = []
    if take.colours:
        inputs += ["-f", "lavfi", "-i", _picture(take)]
    if take.sound != "none":
        inputs += ["-f", "lavfi", "-i", _sound(take)]
    coding = [*CODING_ARGV[take.coding], "-c:a", "aac" if take.suffix == "mp4" else "libopus", "-b:a", "64k"]
    maps = [word for number in range(len(inputs) // 4) for word in ("-map", str(number))]
    argv = [*inputs, *maps, "-fps_mode", "passthrough", *TICKS, *(coding if take.colours else coding[-4:])]
    if take.suffix == "webm":
        return _write_live(argv, target)
    raw = target.with_suffix(".raw.mp4")
    _run([*argv, str(raw)])
    _run(["-i", str(raw), "-map", "0", "-c", "copy", "-metadata:s:v", f"rotate={take.turn_degrees}", str(target)])
    return target


def record_changing(folder: Path, take: Take, sizes_px: Sequence[tuple[int, int]]) -> Path:
    """Record a source whose picture changes its size, as a shared window does, in equal parts of its time.

    Args:
        folder: where recordings are kept.
        take: what it shows and sounds; its size is not used.
        sizes_px: one after another.
    """
    target = folder / f"changing-{hashlib.sha256(repr((take, sizes_px)).encode()).hexdigest()[:16]}.webm"
    if target.exists():
        return target
    part_s = take.length_s / len(sizes_px)
    parts = []
    for number, size_px in enumerate(sizes_px):
        colours = take.colours[round(number * part_s) :]
        parts.append(record(folder, replace(take, colours=colours, size_px=size_px, length_s=part_s, sound="none")))
    script = target.with_suffix(".txt")
    script.write_text("".join(f"file '{part}'\nduration {part_s}\n" for part in parts), encoding="utf-8")
    joined = ["-f", "concat", "-safe", "0", "-i", str(script)]
    if take.sound == "none":
        return _write_live([*joined, "-c", "copy"], target)
    sound = record(folder, replace(take, colours=()))
    return _write_live([*joined, "-i", str(sound), "-map", "0:v", "-map", "1:a", "-c", "copy"], target)


def break_off(recording: Path, target: Path) -> Path:
    """A recording whose upload was broken off within its header."""
    target.write_bytes(recording.read_bytes()[:150])
    return target


def record_nothing(folder: Path) -> Path:
    """A recording that was stopped before anything came: its header, and no packet at all."""
    target = folder / "nothing.webm"
    picture, sound = "color=s=320x180:r=10,trim=end=0", "anullsrc=r=48000,atrim=end=0"
    inputs = ["-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound]
    return _write_live([*inputs, "-map", "0", "-map", "1", *CODING_ARGV["vp8"], "-c:a", "libopus"], target)


def _picture(take: Take) -> str:
    width_px, height_px = take.size_px
    # from zero, so that what is drawn when is as on its clock; what comes before it starts is cut away
    drawn = [f"color=black:s={width_px}x{height_px}:r={take.rate}:d={take.length_s}", "format=yuv420p"]
    if take.flash_every_s:
        when = f"gte(t,0.9999)*lt(mod(t-0.9999,{take.flash_every_s}),{FLASH_S})"
        drawn.append(f"drawbox=color=white:t=fill:enable='{when}'")
    else:
        drawn += [f"drawbox=color={name}:t=fill:enable='gte(t,{at_s})'" for at_s, name in enumerate(take.colours)]
    if take.lower:
        drawn.append(f"drawbox=y=ih/2:h=ih/2:color={take.lower}:t=fill")
    if take.jitter:
        # the times of frames are moved after frames are left out, so that those left keep theirs
        inside = "gt(mod(t,1),0.15)*lt(mod(t,1),0.9)"
        drawn.append(f"select='not({inside}*not(mod(n,7)))'")
        moved = f"{JITTER_S}*sin(12.9898*N)*gt(mod(T,1),0.15)*lt(mod(T,1),0.9)"
        drawn += ["settb=1/1000", f"setpts='PTS+({moved})/TB'"]
    if take.starts_s:
        drawn.append(f"trim=start={take.starts_s}")
    return ",".join(drawn)


def _sound(take: Take) -> str:
    if take.sound == "no packets":
        return "anullsrc=r=48000,atrim=end=0"
    if take.sound == "silence":
        wave = "0"
    elif take.sound == "beeps":
        wave = f"gte(t,1)*lt(mod(t-1,{take.flash_every_s}),{FLASH_S})*0.5*sin(2*PI*{BEEP_HZ}*t)"
    else:
        wave = f"0.3*sin(2*PI*{take.tone_hz}*t)"
    drawn = [f"aevalsrc='{wave}':s=48000:d={take.length_s}"]
    if take.starts_s:
        drawn.append(f"atrim=start={take.starts_s}")
    if take.suffix == "webm":
        drawn.append(f"asetpts=PTS+{PRIMED_S}/TB")
    return ",".join(drawn)


def _write_live(argv: Sequence[str], target: Path) -> Path:
    """Write to a pipe, so that nothing is corrected once the recording ends."""
    partial = target.with_suffix(".partial")
    with partial.open("wb") as file:
        subprocess.run(["ffmpeg", "-v", "error", "-copyts", *argv, *LIVE, "-"], check=True, stdout=file)
    return partial.replace(target)


def _run(argv: Sequence[str]) -> None:
    subprocess.run(["ffmpeg", "-v", "error", "-y", *argv], check=True)
