"""Sound that is very quiet, or of which one channel is upside down, is transcribed as any other."""

import pytest

from podjobs.media.levels import Recording, measure_levels
from podjobs.media.probe import probe_source
from podjobs.transcription.workspace import Workspace
from support.captions import text_of
from support.media import ffmpeg
from support.speech import LECTURE, WER, error_rate

TEXT = " ".join(LECTURE)
FLAC = ("-c:a", "flac", "-sample_fmt", "s32")


def put(transcriber, lecture, name, *changes):
    ffmpeg("-i", lecture, "-af", ",".join(changes), *(FLAC if name.endswith("flac") else ("-b:a", "128k")),
           transcriber.folder / name)  # fmt: skip


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        pytest.param("quiet.flac", ["volume=-60dB"], marks=pytest.mark.slow),
        pytest.param("opposite.mp3", ["pan=stereo|c0=c0|c1=-1*c0"], marks=pytest.mark.slow),
        ("opposite.flac", ["volume=-60dB", "pan=stereo|c0=c0|c1=-0.9*c0"]),
    ],
)
def test_transcribe_quiet_or_opposite_is_heard_and_told(transcriber, lecture, name, changes):
    put(transcriber, lecture, name, *changes)

    vtt = transcriber.transcribe(name)

    assert error_rate(TEXT, text_of(vtt)) < WER
    message = transcriber.run.results["captions"][1]["message"]
    assert ("amplified by" in message) == (name != "opposite.mp3")
    assert ("upside down" in message) == name.startswith("opposite")


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        (["pan=mono|c0=c0"], (-14, None)),
        (["pan=stereo|c0=c0|c1=c0"], (-14, False)),
        (["pan=stereo|c0=c0"], (-20, False)),
        (["pan=stereo|c0=c0|c1=-1*c0"], (-145, True)),
    ],
)
@pytest.mark.parametrize("long", [False, pytest.param(True, marks=pytest.mark.slow)])
def test_measure_levels_in_places_or_as_a_whole(transcriber, lecture, changes, expected, long):
    changes = (["aloop=loop=5:size=2000000"] if long else []) + changes
    put(transcriber, lecture, "sound.flac", *changes)
    work = Workspace("job", transcriber.tools, transcriber.storage, transcriber.settings, 60)
    key = "videos/abc/0007/sound.flac"
    facts = probe_source(work.tools, work.storage, work.settings, key)

    levels = measure_levels(Recording(key, facts.audio, facts.duration_s, seeks=True), work)

    mean_dbfs, cancels = expected
    assert levels.mean == pytest.approx(mean_dbfs, abs=6)
    assert levels.cancels == bool(cancels)
    assert not levels.is_quiet
