"""Reads parts of a sound by seeking: exactly the samples between two times, in the format of the models.

The parts of a file, end to end, are exactly the file's samples: decoding begins a while before each part, so that
decoders with state (MP3's bit reservoir) and the resampler's filter have what they need.
"""

import math
from typing import Any

import ffmpeg
from pydantic import BaseModel, ConfigDict

from podjobs.contract.commands import Access, MediaInput
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.speech import SOUND_BYTES_PER_S, SOUND_HZ
from podjobs.media.commands import KEEP_GOING, UNATTENDED, input_options, mix_down
from podjobs.media.facts import AudioFacts, MediaFacts
from podjobs.transcription.settings import TranscriptionSettings
from podjobs.transcription.workspace import Workspace

GRID_S = 0.04
"""Cuts are made at multiples of this: a whole number of samples at 16 kHz and at usual rates from 11,025 Hz on."""
SEEK_MARGIN_S = 1.0
"""Decoding begins this much earlier: MP3 frames depend on earlier ones."""
RESAMPLE_MARGIN_S = 0.4
"""A multiple of the grid, far longer than the resampler's filter."""
SLACK_S = 5.0
"""How much longer a file may be than its packets say."""


class Sound(BaseModel):
    """A file's sound."""

    model_config = ConfigDict(frozen=True)

    source: Key
    audio: AudioFacts
    origin_s: float
    """Where the file begins on its own clock; our times are relative to it."""
    seeks: bool
    """Whether the container can seek; otherwise it is decoded from its beginning each time."""
    gain_db: float = 0.0
    channel: int | None = None
    """Of two channels, the one that is heard alone; None: all are mixed."""

    @classmethod
    def of(cls, source: Key, facts: MediaFacts, audio: AudioFacts) -> "Sound":
        """The sound of a file.

        Args:
            source: the file.
            facts: of the file.
            audio: the stream.
        """
        # what cannot be seeked is read on the clock that ffmpeg makes of it: the file's own may restart
        origin_s = 0.0 if facts.seeks_badly else facts.start_s
        return cls(source=source, audio=audio, origin_s=origin_s, seeks=not facts.seeks_badly)


def on_grid(time_s: float) -> float:
    """The nearest time at which a part may begin."""
    return round(round(time_s / GRID_S) * GRID_S, 2)


def read_sound(sound: Sound, start_s: float, end_s: float, work: Workspace) -> bytes:
    """Read the samples between two times.

    Args:
        sound: the file.
        start_s: on the grid.
        end_s: on the grid; if the file ends earlier, its end.
        work: the step's workspace.

    Returns:
        Samples, see `podjobs.contract.ports.speech.SOUND_HZ`.

    Raises:
        PermanentError: the file cannot be decoded. RetryableError: it does not exist.
    """
    source = work.storage.input_of(sound.source)
    argv = sound_argv(sound, start_s, end_s, source, work.settings)
    limit_bytes = math.ceil((end_s - start_s + 1) * SOUND_BYTES_PER_S)
    return work.tools.run(argv, timeout_s=work.timeout_s, access=Access((source,)), limit_bytes=limit_bytes)


def sound_argv(
    sound: Sound, start_s: float, end_s: float, source: MediaInput, settings: TranscriptionSettings
) -> list[str]:
    """The ffmpeg command that writes a part's samples to stdout. Pure.

    Args:
        sound: which stream.
        start_s: on the grid.
        end_s: on the grid.
        source: the file.
        settings: the ffmpeg command, and the codecs it may decode.
    """
    early_s = max(0.0, start_s - RESAMPLE_MARGIN_S)
    options: dict[str, Any] = input_options(source, settings)
    if sound.seeks:
        # -copyts: samples keep the timestamps of the file's own clock, by which atrim cuts
        options["copyts"] = None
    seek_s = sound.origin_s + early_s - SEEK_MARGIN_S
    if sound.seeks and seek_s > sound.origin_s:
        # -noaccurate_seek: decode from an earlier packet on and let atrim choose by the samples' own timestamps.
        # -seek_timestamp: -ss is a time of the file's own clock; without it, ffmpeg adds the file's start time.
        options |= {"noaccurate_seek": None, "seek_timestamp": 1, "ss": f"{seek_s:.6f}"}
    samples = (
        stream_of(ffmpeg.input(source.url, **options), sound)
        .filter(
            "atrim",
            start=f"{sound.origin_s + early_s:.6f}",
            end=f"{sound.origin_s + end_s + RESAMPLE_MARGIN_S:.6f}",
        )
        .filter("aformat", channel_layouts="mono")
        .filter("asetpts", f"PTS-{sound.origin_s + early_s:.6f}/TB")
        # async=1: gaps in the timestamps become silence. first_pts=0: so does what is missing at the beginning.
        .filter("aresample", SOUND_HZ, **{"async": 1, "first_pts": 0})
    )
    if sound.gain_db:
        samples = samples.filter("volume", f"{sound.gain_db:.2f}dB")
    samples = samples.filter(
        "atrim", start_sample=round((start_s - early_s) * SOUND_HZ), end_sample=round((end_s - early_s) * SOUND_HZ)
    )
    command = ffmpeg.output(samples, "pipe:1", f="s16le", acodec="pcm_s16le").global_args(*UNATTENDED, *KEEP_GOING)
    return list(command.compile(cmd=settings.ffmpeg_cmd))


def stream_of(file: Any, sound: Sound) -> Any:
    """What is heard of a file: the mixed channels, or one of two.

    Args:
        file: an input of ffmpeg-python.
        sound: which stream and channel.
    """
    stream = mix_down(file[str(sound.audio.index)], sound.audio.channels)
    if sound.channel is None:
        return stream
    # aformat: should the number of channels change within the file, pan still finds two
    return stream.filter("aformat", channel_layouts="stereo").filter("pan", args=f"mono|c0=c{sound.channel}")


def measure_length(sound: Sound, work: Workspace) -> float:
    """Measure the true length of the sound by its packets: some headers are wrong, and some lengths are guesses.

    Returns:
        Seconds; 0 if there are no packets.
    """
    end_us = [0]

    def remember(progress: dict[str, str]) -> None:
        text = progress.get("out_time_us", "")
        if text.isdigit():
            end_us[0] = int(text)

    source = work.storage.input_of(sound.source)
    # -c copy: packets are read, not decoded. -progress: its out_time_us is the end of the last packet.
    stream = ffmpeg.input(source.url, **input_options(source, work.settings))[str(sound.audio.index)]
    command = ffmpeg.output(stream, "-", c="copy", f="null").global_args(*UNATTENDED, "-progress", "pipe:1")
    argv = list(command.compile(cmd=work.settings.ffmpeg_cmd))
    work.run(argv, access=Access((source,)), on_progress=remember)
    return end_us[0] / 1_000_000
