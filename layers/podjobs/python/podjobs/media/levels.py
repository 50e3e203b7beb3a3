"""Levels: how loud a sound is. What is very quiet is lifted to be heard; channels that cancel out are not mixed.

A detector and a model that were made for usual levels hear nothing below some −76 dBFS, and 16 bits per sample have
little left to say there. Stereo of which one channel is upside down becomes silence when it is mixed.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import ffmpeg

from podjobs.contract.commands import Access, MediaInput
from podjobs.contract.errors import PermanentError
from podjobs.contract.media_paths import Key
from podjobs.media.commands import KEEP_GOING, UNATTENDED, input_options, mix_down
from podjobs.media.facts import AudioFacts
from podjobs.media.settings import SourceSettings
from podjobs.media.workspace import MediaWorkspace, S

QUIET_DBFS = -50.0
"""Sound none of whose seconds is louder is quiet; usual speech has some −25 dBFS."""
SILENT_DBFS = -95.0
"""Below it there is nothing but the last bit of 16."""
TARGET_DBFS = -25.0
CANCELLED_DB = 6.0
"""So much louder is the difference of two channels than their mean if these cancel each other; equally loud at most if
they have nothing in common."""
LOUD_SHARE, LOUD_SECONDS = 0.01, 3
"""How loud a sound is, is said by its loudest seconds: so many of them, as a share, and at least."""
WHOLE_S = 120.0
"""Sound that is no longer is measured as a whole."""
PLACES, PLACE_S = 6, 5.0
"""Longer sound is measured in some places, and as a whole only if it is quiet in all of them."""
STEREO = 2
NOTHING_DBFS = -200.0
BESIDE_EACH_OTHER = "4c|c0=0.5*c0+0.5*c1|c1=0.5*c0-0.5*c1|c2=c0|c3=c1"
"""Of two channels: their mean, half their difference, and each alone."""
PRINTED = re.compile(r"lavfi\.astats\.(\d)\.RMS_level=(-?[\d.]+|-inf)")


@dataclass(frozen=True)
class Recording:
    """A sound that is measured."""

    source: Key
    audio: AudioFacts
    length_s: float
    seeks: bool
    """Whether the container can seek."""


@dataclass(frozen=True)
class Levels:
    """How loud the loudest seconds of a sound are, in dB of full scale."""

    mean: float
    """Of all channels mixed."""
    difference: float = NOTHING_DBFS
    """Of two channels: of half their difference."""
    channels: tuple[float, ...] = ()
    """Of each of two channels."""

    @property
    def cancels(self) -> bool:
        """Whether two channels cancel each other when they are mixed."""
        return self.difference > max(self.mean + CANCELLED_DB, SILENT_DBFS)

    @property
    def is_quiet(self) -> bool:
        """Whether nothing of it is as loud as speech usually is."""
        return max(self.mean, *self.channels, SILENT_DBFS) < QUIET_DBFS


def choose_channel(levels: Levels) -> int | None:
    """Choose the channel that is heard alone: the louder one, where the two cancel each other; else None. Pure."""
    if not levels.cancels:
        return None
    return max(range(len(levels.channels)), key=lambda channel: levels.channels[channel])


def choose_lift(levels: Levels) -> float:
    """Choose by how many dB a sound is lifted; 0 unless it is quiet, and not silent. Pure."""
    level = max(levels.channels) if levels.cancels else levels.mean
    if level <= SILENT_DBFS or level >= QUIET_DBFS:
        return 0.0
    return round(TARGET_DBFS - level, 1)


def describe_cancelling() -> str:
    """Write for a job's log that two channels cancel each other, and what to do about it. Pure."""
    return (
        "The two channels cancel each other out when they are mixed, as on one loudspeaker: one of them is upside "
        "down. Swap the wires of one microphone before the next recording."
    )


def loudest_of(seconds_dbfs: Sequence[float]) -> float:
    """How loud the loudest seconds are; a click is not counted. Pure."""
    if not seconds_dbfs:
        return NOTHING_DBFS
    place = max(LOUD_SECONDS, round(LOUD_SHARE * len(seconds_dbfs))) - 1
    return sorted(seconds_dbfs, reverse=True)[min(place, len(seconds_dbfs) - 1)]


def measure_levels(recording: Recording, work: MediaWorkspace[S]) -> Levels:
    """Measure a sound: in a few places, or as a whole if it is short or seems to be quiet.

    Args:
        recording: the sound.
        work: runs ffmpeg.
    """
    if recording.length_s > WHOLE_S and recording.seeks:
        marks_s = [recording.length_s * (2 * place + 1) / (2 * PLACES) for place in range(PLACES)]
        levels = _levels_in("".join(_measure(recording, mark_s, work) for mark_s in marks_s))
        if not levels.is_quiet:
            return levels
    return _levels_in(_measure(recording, None, work))


def _measure(recording: Recording, from_s: float | None, work: MediaWorkspace[S]) -> str:
    source = work.storage.input_of(recording.source)
    try:
        return work.run(levels_argv(recording, from_s, source, work.settings), access=Access((source,)))
    except PermanentError:
        return ""  # what cannot be measured is heard as it is


def levels_argv(recording: Recording, from_s: float | None, source: MediaInput, settings: SourceSettings) -> list[str]:
    """The ffmpeg command that prints the level of each second. Pure.

    Args:
        recording: the sound.
        from_s: where `PLACE_S` are measured, about; None: everywhere.
        source: the file.
        settings: the ffmpeg command, and the codecs it may decode.
    """
    options: dict[str, Any] = input_options(source, settings)
    if from_s is not None:
        options |= {"ss": f"{from_s:.3f}", "t": f"{PLACE_S:.3f}"}
    audio = recording.audio
    stream = mix_down(ffmpeg.input(source.url, **options)[str(audio.index)], audio.channels)
    if audio.channels == STEREO:
        # aformat: should the number of channels change within the file, pan still finds two
        stream = stream.filter("aformat", channel_layouts="stereo").filter("pan", args=BESIDE_EACH_OTHER)
    else:
        stream = stream.filter("aformat", channel_layouts="mono")
    stream = (
        stream.filter("asetnsamples", audio.sample_rate_hz)
        # reset=1: of each frame alone, which is a second long
        .filter("astats", metadata=1, reset=1, measure_overall="none", measure_perchannel="RMS_level")
        .filter("ametadata", "print", file="-")
    )
    command = ffmpeg.output(stream, "-", f="null").global_args(*UNATTENDED, *KEEP_GOING)
    return list(command.compile(cmd=settings.ffmpeg_cmd))


def _levels_in(printed: str) -> Levels:
    """Read what the command prints: a line for each second and channel."""
    seconds: dict[str, list[float]] = {}
    for channel, level in PRINTED.findall(printed):
        seconds.setdefault(channel, []).append(max(float(level), NOTHING_DBFS))
    loud = {channel: loudest_of(levels) for channel, levels in seconds.items()}
    if len(loud) < STEREO:
        return Levels(loud.get("1", NOTHING_DBFS))
    return Levels(loud["1"], loud["2"], (loud["3"], loud["4"]))
