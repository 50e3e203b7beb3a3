"""Media files for tests, made and looked at with ffmpeg and ffprobe."""

import json
import subprocess


def ffmpeg(*arguments):
    subprocess.run(["ffmpeg", "-v", "error", "-y", *map(str, arguments)], check=True)


def make_video(path, *extra, duration_s=6.0, size="640x360", rate="25", sound=True, video_filter="null"):
    """A test picture that differs in every frame, with a tone."""
    sources = ["-f", "lavfi", "-i", f"testsrc2=s={size}:r={rate}"]
    if sound:
        sources += ["-f", "lavfi", "-i", "sine=f=440:r=44100"]
    coding = [] if "-c:v" in extra else ["-c:v", "libx264", "-preset", "ultrafast", "-g", "250", "-pix_fmt", "yuv420p"]
    ffmpeg(*sources, "-t", duration_s, "-vf", video_filter, "-fps_mode", "passthrough", *coding, *extra, path)
    return path


def packets(path, stream="v"):
    """(pts, dts, is key) in seconds, in file order."""
    output = subprocess.run(
        [
            "ffprobe", "-v", "error", "-select_streams", stream, "-show_entries", "packet=pts_time,dts_time,flags",
            "-print_format", "compact=nokey=1:print_section=0", str(path),
        ],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    rows = [line.split("|") for line in output.splitlines() if line.count("|") >= 2]
    return [(float(pts), float(dts), flags.startswith("K")) for pts, dts, flags, *_ in rows]


def probe(path, *entries):
    output = subprocess.run(
        ["ffprobe", "-v", "error", "-show_entries", ":".join(entries), "-print_format", "json", str(path)],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return json.loads(output)


def count_frames(path):
    """Packets of the picture, whatever their times."""
    output = subprocess.run(
        [
            "ffprobe", "-v", "error", "-select_streams", "v", "-count_packets",
            "-show_entries", "stream=nb_read_packets", "-print_format", "json", str(path),
        ],
        check=True, capture_output=True, text=True,
    ).stdout  # fmt: skip
    return int(json.loads(output)["streams"][0]["nb_read_packets"])
