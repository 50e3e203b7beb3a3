"""The settings of all functions that read media: their tools, and what they accept."""

import os
from typing import Annotated

from pydantic import Field, PositiveInt

from podjobs.settings import MediaSettings

CODECS = (
    *(
        "h264",
        "hevc",
        "av1",
        "vp8",
        "vp9",
        "mpeg1video",
        "mpeg2video",
        "mpeg4",
        "h263",
        "flv1",
        "vp6",
        "vp6f",
        "theora",
    ),
    *("msmpeg4v1", "msmpeg4v2", "msmpeg4v3", "wmv1", "wmv2", "wmv3", "vc1", "mjpeg", "prores", "dnxhd", "dvvideo"),
    *("ffv1", "huffyuv", "utvideo", "rawvideo", "v210", "cfhd", "qtrle", "cinepak", "svq1", "svq3", "tscc2", "gif"),
    *("png", "bmp", "webp", "tiff"),
    *(
        "aac",
        "aac_latm",
        "mp3",
        "mp2",
        "mp1",
        "opus",
        "vorbis",
        "flac",
        "alac",
        "ac3",
        "eac3",
        "dts",
        "speex",
        "wmav1",
        "wmav2",
    ),
    *("wmapro", "amr_nb", "amr_wb", "nellymoser", "gsm", "gsm_ms", "adpcm_ms", "adpcm_ima_wav", "adpcm_ima_qt"),
    *("adpcm_swf", "pcm_u8", "pcm_s8", "pcm_s16le", "pcm_s16be", "pcm_s24le", "pcm_s24be", "pcm_s32le", "pcm_s32be"),
    *("pcm_f32le", "pcm_f32be", "pcm_f64le", "pcm_alaw", "pcm_mulaw", "pcm_bluray", "pcm_dvd"),
    *("subrip", "ass", "ssa", "mov_text", "webvtt", "text", "dvd_subtitle", "dvb_subtitle", "hdmv_pgs_subtitle"),
)
"""What people upload. Vulnerabilities are found in rare decoders: MagicYUV is excluded (CVE-2026-8461)."""


class SourceSettings(MediaSettings):
    """What a function needs to run ffmpeg on uploads."""

    ffmpeg_cmd: str = Field(default="ffmpeg", description="The ffmpeg command: a name on PATH or an absolute path.")
    ffprobe_cmd: str = Field(default="ffprobe", description="The ffprobe command.")
    podjobs_codecs: tuple[str, ...] = Field(
        default=CODECS,
        description="Codecs that are accepted in uploads, as a JSON list of ffmpeg's names.",
    )
    podjobs_max_pixels: PositiveInt = Field(
        default=8192 * 8192, description="Largest accepted picture, width times height."
    )
    podjobs_max_duration_s: PositiveInt = Field(
        default=12 * 3600,
        description="Longest accepted video or sound, in seconds, after its cut and with its credits.",
    )
    podjobs_max_streams: PositiveInt = Field(default=64, description="Maximum number of streams in an upload.")
    podjobs_ffmpeg_memory_mb: Annotated[int, Field(ge=512)] = Field(
        default=8192, description="Maximum address space of an ffmpeg process, in MiB."
    )

    @property
    def processors(self) -> int:
        """Processors this process may use."""
        return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
