"""Ten sources: what phones, cameras, screens and old recorders leave, twenty seconds each unless a test wants less."""

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path

from support.fidelity.marks import MARK_EVERY, bar_code, chirps
from support.media import ffmpeg
from support.source import FRAME_RATE, draw_speaker

LENGTH_S = 20
SOUND_LONGER_S = 0.2

X264 = ("-c:v", "libx264", "-preset", "fast", "-crf", "17", "-pix_fmt", "yuv420p")
AAC = ("-c:a", "aac", "-b:a", "160k")


@dataclass(frozen=True)
class Clip:
    """A source to be made."""

    name: str
    """Of its file."""
    about: str
    rate: Fraction
    coding: tuple[str, ...]
    size: str = "1280x720"
    pictures: str = "null"
    """Filter after the frames are numbered."""
    inputs: tuple[str, ...] = ()
    """Options of the sound's input."""
    after: Callable[[Path, Path], None] | None = None
    """What is done to the finished file: from, to."""
    reference: str = "null"
    """Filter that makes of the source what a rendition shall show; before scaling."""
    decimation: int = 1
    """One frame of so many is kept."""
    length_s: int = LENGTH_S

    @property
    def frames(self) -> int:
        """The last frame is a marked one."""
        return round(self.length_s * self.rate / MARK_EVERY) * MARK_EVERY + 1


def _turn(source: Path, target: Path) -> None:
    ffmpeg("-i", source, "-c", "copy", "-metadata:s:v:0", "rotate=90", target)


NTSC, FILM, DOUBLE = Fraction(30_000, 1001), Fraction(24_000, 1001), Fraction(60_000, 1001)

CLIPS = (
    Clip(
        "camera.mp4", "H.264 with B-frames, open groups of up to 10 s", Fraction(25),
        (*X264, "-x264-params", "keyint=250:open-gop=1:bframes=3", *AAC),
    ),
    Clip(
        "phone.mov", "portrait, turned by its header, 29.97 frames/s", NTSC, (*X264, *AAC), size="720x1280",
        pictures="transpose=clock", after=_turn,
    ),
    Clip(
        "screen.mkv", "screen recording: every fifth to seventh frame is missing", Fraction(30),
        (*X264, "-c:a", "libopus"), pictures="select=mod(n\\,5)*mod(n\\,7)+not(mod(n\\,24))",
    ),
    Clip(
        "browser.webm", "VP9 and Opus", Fraction(30),
        ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-crf", "20", "-b:v", "0", "-c:a", "libopus"),
    ),
    Clip(
        "tape.ts", "MPEG-2, interlaced, transport stream that starts at 1.4 s", Fraction(25),
        ("-c:v", "mpeg2video", "-q:v", "2", "-bf", "2", "-g", "12", "-flags", "+ildct+ilme", "-top", "1",
         "-pix_fmt", "yuv420p", "-c:a", "mp2", "-b:a", "256k"),
        size="720x576", pictures="setfield=tff", reference="bwdif=mode=send_frame:deint=interlaced",
    ),
    Clip(
        "old.avi", "MPEG-4 part 2 and MP3", Fraction(25),
        ("-c:v", "mpeg4", "-q:v", "2", "-bf", "2", "-c:a", "libmp3lame", "-b:a", "192k"), size="640x480",
    ),
    Clip(
        "game.mp4", "120 frames/s, of which half are kept", Fraction(120), (*X264, *AAC), size="640x360",
        reference="select=not(mod(n\\,2))", decimation=2,
    ),
    Clip("sport.mkv", "59.94 frames/s", DOUBLE, (*X264, "-c:a", "flac")),
    Clip(
        "film.mov", "ProRes 4:2:2 in 10 bit, 23.976 frames/s, PCM at 44.1 kHz", FILM,
        ("-c:v", "prores_ks", "-profile:v", "2", "-c:a", "pcm_s24le", "-ar", "44100"),
    ),
    Clip(
        "late.mkv", "first frame at 3.7 s of the file's clock, sound that starts 1.3 s after the picture", Fraction(25),
        (*X264, *AAC, "-output_ts_offset", "3.7"), inputs=("-ss", "1.3", "-itsoffset", "1.3"),
    ),
)  # fmt: skip


def make_clip(clip: Clip, folder: Path) -> Path:
    """Draw a source, or find the one that was made before."""
    target = folder / clip.name
    if target.exists():
        return target
    folder.mkdir(parents=True, exist_ok=True)
    length_s = float(clip.frames / clip.rate)
    sound = folder / "sound.wav"
    ffmpeg("-f", "lavfi", "-i", chirps(clip.rate, length_s + SOUND_LONGER_S), sound)
    drawn = draw_speaker(clip.frames / FRAME_RATE + 1, 0)
    pictures = f"{drawn},trim=end_frame={clip.frames},scale={clip.size.replace('x', ':')},setsar=1,{bar_code()}"
    partial = folder / f"partial-{clip.name}"
    ffmpeg(
        *("-f", "lavfi", "-i", f"{pictures},settb=1/90000,setpts=N/({clip.rate})/TB,{clip.pictures}"),
        *(*clip.inputs, "-i", sound, "-map", "0", "-map", "1", "-fps_mode", "passthrough"),
        *(*(("-r", clip.rate) if "select" not in clip.pictures else ()), *clip.coding, partial),
    )
    if clip.after:
        turned = partial.with_stem("turned")
        clip.after(partial, turned)
        turned.replace(partial)
    return partial.replace(target)
