"""Sound that is not as usual: joined recordings, many channels, encrypted or undecodable tracks."""

import pytest

from podjobs.contract.errors import PermanentError
from support.captions import text_of
from support.media import ffmpeg
from support.speech import LECTURE, WER, error_rate, join

KEYS = ("-encryption_key", "76a6c65c5ea762046bd749a2e632ccbb", "-encryption_kid", "a7e61c373e219033c21091fa607bf3b8")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "coding"),
    [
        ("a.ogg", ("-c:a", "libopus")),
        ("a.ts", ("-c:a", "aac")),
        *(pytest.param(name, (), marks=pytest.mark.slow) for name in ("a.mp3", "a.aac")),
    ],
)
def test_transcribe_recordings_joined_one_after_the_other_are_heard_to_the_end(
    transcriber, sentences, tmp_path, name, coding
):
    """Each has its own clock, so that of the file restarts in the middle."""
    half = len(sentences) // 2
    parts = []
    for number, pieces in enumerate((sentences[:half], sentences[half:])):
        part = tmp_path / f"{number}-{name}"
        ffmpeg("-i", join(tmp_path / f"{number}.wav", *pieces), *coding, part)
        parts.append(part.read_bytes())
    (transcriber.folder / name).write_bytes(b"".join(parts))
    assert error_rate(" ".join(LECTURE), text_of(transcriber.transcribe(name))) < WER


@pytest.mark.slow
def test_transcribe_sound_of_many_channels_is_heard_whatever_the_channel(transcriber, lecture):
    silence = f"aevalsrc={'|'.join('0' * 9)}:s=16000:d=90[silence]"
    merged = f"[0:a]aresample=16000,aformat=channel_layouts=mono[speech];{silence};[speech][silence]amerge=inputs=2"
    ffmpeg("-i", lecture, "-filter_complex", merged, "-c:a", "pcm_s16le", transcriber.folder / "a.wav")
    assert error_rate(" ".join(LECTURE), text_of(transcriber.transcribe("a.wav"))) < WER


def test_transcribe_encrypted_sound_is_refused_as_encrypted(transcriber, lecture, tmp_path):
    ffmpeg(
        "-i", lecture, "-vn", "-c:a", "aac", "-encryption_scheme", "cenc-aes-ctr", *KEYS, transcriber.folder / "a.mp4"
    )
    with pytest.raises(PermanentError, match=r"a\.mp4' is encrypted"):
        transcriber.plan("a.mp4")


def test_transcribe_sound_that_cannot_be_decoded_is_refused_by_name(transcriber, lecture):
    """MP3 whose packets begin with no header."""
    ffmpeg("-i", lecture, "-map", "0:a", "-c", "copy", "-bsf:a", "noise=amount=1", transcriber.folder / "a.mka")
    with pytest.raises(PermanentError, match=r"No sound can be read from .*a\.mka'"):
        transcriber.transcribe("a.mka")
