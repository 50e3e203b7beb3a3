"""Pod's own sequence of ffmpeg commands, with its flags: what we compare ourselves with.

Source: docs/contract-pod.md and Esup-Pod 4.1, video_encode_transcript/encoding_settings.py and Encoding_video.py.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.measure import Cost, run_measured
from podjobs.contract.jobs import Layout
from podjobs.encoding.images import count_tiles
from podjobs.rendition_settings import DEFAULT_RENDITIONS, RenditionSetting

X264 = ["-preset", "slow", "-profile:v", "high", "-pix_fmt", "yuv420p", "-level", "3", "-crf", "20"]
KEY_FRAMES = ["-sc_threshold", "0", "-force_key_frames", "expr:gte(t,n_forced*1)"]
STUDIO = (
    *("-c:a", "aac", "-ar", "48000", "-c:v", "h264", "-profile:v", "high", "-pix_fmt", "yuv420p", "-crf", "20"),
    *KEY_FRAMES,
    *("-max_muxing_queue_size", "4000"),
)
THUMBNAILS = 3


@dataclass(frozen=True)
class Baseline:
    """One encode by Pod's commands."""

    source: Path
    folder: Path
    """Where the files are written."""
    duration_s: float
    """Of what is made."""
    cut: tuple[str, ...] = ()
    """Options of every output that reads the source: `-ss 0 -to 70`."""
    renditions: Sequence[RenditionSetting] = DEFAULT_RENDITIONS
    """Those that are not higher than the source: Pod makes no others."""
    ffmpeg: str = "ffmpeg"
    ffprobe: str = "ffprobe"

    def encode(self) -> Cost:
        """Run the whole sequence, one command after another as Pod does."""
        self.folder.mkdir(parents=True, exist_ok=True)
        cost = Cost()
        for argv in self.commands():
            cost += run_measured(argv, cwd=self.folder)
        return cost

    def commands(self) -> list[list[str]]:
        """All commands in their order."""
        probe = [self.ffprobe, "-v", "quiet", "-show_format", "-show_streams", "-print_format", "json"]
        tiles = count_tiles(self.duration_s, 160)
        lowest = str(self.folder / f"{self.renditions[0].height_px}p.mp4")
        thumbnails = ["-vf", f"fps=1/({self.duration_s}/{THUMBNAILS})", "-vsync", "vfr", "thumbnail_%04d.png"]
        overview = ["-vsync", "vfr", "-vf", f"fps=fps=({tiles}/{self.duration_s}),scale=160x90,tile={tiles}x1"]
        mp3 = ["-vn", "-codec:a", "libmp3lame", "-qscale:a", "2", "audio_192k.mp3"]
        commands = [
            [*probe, "-i", str(self.source)],
            [*self._read(str(self.source)), *mp4_outputs(self.renditions, self.cut)],
            [*self._read(str(self.source)), *hls_outputs(self.renditions, self.cut)],
            [*self._read(str(self.source)), *self.cut, *mp3],
            [*self._read(lowest), *thumbnails],
        ]
        if tiles:
            commands.append([*self._read(lowest), *overview, "-frames:v", "1", "overview.png"])
        return commands

    def _read(self, source: str) -> list[str]:
        return [self.ffmpeg, "-hide_banner", "-y", "-threads", "0", "-i", source]


def mp4_outputs(renditions: Sequence[RenditionSetting] = DEFAULT_RENDITIONS, cut: Sequence[str] = ()) -> list[str]:
    """The outputs of the MP4 command."""
    argv: list[str] = []
    for rendition in renditions:
        if rendition.encode_mp4:
            argv += [
                *cut,
                "-map",
                "0:v:0",
                "-map",
                "0:a:0",
                "-c:v",
                "libx264",
                "-vf",
                f"scale=-2:{rendition.height_px}",
            ]
            argv += [*X264, *_rate(rendition), *KEY_FRAMES, "-max_muxing_queue_size", "4000"]
            argv += ["-c:a", "aac", "-ar", "48000", "-b:a", str(rendition.audio_bitrate)]
            argv += ["-movflags", "faststart", "-y", "-vsync", "0", f"{rendition.height_px}p.mp4"]
    return argv


def hls_outputs(renditions: Sequence[RenditionSetting] = DEFAULT_RENDITIONS, cut: Sequence[str] = ()) -> list[str]:
    """The outputs of the HLS command."""
    argv: list[str] = []
    for rendition in renditions:
        height_px = rendition.height_px
        argv += [*cut, "-c:v", "libx264", *X264, *KEY_FRAMES, "-c:a", "aac", "-ar", "48000"]
        argv += ["-max_muxing_queue_size", "4000", "-vf", f"scale=-2:{height_px}", *_rate(rendition)]
        argv += ["-b:a:0", str(rendition.audio_bitrate), "-hls_playlist_type", "vod", "-hls_time", "2"]
        argv += ["-hls_flags", "single_file", "-master_pl_name", f"livestream{height_px}.m3u8", f"{height_px}p.m3u8"]
    return argv


def dressing_argv(inputs: Sequence[Path], output: Path, codec: Sequence[str] = ("-c:v", "libx264")) -> list[str]:
    """The encode that dresses a 1080p video before its ladder is made: x264's defaults.

    Args:
        inputs: the video, the watermark, the opening and the ending.
        output: the dressed video.
        codec: other encoder options, for a reference without loss.
    """
    files = [word for file in inputs for word in ("-i", str(file))]
    fit = (
        "scale=w='if(gt(a,16/9),16/9*1080,-2)':h='if(gt(a,16/9),-2,1080)',pad=ceil(16/9*1080):1080:(ow-iw)/2:(oh-ih)/2"
    )
    graph = [
        f"[0]{fit}[vid]",
        "[1]format=rgba,colorchannelmixer=aa=0.5[logo]",
        "[logo][vid]scale2ref=oh*mdar:ih*0.1[logo][video2]",
        "[video2][logo]overlay=main_w-overlay_w-54.0:54.0[video]",
        f"[2]{fit}[debut]",
        f"[3]{fit}[fin]",
        "[debut][2:a][video][0:a][fin][3:a]concat=n=3:v=1:a=1:unsafe=1[v][a]",
    ]
    argv = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-threads", "0", *files, "-filter_complex", ";".join(graph)]
    return [*argv, "-map", "[v]", "-map", "[a]", *codec, "-y", "-vsync", "0", str(output)]


def studio_argv(
    layout: Layout, inputs: Sequence[Path], heights_px: tuple[int, int], output: Path, codec: Sequence[str] = STUDIO
) -> list[str]:
    """The command that composes a recording of two sources: x264's preset `medium`.

    Without `-deinterlace`, which ffmpeg has not had since 5.1: with it the command fails.

    Args:
        layout: any but `alone`.
        inputs: presentation and presenter.
        heights_px: theirs.
        output: the MP4.
        codec: other encoder options, for a reference without loss.

    Source: Esup-Pod 4.1, video_encode_transcript/encoding_settings.py and Encoding_studio.py.
    """
    files = [word for file in inputs for word in ("-i", str(file))]
    lower_px, (screen_px, _) = min(heights_px), heights_px
    corner = f"[0:v]scale=-2:{screen_px}[pres];[1:v]scale=-2:{screen_px // 4}[pip];[pres][pip]overlay=W-w-10"
    graph = {
        "mid": f"[0:v]scale=-2:{lower_px}[left];[1:v]scale=-2:{lower_px}[right];[left][right]hstack",
        "pipb": f"{corner}:H-h-10:shortest=1",
        "piph": f"{corner}:10:shortest=1",
    }[layout]
    every_frame = [] if layout == "mid" else ["-vsync", "0"]
    argv = ["ffmpeg", "-hide_banner", "-loglevel", "error", "-threads", "0", *files, "-filter_complex", graph]
    return [*argv, *every_frame, *codec, "-movflags", "+faststart", "-y", str(output)]


def video_options(rendition: RenditionSetting) -> list[str]:
    """Pod's x264 options for one rendition."""
    return ["-c:v", "libx264", *X264, *_rate(rendition), *KEY_FRAMES]


def _rate(rendition: RenditionSetting) -> list[str]:
    return ["-maxrate", str(rendition.maxrate), "-bufsize", str(rendition.maxrate)]
