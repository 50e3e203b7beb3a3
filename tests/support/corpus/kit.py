"""How the sources of the corpus are made: of numbered pictures and chirps, by ffmpeg and by patches, always alike."""

import os
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

from support.fidelity.marks import bar_code, chirps

FAST = ("-preset", "ultrafast", "-pix_fmt", "yuv420p", "-threads", "1")
X264 = ("-c:v", "libx264", *FAST, "-bf", "2", "-g", "50")
X265 = ("-c:v", "libx265", *FAST, "-x265-params", "log-level=error:keyint=50:bframes=2:pools=1")
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", "-g", "50", "-auto-alt-ref", "0")
VP9 = ("-c:v", "libvpx-vp9", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "1M", "-g", "50")
AV1 = ("-c:v", "libaom-av1", "-usage", "realtime", "-cpu-used", "8", "-b:v", "1M", "-g", "50", "-threads", "1")
MPEG2 = ("-c:v", "mpeg2video", "-q:v", "3", "-bf", "2", "-g", "12")
MPEG4 = ("-c:v", "mpeg4", "-q:v", "3", "-g", "50")
AAC = ("-c:a", "aac", "-b:a", "128k")
OPUS = ("-c:a", "libopus", "-b:a", "96k")
MP2 = ("-c:a", "mp2", "-b:a", "192k")
MP3 = ("-c:a", "libmp3lame", "-b:a", "128k")
PCM = ("-c:a", "pcm_s16le")
COPY = ("-map", "0", "-c", "copy")
SOUND_LONGER_S = 0.1
"""So that a codec's last frame does not cut the last chirp."""
MAKING_TIMEOUT_S = 120


class MakingError(Exception):
    """ffmpeg could not make a source; the text is the end of what it said."""


@dataclass(frozen=True)
class Kit:
    """Where a source is made, and of what."""

    folder: Path
    """For files on the way; empty at the beginning."""
    materials: Path
    """For pictures and sounds that several sources are made of."""

    def picture(self, *, size: str = "320x180", rate: str = "25", seconds: float = 6.0, first: int = 0) -> Path:
        """Numbered pictures without loss.

        Args:
            size: width and height.
            rate: frames per second.
            seconds: length.
            first: number of the first frame; a multiple of MARK_EVERY, so that chirps fit.
        """
        frames = round(seconds * Fraction(rate))
        graph = f"testsrc2=s={size}:r={rate},{bar_code()},trim=start_frame={first}:end_frame={first + frames}"
        name = f"{size}-{rate.replace('/', 'over')}-{seconds:g}-{first}.mkv"
        coding = ("-c:v", "libx264", "-qp", "0", *FAST, "-g", "50")
        return self._material(name, "-f", "lavfi", "-i", f"{graph},setpts=PTS-STARTPTS", *coding)

    def sound(self, seconds: float = 6.0, rate: str = "25") -> Path:
        """Chirps that begin with every marked frame of pictures of that rate."""
        name = f"{rate.replace('/', 'over')}-{seconds:g}.wav"
        return self._material(name, "-f", "lavfi", "-i", chirps(Fraction(rate), seconds + SOUND_LONGER_S))

    def _material(self, name: str, *arguments: object) -> Path:
        made = self.materials / name
        if not made.exists():
            self.materials.mkdir(parents=True, exist_ok=True)
            partial = self.materials / f"{os.getpid()}-{name}"
            self.ffmpeg(*arguments, partial)
            partial.replace(made)
        return made

    def ffmpeg(self, *arguments: object) -> None:
        """Run ffmpeg in the folder of the source. Raises MakingError."""
        argv = ["ffmpeg", "-hide_banner", "-nostdin", "-v", "error", "-y", *map(str, arguments)]
        done = subprocess.run(argv, capture_output=True, cwd=self.folder, timeout=MAKING_TIMEOUT_S, check=False)
        if done.returncode:
            raise MakingError(done.stderr.decode("utf-8", "replace")[-600:])

    def clip(self, target: Path, *coding: object, **how: Any) -> Path:
        """Code numbered pictures and chirps.

        Args:
            target: the file to write.
            coding: options of the output.
            how: `size`, `rate`, `seconds`, `first` of the pictures; `sound_s`: length of the sound, 0: there is none;
                `before`: options of the picture's input; `sound_before`: of the sound's; `inputs`: further ones.
        """
        seconds, rate = how.get("seconds", 6.0), how.get("rate", "25")
        shown = {name: how[name] for name in ("size", "rate", "seconds", "first") if name in how}
        inputs = [*how.get("before", ()), "-i", self.picture(**shown)]
        maps = ["-map", "0:v"]
        if sound_s := how.get("sound_s", seconds):
            inputs += [*how.get("sound_before", ()), "-i", self.sound(sound_s, rate)]
            maps += ["-map", "1:a"]
        self.ffmpeg(*inputs, *how.get("inputs", ()), *maps, *coding, target)
        return target

    def part(self, name: str, *coding: object, **how: Any) -> Path:
        """A clip on the way to another one."""
        return self.clip(self.folder / name, *coding, **how)


Make = Callable[[Kit, Path], object]
"""Writes a source to a path."""


@dataclass(frozen=True)
class Row:
    """A source of the corpus, and how it is looked at."""

    name: str
    """Of its file; also the test's id."""
    area: str
    """What of the function it tries: containers, length, joins, sound, codecs, limits, metadata, picture, clock."""
    about: str
    """What is odd."""
    make: Make
    request: Mapping[str, Any] = field(default_factory=dict)
    """Fields of Pod's request besides the source: a cut."""
    sound: int = 0
    """Which of the sound streams is to be heard."""
    numbered: bool = True
    """Whether frames can be told apart by their bar codes."""
    changes_size: bool = False
    tone_mapped: bool = False
    """Whether colours are changed on purpose: plain ffmpeg leaves HDR as it is."""
    slack_s: float = 0.003
    """How far a frame may be beside its time: containers that count milliseconds round them."""
    odd_frames: int = 0
    """So many may be lost or at other times: where packets are missing or clocks are joined, decoders guess."""
    dropped_chirps_s: tuple[float, ...] = ()
    """Where plain ffmpeg drops chirps that are there; where there are no pictures, nothing else would show that."""
    in_step: bool = True
    """Whether each chirp begins with its frame, by which may be told who is right."""
    meant_s: float = 0.0
    """The picture was meant to begin so much before its first frame that can be decoded; sound before that is cut."""
    sound_slack_s: float = 0.010
    """How far sound may be further from its picture than plain ffmpeg puts it."""
    refusal: str = ""
    """Words of the sentence by which it must be refused, whatever plain ffmpeg makes of it: it is encrypted, a single
    picture, or of a codec that is kept out. Empty: only what plain ffmpeg refuses may be."""

    def __str__(self) -> str:
        return self.name


def coded(name: str, about: str, *coding: object, area: str = "containers", **how: Any) -> Row:
    """A source that one command makes; `how` as in Kit.clip, or a field of Row."""
    fields = {key: how.pop(key) for key in tuple(how) if key in Row.__dataclass_fields__}
    return Row(name, area, about, lambda kit, target: kit.clip(target, *coding, **how), **fields)


def patched(name: str, about: str, coding: tuple[object, ...], patch: Callable[[bytes], bytes], **how: Any) -> Row:
    """A source that is coded, and whose bytes are then changed; `how` as in `coded`."""
    area = how.pop("area", "containers")
    fields = {key: how.pop(key) for key in tuple(how) if key in Row.__dataclass_fields__}

    def make(kit: Kit, target: Path) -> None:
        whole = kit.part(f"whole-{target.name}", *coding, **how)
        target.write_bytes(patch(whole.read_bytes()))

    return Row(name, area, about, make, **fields)


def copied(name: str, about: str, coding: tuple[object, ...], copying: tuple[object, ...], **how: Any) -> Row:
    """A source that is coded and then copied with other options; `how` as in `coded`, and `container` of the first."""
    area, container = how.pop("area", "containers"), how.pop("container", "mkv")
    fields = {key: how.pop(key) for key in tuple(how) if key in Row.__dataclass_fields__}

    def make(kit: Kit, target: Path) -> None:
        whole = kit.part(f"whole.{container}", *coding, **how)
        before = copying[: copying.index("-i")] if "-i" in copying else ()
        after = copying[copying.index("-i") + 1 :] if "-i" in copying else copying
        kit.ffmpeg(*before, "-i", whole, *COPY, *after, target)

    return Row(name, area, about, make, **fields)
