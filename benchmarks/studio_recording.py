"""A recording of a studio as a browser writes it: slides on a screen, and somebody who explains them, seen by a camera.

Both are WebM, VP8 and Opus at MediaRecorder's default of 2.5 Mbit/s, up to 30 frames/s with the times at which frames
came: a few milliseconds early or late, and now and then not at all.
"""

import subprocess
from dataclasses import dataclass
from pathlib import Path

from support.source import draw_speech, find_font

RATE = 30
SCREEN_PX, CAMERA_PX = (1920, 1080), (1280, 720)
SLIDES = (
    ("Measuring length", ("Every town had its own foot", "A rod carved beside the church door", "1795: the metre"), 4),
    ("The pendulum", ("T = 2 \u03c0 \u221a(l / g)", "Slower at the equator", "So no unit for everyone"), 6),
    ("Seven years of triangles", ("From Dunkirk to Barcelona", "115 triangles", "One error, kept secret"), 5),
    ("What we use today", ("c = 299 792 458 m/s, exactly", "A clock instead of a rod", "Error: 1 in 10^16"), 7),
)
"""Title, lines, and how many bars the diagram has."""
INK, BAND, PAPER, BAR = "0x22303c", "0x1f4e79", "0xfbfaf6", "0xc2571a"
COLUMN_PX, ROWS_PX = 1_240, (300, 850)
"""Where the diagram is: its left edge; its top and its base line."""
VP8 = ("-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-b:v", "2500k", "-g", "3000", "-threads", "2")
LIVE = ("-f", "webm", "-live", "1", "-cluster_time_limit", "1000")


@dataclass(frozen=True)
class StudioRecording:
    """Both sources."""

    slides: Path
    """Without sound, as a screen is recorded."""
    camera: Path
    """With the microphone."""


def make_recording(folder: Path, seconds: int, ffmpeg: str = "ffmpeg") -> StudioRecording:
    """Make the recording, or find the one that was made before.

    Args:
        folder: where it is kept.
        seconds: its length.
        ffmpeg: the command, with libvpx, libopus, and drawtext where there are fonts.
    """
    folder.mkdir(parents=True, exist_ok=True)
    recording = StudioRecording(folder / f"studio-slides-{seconds}s.webm", folder / f"studio-camera-{seconds}s.webm")
    if not recording.slides.exists():
        graph = f"{_draw_slides(folder, seconds)},{_as_they_came(97)}[picture]"
        _write(recording.slides, ["-filter_complex", graph, "-map", "[picture]"], seconds, ffmpeg)
    if not recording.camera.exists():
        graph = f"{_draw_camera(seconds)},{_as_they_came(41)}[picture];{draw_speech(seconds)},asetnsamples=960[sound]"
        maps = ["-map", "[picture]", "-map", "[sound]", "-c:a", "libopus", "-b:a", "96k"]
        _write(recording.camera, ["-filter_complex", graph, *maps], seconds, ffmpeg)
    return recording


def _write(target: Path, arguments: list[str], seconds: int, ffmpeg: str) -> None:
    """Write to a pipe, so that nothing is corrected once the recording ends."""
    partial = target.with_suffix(".partial")
    argv = [ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", *arguments, *VP8, "-t", str(seconds)]
    argv += ["-fps_mode", "passthrough", "-enc_time_base:v", "1:1000", *LIVE, "-"]
    with partial.open("wb") as file:
        subprocess.run(argv, check=True, stdout=file)
    partial.replace(target)


def _as_they_came(lost_every: int) -> str:
    """Frames that are up to 4 ms early or late; one in so many is lost."""
    return f"select='mod(n,{lost_every})',settb=1/1000,setpts='PTS+4*sin(12.9898*N)*gt(N,0)'"


def _draw_slides(folder: Path, seconds: int) -> str:
    """One slide after another, and a pointer that moves now and then."""
    each_s = seconds / len(SLIDES)
    graph = "".join(
        f"{_slide(folder, number)},loop=loop=-1:size=1,trim=end={each_s:.3f},setpts=N/{RATE}/TB[slide{number}];"
        for number in range(len(SLIDES))
    )
    names = "".join(f"[slide{number}]" for number in range(len(SLIDES)))
    moved = "min(mod(t,6),1.2)/1.2"
    return (
        f"{graph}{names}concat=n={len(SLIDES)}[slides];"
        f"{_pointer()},loop=loop=-1:size=1,trim=end={seconds},setpts=N/{RATE}/TB[pointer];"
        f"[slides][pointer]overlay=x='300+700*abs(mod(floor(t/6),2)-{moved})':y='420+260*{moved}':shortest=1"
    )


def _pointer() -> str:
    """An arrow that points to the upper left."""
    return _shape((28, 40), "if(lt(X,26-abs(Y-14)*0.9)*lt(X,Y*0.75+1),0,1)", "30", ("128", "128"))


def _slide(folder: Path, number: int) -> str:
    """A slide of text and a diagram; without a font the text is missing."""
    title, lines, bars = SLIDES[number]
    width_px, height_px = SCREEN_PX
    drawn = [f"color=c={PAPER}:s={width_px}x{height_px}:r={RATE}:d=0.01", f"drawbox=h=170:color={BAND}:t=fill"]
    drawn += [_text(folder, f"{number}-title", title, "x=110:y=52:fontsize=74:fontcolor=white")]
    for row, line in enumerate(lines):
        drawn.append(f"drawbox=x=112:y={322 + 150 * row}:w=18:h=18:color={BAR}:t=fill")
        drawn.append(_text(folder, f"{number}-{row}", line, f"x=160:y={300 + 150 * row}:fontsize=52:fontcolor={INK}"))
    top_px, base_px = ROWS_PX
    for bar in range(bars):
        rise_px = round((base_px - top_px) * (0.25 + 0.75 * ((bar * 5 + number * 3) % 8) / 7))
        place = f"x={COLUMN_PX + 75 * bar}:y={base_px - rise_px}:w=54:h={rise_px}"
        drawn.append(f"drawbox={place}:color={BAND if bar % 2 else BAR}:t=fill")
    drawn.append(f"drawbox=x={COLUMN_PX - 20}:y={base_px}:w=560:h=4:color={INK}:t=fill")
    foot = f"History of measurement \u2013 lecture 3 \u2013 {number + 1}/{len(SLIDES)}"
    drawn.append(_text(folder, f"{number}-foot", foot, "x=110:y=1000:fontsize=32:fontcolor=gray"))
    return ",".join([*(step for step in drawn if step), "format=yuv420p"])


def _text(folder: Path, name: str, text: str, place: str) -> str:
    font = find_font()
    if font is None:
        return ""
    file = folder / f"studio-slide-{name}.txt"
    file.write_text(text, encoding="utf-8")
    return f"drawtext=fontfile={font}:textfile={file}:expansion=none:{place}"


def _draw_camera(seconds: int) -> str:
    """Somebody who moves before a wall with a blackboard, with the noise of a webcam."""
    still = f"loop=loop=-1:size=1,trim=end={seconds},setpts=N/{RATE}/TB"
    board = "gt(X,90)*lt(X,1010)*gt(Y,50)*lt(Y,430)"
    wall = _shape(
        CAMERA_PX, "0", f"if({board},62+10*sin(X/170)*cos(Y/90),186-50*X/1280-30*Y/720+4*sin(X/4)*sin(Y/5))",
        ("120", f"if({board},116,136)"),
    )  # fmt: skip
    body = _shape(
        (560, 620), "hypot((X-280)/250,(Y-420)/400)", "58+26*Y/620+7*sin(X/9)*sin(Y/11)", ("138-8*X/560", "124+6*X/560")
    )
    head = _shape((240, 300), "hypot((X-120)/108,(Y-150)/144)", _face(), (f"108+18*{HAIR}", f"152-20*{HAIR}"))
    sway = "18*sin(t*0.9)+7*sin(t*2.3)"
    return (
        f"{wall},gblur=2,format=yuv420p,{still}[wall];{body},{still}[body];{head},{still}[head];"
        f"[wall][body]overlay=x='360+{sway}':y='392+4*sin(t*1.7)':eval=frame[seated];"
        f"[seated][head]overlay=x='520+1.5*({sway})':y='138+9*sin(t*2.9)':eval=frame,noise=alls=4:allf=t:all_seed=5"
    )


HAIR = "lt(Y,84-26*cos((X-120)/70))"


def _shape(size_px: tuple[int, int], distance: str, luma: str, chroma: tuple[str, str]) -> str:
    """A shape with a soft edge, where the distance is below 1; all of it in the values that are given for a place."""
    width_px, height_px = size_px
    alpha = f"255*clip((1-{distance})*24,0,1)"
    return (
        f"color=s={width_px}x{height_px}:r={RATE}:d=0.01,format=yuva444p,"
        f"geq=lum='{luma}':cb='{chroma[0]}':cr='{chroma[1]}':a='{alpha}'"
    )


def _face() -> str:
    """Luma of a face: hair, lit from the left, eyes and a mouth."""
    eyes = "lt(hypot(X-82,(Y-140)*1.3),11)+lt(hypot(X-158,(Y-140)*1.3),11)"
    mouth = "lt(abs(Y-216-7*cos((X-120)/24)),5)*lt(abs(X-120),36)"
    return f"if({HAIR},46+10*sin(X/5),if({eyes},50,if({mouth},100,196-X/5-Y/12)))"
