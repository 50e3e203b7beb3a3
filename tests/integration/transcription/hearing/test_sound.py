"""Sound is read by seek, exactly."""

from itertools import pairwise

import numpy as np
import pytest

from podjobs.media.probe import probe_source
from podjobs.transcription.hearing.loudness import choose_gain, measure_loudness
from podjobs.transcription.hearing.sound import Sound, measure_length, on_grid, read_sound
from podjobs.transcription.workspace import Workspace
from support.media import ffmpeg, probe
from support.speech import NO_SPEECH, join

LENGTH_S = 60
KINDS = {
    "vbr.mp3": ("-c:a", "libmp3lame", "-q:a", "2"),
    "no-header.mp3": ("-c:a", "libmp3lame", "-q:a", "5", "-write_xing", "0"),
    "cbr.mp3": ("-c:a", "libmp3lame", "-b:a", "128k"),
    "sound.m4a": ("-c:a", "aac", "-b:a", "128k"),
    "sound.flac": ("-c:a", "flac"),
    "sound.wav": ("-c:a", "pcm_s16le"),
    "sound.ts": ("-c:a", "aac", "-f", "mpegts"),
}


@pytest.fixture
def open_sound(transcriber):
    def open_file(name):
        work = Workspace("job", transcriber.tools, transcriber.storage, transcriber.settings, 60)
        key = f"videos/abc/0007/{name}"
        facts = probe_source(work.tools, work.storage, work.settings, key)
        return Sound.of(key, facts, facts.audio), work

    return open_file


@pytest.mark.parametrize("rate_hz", [22_050, 44_100, 48_000])
@pytest.mark.parametrize("name", KINDS)
def test_read_sound_parts_end_to_end_are_the_whole(transcriber, open_sound, name, rate_hz):
    """Sample by sample: MP3's frames lean on those before them, and its index is a guess."""
    music = (NO_SPEECH["music"], LENGTH_S)
    join(transcriber.folder / name, music, coding=KINDS[name], rate_hz=rate_hz)
    sound, work = open_sound(name)
    spans_s = pairwise([0.0, 7.32, 7.36, 19.04, 40.0, 59.96, 65.0])

    whole = read_sound(sound, 0.0, LENGTH_S + 5, work)
    parts = b"".join(read_sound(sound, start_s, end_s, work) for start_s, end_s in spans_s)

    assert abs(len(whole) / 32_000 - LENGTH_S) < 0.1
    if "aac" not in KINDS[name]:
        assert parts == whole
        return
    # AAC's decoder fills bands with noise of its own: alike, not equal
    assert len(parts) == len(whole)
    difference = np.frombuffer(parts, "<i2").astype(int) - np.frombuffer(whole, "<i2")
    assert np.abs(difference).mean() < 5


def test_read_sound_times_are_those_of_the_players(transcriber, open_sound):
    """What is heard at 20 s in the file is read at 20 s, LAME's delay and all."""
    pieces = [("anullsrc=r=16000:cl=mono", 20), ("sine=f=1000:r=16000", 1), ("anullsrc=r=16000:cl=mono", 5)]
    join(transcriber.folder / "beep.mp3", *pieces)
    sound, work = open_sound("beep.mp3")
    samples = memoryview(read_sound(sound, 19.0, 22.0, work)).cast("h")
    first = next(index for index, sample in enumerate(samples) if abs(sample) > 1000)
    assert 19.0 + first / 16_000 == pytest.approx(20.0, abs=0.005)


def test_read_sound_of_a_stereo_file_with_one_silent_side_is_heard(transcriber, open_sound):
    ffmpeg("-f", "lavfi", "-t", 5, "-i", "aevalsrc='0.5*sin(2*PI*440*t)|0':s=44100", transcriber.folder / "left.wav")
    sound, work = open_sound("left.wav")
    assert max(memoryview(read_sound(sound, 0, 5, work)).cast("h")) > 5000


def test_measure_length_of_a_header_that_lies(transcriber, open_sound):
    """Without its table an MP3's length is guessed by the rate of its beginning."""
    join(transcriber.folder / "quiet.mp3", ("anullsrc=r=44100:cl=mono", 5), (NO_SPEECH["white noise"], 20),
         coding=("-c:a", "libmp3lame", "-q:a", "2", "-write_xing", "0"))  # fmt: skip
    sound, work = open_sound("quiet.mp3")
    header_s = float(probe(transcriber.folder / "quiet.mp3", "format=duration")["format"]["duration"])
    assert abs(header_s - 25) > 2, "this header does not lie"
    assert measure_length(sound, work) == pytest.approx(25, abs=0.1)


@pytest.mark.parametrize(
    ("measured", "target", "gain"), [(-26, -16, 10), (-10, -16, -6), (-69.5, -16, 0), (-60, -16, 30)]
)
def test_choose_gain(measured, target, gain):
    assert choose_gain(measured, target) == gain


def test_measure_loudness_then_gain_brings_it_to_the_target(transcriber, open_sound, lecture):
    join(transcriber.folder / "soft.mp3", lecture, volume_db=-20)
    sound, work = open_sound("soft.mp3")
    measured = measure_loudness(sound, work)
    louder = sound.model_copy(update={"gain_db": choose_gain(measured, -23)})

    samples = read_sound(louder, 0.0, on_grid(60), work)

    (transcriber.folder / "louder.raw").write_bytes(samples)
    ffmpeg(
        "-f", "s16le", "-ar", 16_000, "-ac", 1, "-i", transcriber.folder / "louder.raw", transcriber.folder / "l.wav"
    )
    assert measure_loudness(open_sound("l.wav")[0], work) == pytest.approx(-23, abs=0.5)
