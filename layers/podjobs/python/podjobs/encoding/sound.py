"""Filters that put sounds on the output's time line: where they begin, and how long they are. Pure."""

from dataclasses import dataclass
from typing import Any

from podjobs.contract.commands import MediaInput
from podjobs.encoding.commands import open_source
from podjobs.encoding.settings import EncodingSettings
from podjobs.media.commands import mix_down
from podjobs.media.facts import AudioFacts

SAMPLE_RATE_HZ = 48_000
SEEK_MARGIN_S = 1.0
"""Decoding begins this much before the cut: decoders need a few packets to settle."""


@dataclass(frozen=True)
class SoundCut:
    """A part of a source's sound."""

    source: MediaInput
    audio: AudioFacts
    file_start_s: float
    """Where the source begins, on its own clock."""
    origin_s: float
    """Where the part begins, on the source's clock."""
    length_s: float | None
    """None: to the end of the source."""


def cut_sound(cut: SoundCut, settings: EncodingSettings) -> Any:
    """Take a part of a source's sound; earlier sound is cut off, missing sound is silence.

    Args:
        cut: the part.
        settings: what may be decoded.
    """
    # -copyts: samples keep the timestamps of the file's own clock, by which they are cut
    source_options: dict[str, Any] = {"copyts": None}
    seek_s = cut.origin_s - SEEK_MARGIN_S
    if seek_s > cut.file_start_s:
        # as for chunks: decode from an earlier packet on, and let the filter choose by the samples' own timestamps
        source_options |= {"noaccurate_seek": None, "seek_timestamp": 1, "ss": f"{seek_s:.6f}"}
    sound = open_source(cut.source, settings, **source_options)[str(cut.audio.index)]
    return begin_sound(mix_down(sound, cut.audio.channels), cut.origin_s, cut.length_s)


def begin_sound(sound: Any, origin_s: float, length_s: float | None = None) -> Any:
    """Make a sound begin with the picture: earlier sound is cut off, missing sound is silence.

    Args:
        sound: with the timestamps of its source's clock.
        origin_s: where the output begins, on that clock.
        length_s: of the output; None: to the end of the source.
    """
    bounds = {} if length_s is None else {"end": f"{length_s:.6f}"}
    return (
        # async=1: gaps in the timestamps become silence; without it, what follows would move up
        sound.filter("aresample", SAMPLE_RATE_HZ, **{"async": 1})
        .filter("asetpts", f"PTS-{round(origin_s * SAMPLE_RATE_HZ)}")
        .filter("atrim", start=0, **bounds)
        # first_pts=0: silence from the origin on, if the sound begins later
        .filter("aresample", **{"async": 1, "first_pts": 0})
    )


def in_stereo(sound: Any, audio: AudioFacts | None) -> Any:
    """Convert to the format in which parts are joined, or mixed.

    Args:
        sound: any.
        audio: the stream that it comes from; None: it is in stereo already.
    """
    if audio is not None and audio.channels == 1:
        # ffmpeg's own upmix from mono to stereo is 3 dB quieter
        sound = sound.filter("channelmap", map="0-0|0-1", channel_layout="stereo")
    return sound.filter("aformat", sample_fmts="fltp", channel_layouts="stereo")


def exactly(sound: Any, length_s: float) -> Any:
    """Cut or pad to an exact number of samples.

    Args:
        sound: that begins at 0.
        length_s: wanted.
    """
    samples = round(length_s * SAMPLE_RATE_HZ)
    # asetpts=N: timestamps without gaps; otherwise the next part would be joined in the wrong place
    return sound.filter("apad", whole_len=samples).filter("atrim", end_sample=samples).filter("asetpts", "N")
