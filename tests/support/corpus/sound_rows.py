"""Files of sound only, of all containers; also such whose clock begins anew."""

from pathlib import Path
from typing import Any

from support.corpus.kit import (
    AAC,
    MP2,
    MP3,
    OPUS,
    PCM,
    Kit,
    Make,
    Row,
)
from support.corpus.patches import (
    Patch,
    cut_off,
    flac_states,
    matroska_states,
    wave_states,
    xing_states,
)

VORBIS = ("-c:a", "libvorbis")
FLAC = ("-c:a", "flac")


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


ROWS: tuple[Row, ...] = (
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
    heard("sun.au", "AU", "-c:a", "pcm_mulaw", "-ar", "16000", refusal="is not accepted"),
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
    heard("latm.loas", "LATM", *AAC, "-f", "latm", refusal="is not accepted"),
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
    chained("chained.opus", "Opus streams one after another", *OPUS, dropped_chirps_s=(4.106,)),
    chained("chained.oga", "FLAC streams one after another", *FLAC, times=3, sound_slack_s=0.2),
    chained("joined.mp3", "MP3 files one after another", *MP3),
    chained("joined.aac", "ADTS files one after another", *AAC),
    chained("joined-sound.ts", "transport streams one after another", *AAC),
    chained("joined-sound.mka", "Matroska files one after another", *OPUS),
)
