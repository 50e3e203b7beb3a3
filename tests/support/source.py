"""Makes the source clips: scenes that together resemble a recorded lecture, 1920x1080 at 25 frames/s with sound.

Drawn by ffmpeg alone, so that everybody measures with the same pictures. Every scene has the noise of a camera or the
sharp edges of a screen; the file is a usual upload: H.264 with key frames up to ten seconds apart, AAC stereo.
"""

import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path

FRAME_RATE = 25
SIZE = "1920x1080"
FONTS = (
    "/usr/share/fonts/truetype/dejavu/DejaVuSans.ttf",
    "/usr/share/fonts/truetype/liberation/LiberationSans-Regular.ttf",
    "/usr/share/fonts/dejavu-sans-fonts/DejaVuSans.ttf",
    "/usr/share/fonts/TTF/DejaVuSans.ttf",
)
"""Where the usual distributions keep a sans-serif font; without one the slides are test cards."""

SENTENCES = (
    "Stateless functions and a queue",
    "A step is short, idempotent and retried alone",
    "Every source frame lands in exactly one chunk",
    "The encoder sees a picture once, whatever is made of it",
    "f(x) = a0 + a1 x + a2 x^2 + ... + an x^n",
    "Figure 3: bit rate over quality for five presets",
)
SLIDE_NOISE, CAMERA_NOISE, GRAIN = 2, 4, 6
"""Strength of the `noise` filter: a captured HDMI signal, a webcam in a lecture hall, high-ISO film."""

Scene = Callable[[float, int], str]
"""Draws `seconds` of pictures as a lavfi graph, different for every number."""


def make_source(folder: Path, seconds: int, ffmpeg: str = "ffmpeg") -> Path:
    """Make a clip of all scenes, or find the one that was made before.

    Args:
        folder: where clips are kept.
        seconds: length of the clip.
        ffmpeg: the command, with libx264, drawtext where there are fonts, and aac.

    Returns:
        An MP4 file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"lecture-{seconds}s.mp4"
    if target.exists():
        return target
    (folder / "slide.txt").write_text(_slide_text(8), encoding="utf-8")
    (folder / "page.txt").write_text(_slide_text(90), encoding="utf-8")
    graph = f"{_pictures(SCENES, seconds)};{draw_speech(seconds)}[sound]"
    return _write(target, ["-filter_complex", graph, "-map", "[picture]", "-map", "[sound]"], seconds, ffmpeg)


def make_talk(folder: Path, seconds: int, speech: Path, ffmpeg: str = "ffmpeg") -> Path:
    """Make a clip of what most recordings show, slides and a small speaker, with real speech, or find it.

    Args:
        folder: where clips are kept.
        seconds: length of the clip.
        speech: a sound, played again and again.
        ffmpeg: as for `make_source`.

    Returns:
        An MP4 file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    target = folder / f"talk-{seconds}s.mp4"
    if target.exists():
        return target
    (folder / "slide.txt").write_text(_slide_text(8), encoding="utf-8")
    argv = ["-stream_loop", "-1", "-i", str(speech), "-filter_complex", _pictures((_lesson, _slides), seconds)]
    return _write(target, [*argv, "-map", "[picture]", "-map", "0:a", "-ac", "2"], seconds, ffmpeg)


def _pictures(scenes: Sequence[Scene], seconds: int) -> str:
    """One scene after another, each as long as the others."""
    each_s = seconds / len(scenes)
    graph = "".join(f"{draw(each_s, number)}[scene{number}];" for number, draw in enumerate(scenes))
    graph += "".join(f"[scene{number}]" for number in range(len(scenes)))
    return f"{graph}concat=n={len(scenes)},format=yuv420p,trim=end={seconds}[picture]"


def _write(target: Path, inputs: Sequence[str], seconds: int, ffmpeg: str) -> Path:
    partial = target.with_suffix(".partial.mp4")
    argv = [ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", "-y", *inputs]
    argv += ["-c:v", "libx264", "-preset", "medium", "-crf", "20", "-maxrate", "12M", "-bufsize", "18M"]
    argv += ["-c:a", "aac", "-b:a", "160k", "-movflags", "+faststart", "-t", str(seconds), str(partial.name)]
    subprocess.run(argv, check=True, cwd=target.parent)
    return partial.replace(target)


def repeat_source(clip: Path, times: int, ffmpeg: str = "ffmpeg") -> Path:
    """Make a long clip by playing a short one again and again, without encoding it anew."""
    target = clip.with_name(f"{clip.stem}-x{times}.mp4")
    if times == 1 or target.exists():
        return clip if times == 1 else target
    partial = target.with_suffix(".partial.mp4")
    argv = [ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-stream_loop", str(times - 1)]
    argv += ["-i", str(clip), "-map", "0", "-c", "copy", "-movflags", "+faststart", str(partial)]
    subprocess.run(argv, check=True)
    return partial.replace(target)


def _slide_text(lines: int) -> str:
    return "\n".join(f"{number + 1}.  {SENTENCES[number % len(SENTENCES)]}" for number in range(lines))


def find_font() -> str | None:
    """A sans-serif font of this machine; None if none is found."""
    return next((font for font in FONTS if Path(font).exists()), None)


def _page(color: str, text: str, size_px: int, frame: str) -> str:
    """A still page of text, or a test card where no font is found."""
    font = find_font()
    if font is None:
        return f"testsrc2=s={frame}:r={FRAME_RATE}:d=0.04"
    text_options = f"fontfile={font}:textfile={text}:fontsize={size_px}:fontcolor=0x202840:x=120:y=110:line_spacing=36"
    return f"color=c={color}:s={frame}:r={FRAME_RATE}:d=0.04,drawtext={text_options}"


def _still(picture: str, seconds: float) -> str:
    return f"{picture},loop=loop=-1:size=1,trim=end={seconds:.3f},setpts=N/{FRAME_RATE}/TB"


def _noise(strength: int, seed: int) -> str:
    return f"noise=alls={strength}:allf=t:all_seed={seed + 1}"


def _slides(seconds: float, number: int) -> str:
    """Two slides, one after another, with the noise of a capture card."""
    first, second = (_still(_page(color, "slide.txt", 52, SIZE), seconds / 2) for color in ("0xf4f1e8", "0xdfe9f5"))
    return (
        f"{first},format=yuv420p[slide{number}a];{second},hue=h=40,format=yuv420p[slide{number}b];"
        f"[slide{number}a][slide{number}b]concat=n=2,{_noise(SLIDE_NOISE, number)}"
    )


def draw_speaker(seconds: float, number: int) -> str:
    """Somebody who moves before a textured wall, seen by a noisy camera."""
    wall = _still(f"mandelbrot=s=480x270:r={FRAME_RATE}:start_scale=0.02,trim=end_frame=1", seconds)
    person = f"mandelbrot=s=240x300:r={FRAME_RATE}:end_pts=900:start_scale=0.6,trim=end={seconds:.3f}"
    return (
        f"{wall},scale={SIZE}:flags=bicubic,gblur=6,eq=brightness=-0.1:saturation=0.5,format=yuv420p[wall{number}];"
        f"{person},scale=720:900:flags=bicubic,unsharp,eq=saturation=0.6,format=yuv420p[person{number}];"
        f"[wall{number}][person{number}]overlay=x='600+220*sin(t*0.9)':y='180+14*sin(t*3.1)':eval=frame,"
        f"{_noise(CAMERA_NOISE, number)}"
    )


def _screencast(seconds: float, number: int) -> str:
    """A page of text that scrolls, stops and scrolls on: no noise, sharp edges."""
    page = _still(_page("white", "page.txt", 30, "1920x4000"), seconds)
    travel = "mod(floor(t/3)*420+min(mod(t,3),1.5)*280,2900)"
    return f"{page},format=yuv420p,crop=1920:1080:0:'{travel}',eq=contrast={1 + number / 100:.2f}"


def _film(seconds: float, number: int) -> str:
    """A pan and zoom over a detailed picture, with grain."""
    frames = round(seconds * FRAME_RATE)
    picture = f"mandelbrot=s=1280x720:r={FRAME_RATE}:start_scale=0.3,trim=end_frame=1,scale=3840:2160:flags=bicubic"
    zoom = (
        f"zoompan=z='1.1+0.25*sin(on/90)':x='iw*(0.05+0.2*on/{frames})':y='ih*0.1':d={frames}:s={SIZE}:fps={FRAME_RATE}"
    )
    return f"{picture},{zoom},eq=saturation=0.7,format=yuv420p,{_noise(GRAIN, number)}"


def _lesson(seconds: float, number: int) -> str:
    """A slide with the speaker small in its corner: what most recordings show."""
    slide = _still(_page("0xf7f7f2", "slide.txt", 44, SIZE), seconds)
    person = f"mandelbrot=s=240x180:r={FRAME_RATE}:end_pts=900:start_scale=0.4,trim=end={seconds:.3f}"
    return (
        f"{slide},format=yuv420p[lesson{number}];"
        f"{person},scale=480:360:flags=bicubic,{_noise(CAMERA_NOISE, number)},format=yuv420p[corner{number}];"
        f"[lesson{number}][corner{number}]overlay=x=1400:y='680+6*sin(t*2)':eval=frame,{_noise(SLIDE_NOISE, number)}"
    )


SCENES: Sequence[Scene] = (_slides, draw_speaker, _screencast, _film, _lesson)


def draw_speech(seconds: int) -> str:
    """Speech-like sound: a voice's harmonics, opened and closed like syllables, over the hum of a room."""
    voice = "+".join(f"{0.5 / harmonic:.3f}*sin({harmonic}*2*PI*(118*t+2.2*sin(5*t)))" for harmonic in range(1, 9))
    syllables = "(0.15+0.85*max(0,sin(2*PI*3.3*t))*max(0,sin(2*PI*0.21*t+0.6)))"
    return (
        f"aevalsrc='0.25*{syllables}*({voice})':s=48000:d={seconds}[voice];"
        f"anoisesrc=color=pink:amplitude=0.02:r=48000:d={seconds}:seed=7[room];"
        "[voice][room]amix=inputs=2:duration=first,aformat=channel_layouts=stereo"
    )
