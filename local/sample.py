"""Makes a short video to try things with: a moving picture, a clock, and speech or something like it."""

import shutil
import subprocess
from pathlib import Path

DURATION_S = 30
SIZE = "1920x1080"
FRAME_RATE = 25
TEXT = (
    "This is a sample video. Pod puts a message on a queue. An adapter takes the message and asks functions to do the "
    "work, one short step after another. Each step encodes a few seconds of the video, for all the sizes that Pod "
    "offers to its viewers. When all steps are done, the parts are joined, the files are put where Pod expects them, "
    "and Pod is notified that the video is ready. Then viewers can watch it, in the size that suits their network. "
    "Thank you for listening, and have a good day."
)
TONES = (
    "aevalsrc=exprs='0.35*sin(2*PI*(140+25*sin(2*PI*0.6*t))*t)*max(0,sin(2*PI*3.3*t))*gt(mod(t,4),0.6)"
    "+0.15*sin(2*PI*(900+300*sin(2*PI*1.7*t))*t)*max(0,sin(2*PI*3.3*t+0.4))*gt(mod(t,4),0.6)':s=48000"
)
"""Syllables and pauses, for an ffmpeg that cannot speak."""


class SampleError(Exception):
    """The sample could not be made; the message says why."""


def make_sample(target: Path, duration_s: int = DURATION_S, ffmpeg: str = "ffmpeg") -> Path:
    """Write the sample video.

    Args:
        target: an .mp4 file, written whole or not at all.
        duration_s: length, seconds.
        ffmpeg: the command.

    Raises:
        SampleError: ffmpeg is missing or failed.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    partial = target.with_name(f".{target.name}.partial.mp4")
    speech = f"flite=text='{TEXT}':voice=slt" if "flite" in _filters(ffmpeg) else TONES
    # the test card brings a clock and moving patterns; a disc of light moves across it
    picture = (
        f"testsrc2=size={SIZE}:rate={FRAME_RATE}:duration={duration_s}[card];"
        f"color=white@0.35:size=240x240:rate={FRAME_RATE}:duration={duration_s},format=yuva420p,"
        "geq=lum='p(X,Y)':a='if(lt(hypot(X-120,Y-120),115),90,0)'[disc];"
        "[card][disc]overlay=x='(W-w)/2+(W-w)/2.4*sin(t*0.9)':y='(H-h)/2+(H-h)/2.4*cos(t*1.3)':shortest=1,format=yuv420p[v]"
    )
    sound = f"{speech},aresample=48000,asetnsamples=n=1024:p=0,apad,atrim=end={duration_s}[a]"
    argv = [ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error", "-y", "-filter_complex", f"{picture};{sound}"]
    argv += ["-map", "[v]", "-map", "[a]", "-c:v", "libx264", "-preset", "ultrafast", "-crf", "23", "-c:a", "aac"]
    argv += ["-ac", "2", "-t", str(duration_s), "-movflags", "+faststart", str(partial)]
    result = subprocess.run(argv, capture_output=True, text=True, check=False)
    if result.returncode:
        partial.unlink(missing_ok=True)
        raise SampleError(
            f"ffmpeg could not make the sample video. Name a video of your own. It said:\n{result.stderr}"
        )
    partial.replace(target)
    return target


def _filters(ffmpeg: str) -> str:
    if not shutil.which(ffmpeg):
        raise SampleError(f"The command {ffmpeg!r} is not found. Install ffmpeg.")
    return subprocess.run([ffmpeg, "-hide_banner", "-filters"], capture_output=True, text=True, check=False).stdout
