"""Sound beside a picture: tracks without sound, many channels, several tracks, codecs that nobody knows."""

from pathlib import Path
from typing import Any

import numpy as np

from support.corpus.kit import AAC, COPY, MP2, MPEG2, OPUS, PCM, VP8, X264, Kit, Make, Row, coded, copied, patched
from support.corpus.patches import Patch, empty_sound_tables, renamed
from support.corpus.sound_rows import heard
from support.fidelity.marks import SAMPLE_RATE_HZ

NO_SOUND_PACKETS = ("-bsf:a", "noise=drop=1")
BROKEN_SOUND = ("-bsf:a", "noise=amount=1")
KEY = ("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb", "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8")
TAIL: dict[str, Any] = {"request": {"cut_start": 4.0, "cut_end": 6.0}, "sound_s": 2.5}
"""A cut of a part that has no sound."""
SIXTEEN_CHANNELS = "pan=hexadecagonal|c0=c0|c3=c0|c9=c0|c12=c0"


def two_sounds(
    name: str,
    about: str,
    *coding: object,
    patch: Patch | None = None,
    lengths_s: tuple[float, float] = (6.0, 6.0),
    **fields: Any,
) -> Row:
    """A picture with two sound streams: noise and chirps, or chirps and noise; `sound` says which one is wanted."""

    def make(kit: Kit, target: Path) -> None:
        order = ["2:a", "1:a"] if fields.get("sound", 0) else ["1:a", "2:a"]
        chirping, other = lengths_s
        whole = kit.folder / f"whole-{target.name}"
        noise = f"anoisesrc=a=0.02:r=48000:d={other}"
        inputs = ("-i", kit.picture(), "-i", kit.sound(chirping), "-f", "lavfi", "-i", noise)
        kit.ffmpeg(*inputs, "-map", "0:v", "-map", order[0], "-map", order[1], *coding, whole)
        target.write_bytes(patch(whole.read_bytes()) if patch else whole.read_bytes())

    return Row(name, "sound", about, make, **fields)


def of_unknown_codec(*, last: bool) -> Patch:
    """The first or the last sound is of a codec that nobody knows; so is its description."""
    patches = [renamed(b"mp4a", b"apac", last=last), renamed(b"esds", b"dapa", last=last)]
    return lambda data: patches[1](patches[0](data))


def form_changes(kit: Kit, target: Path) -> None:
    """Stereo, then 5.1, as between two programmes."""
    data = b""
    for first, channels in ((0, 2), (96, 6)):
        part = kit.part(
            f"{first}.ts",
            *X264,
            *AAC,
            "-ac",
            channels,
            "-output_ts_offset",
            first / 25,
            "-muxdelay",
            "0",
            first=first,
            seconds=3.84,
            sound_s=3.74,
        )
        data += part.read_bytes()
    target.write_bytes(data)


def with_gap(kit: Kit, target: Path) -> None:
    """Two seconds without sound in the middle."""
    whole = kit.part("whole.mkv", *X264, *OPUS)
    kit.ffmpeg("-i", whole, *COPY, "-bsf:a", "noise=drop='between(pts*tb,2,4)'", target)


def many_channels(channels: int, *coding: object) -> Make:
    """Chirps in the first and the last of so many channels, of which nobody says where they belong."""

    def make(kit: Kit, target: Path) -> None:
        mono, raw = kit.folder / "mono.s16", kit.folder / "raw.s16"
        kit.ffmpeg("-i", kit.sound(), "-f", "s16le", mono)
        samples = np.fromfile(mono, np.int16)
        interleaved = np.zeros((len(samples), channels), np.int16)
        interleaved[:, 0] = interleaved[:, -1] = samples
        interleaved.tofile(raw)
        picture = ("-i", kit.picture(), "-map", "0:v", "-map", "1:a") if "-c:v" in coding else ()
        inputs = (*picture[:2], "-f", "s16le", "-ar", SAMPLE_RATE_HZ, "-ac", channels, "-i", raw)
        kit.ffmpeg(*inputs, *picture[2:], *coding, target)

    return make


CHANNELS = (
    heard("three.wav", "3 channels without layout", "-af", "pan=3c|c0=c0|c1=c0|c2=c0", *PCM),
    Row("ten.wav", "sound", "10 channels without layout", many_channels(10, *PCM)),
    heard("many.wav", "16 channels", "-af", SIXTEEN_CHANNELS, *PCM),
    coded("surround.mkv", "5.1", *X264, *AAC, "-ac", "6"),
    coded("surround.mp4", "7.1", *X264, *AAC, "-ac", "8"),
    Row("mixer.mov", "sound", "12 channels of a mixing desk", many_channels(12, *X264, "-c:a", "pcm_s24le")),
    coded("mixer.mkv", "16 channels without layout", *X264, "-af", "pan=16c|c1=c0|c15=c0", *PCM, area="sound"),
    coded("surround.opus.mkv", "Opus of 8 channels", *X264, "-ac", "8", *OPUS, area="sound"),
    coded("telephone.mp4", "8 kHz, one channel", *X264, *AAC, "-ar", "8000", "-ac", "1", area="sound"),
    coded("studio.mov", "96 kHz", *X264, "-c:a", "pcm_s24le", "-ar", "96000", area="sound"),
)
TRACKS = (
    copied("silent-track.mkv", "sound track without packets", (*X264, *AAC), NO_SOUND_PACKETS, area="sound"),
    copied(
        "silent-track.webm",
        "sound track without packets",
        (*VP8, *OPUS),
        NO_SOUND_PACKETS,
        area="sound",
        container="webm",
    ),
    copied(
        "silent-track.mp4",
        "sound track without packets",
        (*X264, *AAC),
        NO_SOUND_PACKETS,
        area="sound",
        container="mp4",
    ),
    copied(
        "silent-track.ts", "sound track without packets", (*X264, *MP2), NO_SOUND_PACKETS, area="sound", container="ts"
    ),
    patched(
        "empty-tables.mp4",
        "sample tables of the sound without entries",
        (*X264, *AAC),
        empty_sound_tables,
        area="sound",
    ),
    patched(
        "empty-tables.mov",
        "sample tables of the sound without entries",
        (*X264, *PCM),
        empty_sound_tables,
        area="sound",
    ),
    copied(
        "broken-sound.mp4",
        "no packet of the sound can be decoded",
        (*X264, *AAC),
        BROKEN_SOUND,
        area="sound",
        container="mp4",
    ),
    copied("broken-sound.mkv", "no packet of the sound can be decoded", (*X264, *OPUS), BROKEN_SOUND, area="sound"),
    copied(
        "broken-sound.ts",
        "no packet of the sound can be decoded",
        (*MPEG2, *MP2),
        BROKEN_SOUND,
        area="sound",
        container="ts",
    ),
    coded("cut-in-tail.mkv", "a cut in a tail without sound", *X264, *AAC, area="sound", **TAIL),
    coded("cut-in-tail.mp4", "a cut in a tail without sound", *X264, *AAC, area="sound", **TAIL),
    coded("cut-in-tail.ts", "a cut in a tail without sound", *MPEG2, *MP2, area="sound", **TAIL),
    coded("cut-in-tail.webm", "a cut in a tail without sound", *VP8, *OPUS, area="sound", **TAIL),
    coded(
        "cut-before-sound.mkv",
        "a cut before the sound begins",
        *X264,
        *AAC,
        area="sound",
        sound_before=("-ss", "3", "-itsoffset", "3"),
        request={"cut_start": 0.0, "cut_end": 2.5},
    ),
    coded("sound-ends-early.mp4", "3 s of sound for 6 s", *X264, *AAC, area="sound", sound_s=3.0),
    coded("sound-ends-early.flv", "3 s of sound for 6 s", *X264, *AAC, area="sound", sound_s=3.0),
    coded(
        "encrypted.mp4",
        "common encryption",
        *X264,
        *AAC,
        "-encryption_scheme",
        "cenc-aes-ctr",
        *KEY,
        area="sound",
        refusal="encrypted",
    ),
    heard("bought.m4p", "iTunes' encryption", *AAC, "-f", "mp4", patch=renamed(b"mp4a", b"drms"), refusal="encrypted"),
    two_sounds(
        "unknown-first.mp4", "first sound of an unknown codec", *X264, *AAC, patch=of_unknown_codec(last=False), sound=1
    ),
    two_sounds(
        "unknown-second.mp4",
        "second sound of an unknown codec",
        *X264,
        *AAC,
        patch=of_unknown_codec(last=True),
    ),
    two_sounds("second-longer.mp4", "second sound of 20 s", *X264, *AAC, lengths_s=(6.0, 20.0)),
    two_sounds("second-longer.mkv", "second sound of 20 s", *X264, *OPUS, lengths_s=(6.0, 20.0)),
    two_sounds("second-longer.ts", "second sound of 20 s", *X264, *MP2, lengths_s=(6.0, 20.0)),
    two_sounds(
        "second-default.mkv",
        "the second sound is the default",
        *X264,
        *OPUS,
        "-disposition:a:0",
        "0",
        "-disposition:a:1",
        "default",
        sound=1,
    ),
    Row("form-changes.ts", "sound", "stereo, then 5.1", form_changes, odd_frames=1, sound_slack_s=0.03),
    Row("gap.mkv", "sound", "two seconds without sound packets", with_gap),
)
ROWS: tuple[Row, ...] = (*CHANNELS, *TRACKS)
