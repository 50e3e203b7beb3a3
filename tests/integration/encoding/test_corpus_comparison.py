"""The comparison of the corpus finds what it is there to find: each fault alone, put into a result that has none."""

import re
import shutil
from dataclasses import replace

import pytest

from podjobs.encoding.settings import EncodingSettings
from support.corpus.compare import Result, compare
from support.corpus.examine import KEPT_OUT, REFUSED, SAME, WORSE, examine
from support.corpus.expect import expected_of
from support.corpus.kit import AAC, X264, Kit, MakingError, Row, coded
from support.corpus.watch import watch
from support.media import ffmpeg
from support.media_storages import POD_ROOT
from support.workbench import SMALL_LADDER, Workbench

ROW = coded("short.mkv", "nothing", *X264, *AAC, seconds=4.2, sound_s=4.2, size="160x90")
"""105 frames and five chirps."""
LONG_ROW = coded("long.mkv", "nothing", *X264, *AAC, rate="5", seconds=10.4, sound_s=10.4, size="160x90")
"""There is an overview of it."""
QUICK = ("-c:v", "libx264", "-preset", "ultrafast", "-fps_mode", "passthrough", "-enc_time_base", "1/90000", "-bf", "0")
COPIED = ("-map", "0", "-c", "copy")
NO_SOUND_LEFT = "volume=0"


@pytest.fixture(scope="module")
def materials(tmp_path_factory):
    return tmp_path_factory.mktemp("materials")


def publish(row, folder, materials):
    """What plain ffmpeg shows of a source, and what we made of it."""
    settings = EncodingSettings(
        media_root=POD_ROOT, media_url=(folder / "media").as_uri(), video_renditions=SMALL_LADDER, podjobs_chunk_min_s=2
    )
    bench = Workbench(folder / "media", settings)
    row.make(Kit(folder, materials), bench.folder / row.name)
    info = bench.encode(row.name)
    return row, expected_of(row, watch(bench.folder / row.name), 1), Result(bench.output, info, bench.recipe, ())


@pytest.fixture(scope="module")
def published(tmp_path_factory, materials):
    return publish(ROW, tmp_path_factory.mktemp("published"), materials)


@pytest.fixture(scope="module")
def long_published(tmp_path_factory, materials):
    return publish(LONG_ROW, tmp_path_factory.mktemp("published"), materials)


def changed(name, *options):
    """A fault that ffmpeg makes: a published file is written anew with these options."""

    def make(output):
        file = output / name
        whole = file.with_stem("whole")
        file.replace(whole)
        ffmpeg("-copyts", "-i", whole, *options, *(("-muxdelay", "0") if file.suffix == ".ts" else ()), file)
        whole.unlink()

    return make


def pictured(filters):
    """A fault of the MP4's picture."""
    return changed("180p.mp4", "-vf", f"settb=1/90000,{filters}", *QUICK, "-c:a", "copy")


def heard(filters):
    """A fault of the MP4's sound."""
    return changed("180p.mp4", "-af", filters, "-c:v", "copy", "-c:a", "aac", "-b:a", "128k")


def written(name, pattern, text):
    """A fault of a text file."""

    def make(output):
        content, number = re.subn(pattern, text, (output / name).read_text())
        assert number
        (output / name).write_text(content)

    return make


def no_fault(output):
    """Everything stays as it is."""


def missing(pattern):
    def make(output):
        for file in list(output.glob(pattern)):
            file.unlink()

    return make


def swapped_thumbnails(output):
    first, *_, last = sorted(output.glob("thumbnail_0*.png"))
    first.replace(output / "x")
    last.replace(first)
    (output / "x").replace(last)


def noise_in_the_stream(output):
    data = bytearray((output / "180p.ts").read_bytes())
    data[len(data) // 2 : len(data) // 2 + 3000] = bytes(3000)
    (output / "180p.ts").write_bytes(data)


FAULTS = {
    "a frame is lost": (pictured("select='not(eq(n,30))'"), "180p.mp4: 1 of 105 frames are missing (1.2"),
    "the lower half is grey": (
        pictured("drawbox=0:ih/2:iw:ih:gray:t=fill:enable='between(n,30,34)'"),
        "180p.mp4: 5 frames have other colours",
    ),
    "the picture is squeezed": (pictured("scale=120:90,setsar=1"), "180p.mp4: 120x90 for a picture of 160x90"),
    "sound is late": (heard("adelay=15:all=1"), "180p.mp4: sound is up to +15 ms beside its place"),
    "sound to listen to ends early": (
        changed("audio_192k.mp3", "-t", "3.5", "-c", "copy"),
        "audio_192k.mp3 states 3.5",
    ),
    "a thumbnail of another time": (swapped_thumbnails, "thumbnail_0001.png shows frame"),
    "playlist is too long": (written("180p.m3u8", r"#EXTINF:2,", "#EXTINF:4,"), "180p.m3u8 states"),
}
MORE_FAULTS = {
    "frames freeze": (
        pictured("split[a][b];[a][b]freezeframes=30:34:29"),
        "180p.mp4: 5 frames are shown twice",
    ),
    "a frame is late": (pictured("setpts='PTS+if(eq(N,60),0.02/TB,0)'"), "180p.mp4: 1 frames are beside their time"),
    "frames are grey": (pictured("drawbox=0:0:iw:ih:gray:t=fill:enable='between(n,30,34)'"), "5 frames are damaged"),
    "a chirp is missing": (heard("volume=0:enable='between(t,1.5,2.5)'"), "180p.mp4: 1 of 5 chirps are missing"),
    "the last frames are lost": (pictured("select='lt(n,95)'"), "180p.mp4: 10 of 105 frames are missing"),
    "colours are lost": (pictured("hue=s=0"), "180p.mp4: 105 frames have other colours"),
    "the picture is small": (changed("180p.ts", "-vf", "scale=96:54", *QUICK, "-c:a", "copy"), "only 96x54 of 160x90"),
    "sound has an echo": (heard("aecho=1:1:150:0.9"), "180p.mp4: 5 chirps are heard twice"),
    "sound is silent": (heard(NO_SOUND_LEFT), "180p.mp4: the sound is lost"),
    "sound is quiet": (heard("volume=-30dB"), "180p.mp4: the sound is lost"),
    "sound ends early": (heard("atrim=end=3.5"), "180p.mp4, audio states 3.5"),
    "sound is not there": (changed("180p.mp4", "-an", "-c", "copy"), "180p.mp4: 5 of 5 chirps are missing"),
    "sound to listen to is late": (
        changed("audio_192k.mp3", "-af", "adelay=30:all=1"),
        "audio_192k.mp3: sound is up to +30 ms beside its place",
    ),
    "no sound to listen to": (missing("audio_*"), "no sound was published beside the video"),
    "no stream": (missing("*.ts"), "no .ts was published"),
    "no MP4": (missing("*.mp4"), "no .mp4 was published"),
    "a grey thumbnail": (changed("thumbnail_0001.png", "-vf", "drawbox=c=gray:t=fill"), "thumbnail_0001.png cannot be"),
    "no thumbnails": (missing("thumbnail_*"), "there are no thumbnails"),
    "a segment is damaged": (noise_in_the_stream, "does not decode alone"),
}

OVERVIEW_FAULTS = {
    "no overview": (missing("overview.png"), "there is no overview"),
    "overview of another time": (changed("overview.png", "-vf", "hflip"), "overview, 0"),
    "overview is timed wrongly": (
        written("overview.vtt", r"00:00:10\.\d+\n", "00:00:19.4\n"),
        "overview.vtt states 19.4",
    ),
}


def faults_of(published, folder, fault, **info):
    row, expected, result = published
    output = shutil.copytree(result.output, folder / "output")
    fault(output)
    return compare(row, expected, replace(result, output=output, info={**result.info, **info})).worse


def test_compare_result_without_fault_is_not_worse(published, tmp_path):
    assert faults_of(published, tmp_path, no_fault) == []


@pytest.mark.parametrize(("fault", "clause"), FAULTS.values(), ids=FAULTS)
def test_compare_finds_the_fault(published, tmp_path, fault, clause):
    found = faults_of(published, tmp_path, fault)
    assert any(clause in one for one in found), found


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "clause"), MORE_FAULTS.values(), ids=MORE_FAULTS)
def test_compare_finds_any_fault(published, tmp_path, fault, clause):
    found = faults_of(published, tmp_path, fault)
    assert any(clause in one for one in found), found


@pytest.mark.slow
@pytest.mark.parametrize(("fault", "clause"), OVERVIEW_FAULTS.values(), ids=OVERVIEW_FAULTS)
def test_compare_finds_the_fault_of_the_overview(long_published, tmp_path, fault, clause):
    found = faults_of(long_published, tmp_path, fault)
    assert any(clause in one for one in found), found


@pytest.mark.parametrize("seconds", [1, 16])
def test_compare_wrong_length_in_the_info_is_found(published, tmp_path, seconds):
    found = faults_of(published, tmp_path, no_fault, duration=seconds)
    assert len(found) == 1
    assert found[0].startswith(f"info_video.json states {seconds}.00 s for 4.")


def encrypted_by_nobody(kit, target):
    raise MakingError("no such codec")


@pytest.mark.parametrize(
    ("row", "word", "reason"),
    [
        (Row("a.mp4", "x", "no media", lambda _, target: target.write_bytes(b"text" * 100)), REFUSED, "a.mp4"),
        (replace(ROW, refusal="encrypted"), WORSE, "it was published, but must be refused as 'encrypted'"),
        (
            Row("b.mp4", "x", "no media", lambda _, target: target.write_bytes(b""), refusal="encrypted"),
            WORSE,
            "it says:",
        ),
        (Row("c.mp4", "x", "cannot be made", encrypted_by_nobody), WORSE, "it could not be made: no such codec"),
        (coded("d.wav", "accepted", "-vn", "-c:a", "pcm_s16le", seconds=2), SAME, ""),
        (coded("e.mkv", "kept out", *X264, "-c:a", "tta", seconds=2, refusal="accepted"), KEPT_OUT, "it says:"),
    ],
    ids=lambda one: one.name if isinstance(one, Row) else "",
)
def test_examine_verdicts_on_what_is_refused(tmp_path, materials, row, word, reason):
    verdict = examine(row, tmp_path / "row", materials)
    assert verdict.word == word, verdict
    assert reason in "; ".join(verdict.reasons)
