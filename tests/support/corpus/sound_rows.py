"""Sound: files of sound only, tracks without sound, many channels, several tracks, clocks that begin anew."""

from pathlib import Path
from typing import Any

from support.corpus.kit import (
    AAC,
    COPY,
    MP2,
    MP3,
    MPEG2,
    OPUS,
    PCM,
    VP8,
    X264,
    Kit,
    Make,
    Row,
    coded,
    copied,
    patched,
)
from support.corpus.patches import (
    Patch,
    cut_off,
    empty_sound_tables,
    flac_states,
    matroska_states,
    renamed,
    wave_states,
    xing_states,
)

VORBIS = ("-c:a", "libvorbis")
FLAC = ("-c:a", "flac")
NO_SOUND_PACKETS = ("-bsf:a", "noise=drop=1")
BROKEN_SOUND = ("-bsf:a", "noise=amount=1")
KEY = ("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb", "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8")
TAIL: dict[str, Any] = {"request": {"cut_start": 4.0, "cut_end": 6.0}, "sound_s": 2.5}
"""A cut of a part that has no sound."""
TEN_CHANNELS = "pan=hexadecagonal|c0=c0|c3=c0|c9=c0|c12=c0"


def heard(
    name: str, about: str, *coding: object, area: str = "sound", patch: Patch | None = None, **fields: Any
) -> Row:
    """A file of sound only."""

    def make(kit: Kit, target: Path) -> None:
        whole = kit.folder / f"whole-{target.name}"
        kit.ffmpeg("-i", kit.sound(), "-map_metadata", "-1", *coding, whole)
        target.write_bytes(patch(whole.read_bytes()) if patch else whole.read_bytes())

    return Row(name, area, about, make, **fields)


def chained(name: str, about: str, *coding: object, times: int = 2, **fields: Any) -> Row:
    """Files of sound only, one after another in one file."""

    def make(kit: Kit, target: Path) -> None:
        one = kit.folder / f"one-{target.name}"
        kit.ffmpeg("-i", kit.sound(4.0), "-map_metadata", "-1", *coding, one)
        target.write_bytes(one.read_bytes() * times)

    return Row(name, "sound", about, make, **fields)


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
        kit.ffmpeg(
            *(
                "-i",
                kit.picture(),
                "-i",
                kit.sound(chirping),
                "-f",
                "lavfi",
                "-i",
                f"anoisesrc=a=0.02:r=48000:d={other}",
            ),
            *("-map", "0:v", "-map", order[0], "-map", order[1], *coding, whole),
        )
        target.write_bytes(patch(whole.read_bytes()) if patch else whole.read_bytes())

    return Row(name, "sound", about, make, **fields)


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
    kit.ffmpeg("-i", whole, *COPY, "-bsf:a", "noise=drop='between(t,2,4)'", target)


def with_cover(*coding: object) -> Make:
    """Music with a picture of its sleeve."""

    def make(kit: Kit, target: Path) -> None:
        cover = kit.folder / "cover.png"
        kit.ffmpeg("-f", "lavfi", "-i", "testsrc2=s=200x200", "-frames:v", "1", cover)
        kit.ffmpeg(
            *("-i", kit.sound(), "-i", cover, "-map", "0", "-map", "1", *coding),
            *("-c:v", "copy", "-disposition:v", "attached_pic", target),
        )

    return make


ONLY_SOUND = (
    heard("pcm.wav", "PCM", *PCM),
    heard("pcm24.wav", "24 bit, 96 kHz", "-c:a", "pcm_s24le", "-ar", "96000"),
    heard("pcm8.wav", "8 bit, 8 kHz", "-c:a", "pcm_u8", "-ar", "8000"),
    heard("float.wav", "floating point", "-c:a", "pcm_f32le"),
    heard("alaw.wav", "A-law", "-c:a", "pcm_alaw", "-ar", "16000"),
    heard("ima.wav", "IMA ADPCM", "-c:a", "adpcm_ima_wav"),
    heard("ms.wav", "MS ADPCM", "-c:a", "adpcm_ms"),
    heard("gsm.wav", "GSM", "-c:a", "libgsm_ms", "-ar", "8000"),
    heard("streamed.wav", "size not known when it was written", *PCM, patch=wave_states(0xFFFFFFFF), area="length"),
    heard("claims-more.wav", "header far too long", *PCM, patch=wave_states(50_000_000), area="length"),
    heard("big.w64", "Sony Wave64", *PCM),
    heard("mac.aiff", "AIFF", "-c:a", "pcm_s16be"),
    heard("sun.au", "AU", "-c:a", "pcm_mulaw", "-ar", "16000"),
    heard("core.caf", "Core Audio with ALAC", "-c:a", "alac"),
    heard("voice.mp3", "MP3", *MP3),
    heard("variable.mp3", "variable rate, no header", "-c:a", "libmp3lame", "-q:a", "4", "-write_xing", "0"),
    heard("claims-more.mp3", "Xing header far too long", *MP3, patch=xing_states(90_000), area="length"),
    heard("claims-less.mp3", "Xing header too short", *MP3, patch=xing_states(100), area="length"),
    heard("old.mp2", "MP2", *MP2),
    heard("voice.flac", "FLAC", *FLAC),
    heard("live.flac", "length not stated", *FLAC, patch=flac_states(0), area="length"),
    heard("claims-more.flac", "header far too long", *FLAC, patch=flac_states(60 * 48_000), area="length"),
    heard("claims-less.flac", "header too short", *FLAC, patch=flac_states(3 * 48_000), area="length"),
    heard("voice.m4a", "AAC", *AAC),
    heard("alac.m4a", "Apple lossless", "-c:a", "alac"),
    heard("fragments.m4a", "fragmented", *AAC, "-movflags", "+frag_keyframe+empty_moov"),
    heard("voice.aac", "ADTS", *AAC),
    heard("latm.loas", "LATM", *AAC, "-f", "latm"),
    heard("voice.ogg", "Vorbis", *VORBIS),
    heard("voice.opus", "Opus", *OPUS),
    heard("flac.oga", "FLAC in Ogg", *FLAC),
    heard("speex.spx", "Speex", "-c:a", "libspeex", "-ar", "16000"),
    heard("voice.wma", "Windows Media", "-c:a", "wmav2"),
    heard("voice.ac3", "AC-3", "-c:a", "ac3"),
    heard("voice.mka", "FLAC in Matroska", *FLAC),
    heard("voice.weba", "Opus in WebM", *OPUS, "-f", "webm"),
    heard("live.weba", "as browsers record", *OPUS, "-f", "webm", "-live", "1"),
    heard("claims-more.mka", "header far too long", *OPUS, patch=matroska_states(90), area="length"),
    heard("voice.ts", "transport stream without picture", *AAC),
    heard("fifty.tta", "True Audio", "-c:a", "tta", area="codecs", refusal="accepted"),
    heard("voice.wv", "WavPack", "-c:a", "wavpack", area="codecs", refusal="accepted"),
    Row("cover.mp3", "sound", "with a cover", with_cover(*MP3)),
    Row("cover.m4a", "sound", "with a cover", with_cover(*AAC)),
    Row("cover.flac", "sound", "with a cover", with_cover(*FLAC)),
    heard("cut-off.wav", "broken transfer", *PCM, patch=cut_off(0.6), area="length"),
    heard("cut-off.mp3", "broken transfer", *MP3, patch=cut_off(0.6), area="length"),
    heard("cut-off.flac", "broken transfer", *FLAC, patch=cut_off(0.6), area="length"),
    heard("cut-off.ogg", "broken transfer", *VORBIS, patch=cut_off(0.6), area="length"),
    heard("cut-off.m4a", "broken transfer, index lost", *AAC, patch=cut_off(0.6), area="length"),
    heard("cut.mp3", "a cut", *MP3, request={"cut_start": 1.0, "cut_end": 4.5}),
    heard("cut.ogg", "a cut", *VORBIS, request={"cut_start": 1.0, "cut_end": 4.5}),
    chained("chained.ogg", "Vorbis streams one after another", *VORBIS),
    chained("chained.opus", "Opus streams one after another", *OPUS),
    chained("chained.oga", "FLAC streams one after another", *FLAC, times=3),
    chained("joined.mp3", "MP3 files one after another", *MP3),
    chained("joined.aac", "ADTS files one after another", *AAC),
    chained("joined-sound.ts", "transport streams one after another", *AAC),
    chained("joined-sound.mka", "Matroska files one after another", *OPUS),
)
CHANNELS = (
    heard("three.wav", "3 channels without layout", "-af", "pan=3c|c0=c0|c1=c0|c2=c0", *PCM),
    heard("ten.wav", "10 channels without layout", "-af", "pan=10c|c0=c0|c9=c0", *PCM),
    heard("many.wav", "16 channels", "-af", TEN_CHANNELS, *PCM),
    coded("surround.mkv", "5.1", *X264, *AAC, "-ac", "6"),
    coded("surround.mp4", "7.1", *X264, *AAC, "-ac", "8"),
    coded(
        "mixer.mov",
        "12 channels of a mixing desk",
        *X264,
        "-af",
        "pan=12c|c0=c0|c11=c0",
        "-c:a",
        "pcm_s24le",
        area="sound",
    ),
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
        "unknown-first.mp4", "first sound of an unknown codec", *X264, *AAC, patch=renamed(b"mp4a", b"apac"), sound=1
    ),
    two_sounds(
        "unknown-second.mp4",
        "second sound of an unknown codec",
        *X264,
        *AAC,
        patch=renamed(b"mp4a", b"apac", last=True),
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
    Row("form-changes.ts", "sound", "stereo, then 5.1", form_changes),
    Row("gap.mkv", "sound", "two seconds without sound packets", with_gap),
)
ROWS: tuple[Row, ...] = (*ONLY_SOUND, *CHANNELS, *TRACKS)
