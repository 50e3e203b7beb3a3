"""Normalises loudness: it is measured once for the whole file, and one gain is applied.

Source: EBU R128. The gain is the one that ffmpeg's loudnorm applies in its linear mode; its meter alone, `ebur128`,
measures ten times as fast (docs/decisions/0009-transcription-in-parts.md).
"""

import re

import ffmpeg

from podjobs.contract.commands import Access, MediaInput
from podjobs.media.commands import KEEP_GOING, UNATTENDED, input_options
from podjobs.transcription.hearing.sound import Sound, stream_of
from podjobs.transcription.settings import TranscriptionSettings
from podjobs.transcription.workspace import Workspace

METER_HZ = 48_000
"""The only rate that older versions of the meter accept."""
SILENT_LUFS = -69.0
"""The meter's gate is at -70 LUFS: anything below is silence."""
MAX_GAIN_DB = 30.0
"""More would turn silence into noise."""


def choose_gain(measured_lufs: float, target_lufs: float) -> float:
    """Choose the gain in dB that brings a measured loudness to the target; none for silence. Pure."""
    if measured_lufs <= SILENT_LUFS:
        return 0.0
    return round(max(-MAX_GAIN_DB, min(MAX_GAIN_DB, target_lufs - measured_lufs)), 2)


def loudness_argv(sound: Sound, source: MediaInput, settings: TranscriptionSettings) -> list[str]:
    """The ffmpeg command that measures a whole file. Pure."""
    stream = (
        stream_of(ffmpeg.input(source.url, **input_options(source, settings)), sound)
        .filter("aformat", channel_layouts="mono")
        .filter("aresample", METER_HZ)
        # metadata=1: measurements are attached to the frames. framelog=verbose: they are not logged for each frame, too
        .filter("ebur128", metadata=1, framelog="verbose")
        # prints the loudness so far to stdout; the last value is that of the whole file
        .filter("ametadata", "print", key="lavfi.r128.I", file="-")
    )
    command = ffmpeg.output(stream, "-", f="null").global_args(*UNATTENDED, *KEEP_GOING)
    return list(command.compile(cmd=settings.ffmpeg_cmd))


def measure_loudness(sound: Sound, work: Workspace) -> float:
    """Measure the integrated loudness of a whole file, in LUFS."""
    source = work.storage.input_of(sound.source)
    output = work.run(loudness_argv(sound, source, work.settings), access=Access((source,)))
    found = re.findall(r"lavfi\.r128\.I=(-?[\d.]+)", output)
    return float(found[-1]) if found else SILENT_LUFS
