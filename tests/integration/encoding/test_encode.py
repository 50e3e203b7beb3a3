"""Real files through the real function: what Pod expects is there, and it is right."""

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import m3u8
import pytest

from support.media import ffmpeg, make_video, packets, probe
from support.media_storages import POD_ROOT


def times_from_first(path):
    times = sorted(pts for pts, _, _ in packets(path))
    return [round(time - times[0], 3) for time in times]


def test_encode_video_with_sound_makes_every_file_pod_expects(workbench):
    make_video(workbench.folder / "talk.mp4", duration_s=12)
    info = workbench.encode("talk.mp4")
    assert sorted(file.name for file in workbench.output.iterdir()) == [
        "180p.m3u8", "180p.mp4", "180p.ts", "360p.m3u8", "360p.ts", "audio_192k.mp3", "info_video.json",
        "livestream.m3u8", "overview.png", "overview.vtt",
        "thumbnail_0001.png", "thumbnail_0002.png", "thumbnail_0003.png",
    ]  # fmt: skip
    folder = f"{POD_ROOT}/videos/abc/0007"
    assert info["list_mp4_files"] == {"180": f"{folder}/180p.mp4"}
    assert info["list_hls_files"] == {"180": f"{folder}/180p.m3u8", "360": f"{folder}/360p.m3u8"}
    assert info["list_mp3_files"] == {"192k": f"{folder}/audio_192k.mp3"}
    assert info["list_m4a_files"] == {}
    assert info["list_thumbnail_files"] == {str(n): f"{folder}/thumbnail_000{n}.png" for n in (1, 2, 3)}
    assert info["list_overview_files"] == {"0": f"{folder}/overview.png", "1": f"{folder}/overview.vtt"}
    assert info["list_video_track"] == {"0": {"width": 640, "height": 360}}
    assert info["list_audio_track"] == {"1": {"sample_rate": "44100", "channels": 1}}
    assert (info["duration"], info["id"], info["error_encoding"]) == (12, 7, False)
    assert not (workbench.root / "work").exists()


@pytest.mark.parametrize(
    "suffix", ["mp4", "mkv", pytest.param("mov", marks=pytest.mark.slow), pytest.param("webm", marks=pytest.mark.slow)]
)
def test_encode_every_frame_lands_in_exactly_one_chunk(workbench, suffix):
    """The frames' times after joining are the source's own, for constant and variable frame rates."""
    extra = ["-c:v", "libvpx", "-deadline", "realtime", "-cpu-used", "8", "-g", "250"] if suffix == "webm" else []
    variable = "select='if(between(t,2,5),not(mod(n,23)),1)'"
    source = make_video(
        workbench.folder / f"screen.{suffix}", *extra, duration_s=9, rate="30000/1001", video_filter=variable
    )
    workbench.encode(source.name)
    expected = times_from_first(source)
    tolerance = 0.0011 if suffix in ("mkv", "webm") else 0.0001  # Matroska's clock ticks in milliseconds
    for made in ("180p.mp4", "180p.ts", "360p.ts"):
        times = times_from_first(workbench.output / made)
        assert len(times) == len(expected)
        assert max(abs(a - b) for a, b in zip(times, expected, strict=True)) < tolerance


def test_encode_decoding_times_increase_and_segments_begin_with_key_frames(workbench):
    make_video(workbench.folder / "talk.mp4", duration_s=9)
    workbench.encode("talk.mp4")
    for name in ("180p", "360p"):
        playlist = m3u8.load(str(workbench.output / f"{name}.m3u8"))
        assert [round(segment.duration, 3) for segment in playlist.segments] == [2, 2, 2, 2, 1]
        rows = packets(workbench.output / f"{name}.ts")
        assert all(before[1] < after[1] for before, after in pairwise(rows))
        start_s = rows[0][0]
        keys = [round(pts - start_s, 3) for pts, _, is_key in rows if is_key]
        assert {0, 2, 4, 6, 8} <= set(keys)


@pytest.mark.slow
def test_encode_each_segment_decodes_alone(workbench, tmp_path):
    make_video(workbench.folder / "talk.mp4", duration_s=6, sound=False)
    workbench.encode("talk.mp4")
    stream = (workbench.output / "360p.ts").read_bytes()
    for number, segment in enumerate(m3u8.load(str(workbench.output / "360p.m3u8")).segments):
        length, _, offset = segment.byterange.partition("@")
        piece = tmp_path / f"{number}.ts"
        piece.write_bytes(stream[int(offset) : int(offset) + int(length)])
        done = subprocess.run(
            ["ffmpeg", "-v", "error", "-xerror", "-i", piece, "-f", "null", "-progress", "pipe:1", "-"],
            check=True, capture_output=True, text=True,
        )  # fmt: skip
        assert done.stderr == ""
        assert re.findall(r"frame=(\d+)", done.stdout)[-1] == "50"


def test_encode_picture_is_the_sources_at_the_joins_too(workbench, tmp_path):
    """PSNR of every frame against the source: a doubled, lost or shifted frame of this test picture falls far below."""
    source = make_video(workbench.folder / "talk.mp4", duration_s=6)
    workbench.encode("talk.mp4")
    log = tmp_path / "psnr.log"
    ffmpeg(
        "-i", workbench.output / "360p.m3u8", "-i", source,
        "-lavfi", f"[0:v]settb=1/25,setpts=N[a];[1:v]settb=1/25,setpts=N[b];[a][b]psnr=stats_file={log}",
        "-f", "null", "-",
    )  # fmt: skip
    values = [float(value) for value in re.findall(r"psnr_avg:([\d.]+)", log.read_text())]
    assert len(values) == 150
    assert min(values) > 28


def test_encode_mp4_has_its_index_first(workbench):
    make_video(workbench.folder / "talk.mp4", duration_s=3)
    workbench.encode("talk.mp4")
    content = (workbench.output / "180p.mp4").read_bytes()
    assert 0 < content.find(b"moov") < content.find(b"mdat")


def test_encode_master_playlist_names_sizes_and_codecs(workbench):
    make_video(workbench.folder / "talk.mp4", duration_s=3)
    workbench.encode("talk.mp4")
    master = m3u8.load(str(workbench.output / "livestream.m3u8"))
    assert [playlist.uri for playlist in master.playlists] == ["180p.m3u8", "360p.m3u8"]
    assert [playlist.stream_info.resolution for playlist in master.playlists] == [(320, 180), (640, 360)]
    assert all(re.fullmatch(r"avc1\.6400[0-9a-f]{2},mp4a\.40\.2", p.stream_info.codecs) for p in master.playlists)
    assert all(p.stream_info.bandwidth >= p.stream_info.average_bandwidth > 0 for p in master.playlists)


def flash_and_beep(path, *extra):
    """White picture and tone together for 0.2 s at the start of every second, else black and silent."""
    ffmpeg(
        "-f", "lavfi", "-i", "color=black:s=320x180:r=50",
        "-f", "lavfi", "-i", "aevalsrc='if(lt(mod(t,1),0.2),sin(2*PI*1000*t),0)':s=48000",
        "-t", 7, "-vf", "drawbox=color=white:t=fill:enable='lt(mod(t,1),0.2)'",
        "-c:v", "libx264", "-preset", "ultrafast", "-g", "250", *extra, path,
    )  # fmt: skip
    return path


def onsets(path):
    """Times in seconds at which the picture turns white and at which the tone begins."""
    filters = ["-vf", "blackdetect=d=0.1:pix_th=0.5", "-af", "silencedetect=n=-30dB:d=0.1"]
    said = subprocess.run(
        ["ffmpeg", "-hide_banner", "-copyts", "-i", path, *filters, "-f", "null", "-"],
        check=True, capture_output=True, text=True,
    ).stderr  # fmt: skip
    flashes = [float(value) for value in re.findall(r"black_end:([\d.]+)", said)]
    beeps = [float(value) for value in re.findall(r"silence_end: ([\d.]+)", said)]
    return flashes, beeps


def offsets(path):
    """Tone after flash, in seconds, for every flash that has both its edges within the file."""
    flashes, beeps = onsets(path)
    inner = [flash for flash in flashes if flash > 0.5]
    return [min((beep - flash for beep in beeps), key=abs) for flash in inner[:-1]]


@pytest.mark.parametrize("cut", [(0, 0), (1.5, 6.3)])
def test_encode_flash_and_beep_stay_together(workbench, cut):
    """Within 10 ms of the source's own offset, in both packagings, at every join, cut or not."""
    source = flash_and_beep(workbench.folder / "flash.mp4")
    workbench.encode("flash.mp4", cut_start=cut[0], cut_end=cut[1])
    expected = offsets(source)[2]
    for made in ("180p.mp4", "180p.ts"):
        found = offsets(workbench.output / made)
        assert len(found) >= 3
        assert max(abs(offset - expected) for offset in found) < 0.010


def test_encode_sound_that_begins_late_stays_where_it_is(workbench):
    source = flash_and_beep(workbench.folder / "flash.mp4")
    late = workbench.folder / "late.mkv"
    ffmpeg("-i", source, "-af", "atrim=start=2.5", "-c:v", "copy", "-c:a", "flac", "-copyts", late)
    assert float(probe(late, "stream=start_time,codec_type")["streams"][1]["start_time"]) == 2.5
    workbench.encode("late.mkv")
    expected, found = offsets(source)[3], offsets(workbench.output / "180p.mp4")
    assert max(abs(offset - expected) for offset in found[2:]) < 0.010


def test_encode_cut_is_exact_to_the_frame(workbench):
    source = make_video(workbench.folder / "talk.mp4", duration_s=9)
    info = workbench.encode("talk.mp4", cut_start=2.5, cut_end=7.1)
    expected = [pts for pts, _, _ in packets(source) if 2.5 <= pts < 7.1]
    assert len(packets(workbench.output / "180p.mp4")) == len(expected) == 115
    assert info["duration"] == 4
    assert (info["cutting_start"], info["cutting_stop"]) == (2.5, 7.1)


def test_encode_cut_beyond_the_end_is_clamped_and_logged(workbench):
    make_video(workbench.folder / "talk.mp4", duration_s=4)
    info = workbench.encode("talk.mp4", cut_start=1, cut_end=60)
    assert info["duration"] == 3
    assert "ends at 60 s" in info["encoding_log"]["encoding"]["msg"]


@pytest.mark.parametrize(
    ("name", "coding"),
    [("a.mp3", []), ("a.m4a", []), ("a.wav", []), ("a.ogg", ["-c:a", "libvorbis"]), ("a.flac", []), ("a.mka", [])],
)
def test_encode_audio_file_makes_mp3_and_m4a(workbench, name, coding):
    ffmpeg("-f", "lavfi", "-i", "sine=f=440:r=22050", "-t", 5, *coding, workbench.folder / name)
    info = workbench.encode(name)
    assert list(info["list_mp3_files"]) == list(info["list_m4a_files"]) == ["192k"]
    assert info["list_hls_files"] == info["list_mp4_files"] == info["list_video_track"] == {}
    assert info["duration"] == 5
    for made in ("audio_192k.mp3", "audio_192k.m4a"):
        assert abs(float(probe(workbench.output / made, "format=duration")["format"]["duration"]) - 5) < 0.1


def test_encode_audio_with_cover_shows_the_cover(workbench):
    """Pod takes the second thumbnail: the cover is there twice."""
    cover = workbench.root / "cover.png"
    ffmpeg("-f", "lavfi", "-i", "testsrc2=s=300x300", "-frames:v", 1, cover)
    ffmpeg(
        "-f", "lavfi", "-i", "sine", "-i", cover, "-map", 0, "-map", 1, "-t", 3,
        "-disposition:v", "attached_pic", workbench.folder / "song.mp3",
    )  # fmt: skip
    info = workbench.encode("song.mp3")
    assert [Path(path).name for path in info["list_thumbnail_files"].values()] == [
        "thumbnail_0001.png",
        "thumbnail_1.png",
    ]
    assert info["list_image_track"] == {"1": {"width": 300, "height": 300}}
    stream = probe(workbench.output / "thumbnail_1.png", "stream=codec_name,width")["streams"][0]
    assert (stream["codec_name"], stream["width"]) == ("png", 300)


@pytest.mark.parametrize(
    "name", ["été à l'école.mp4", '-dash "quoted" %04d $(id) `id`.mp4', "a;b&c|d #[x]*?.mp4", "trailing space .mp4"]
)
def test_encode_names_are_never_interpreted(workbench, name):
    make_video(workbench.folder / name, duration_s=2)
    assert workbench.encode(name)["duration"] == 2


def test_encode_portrait_phone_video_is_turned_and_not_squeezed(workbench, tmp_path):
    make_video(tmp_path / "raw.mp4", duration_s=2)
    ffmpeg("-i", tmp_path / "raw.mp4", "-c", "copy", "-metadata:s:v", "rotate=90", workbench.folder / "phone.mp4")
    workbench.encode("phone.mp4")
    streams = probe(workbench.output / "180p.mp4", "stream=width,height")["streams"]
    assert (streams[0]["width"], streams[0]["height"]) == (180, 320)


@pytest.mark.slow
def test_encode_recording_without_a_duration_is_encoded_whole(workbench, tmp_path):
    """What a browser's MediaRecorder makes: a live Matroska without duration or index."""
    make_video(tmp_path / "raw.mkv", duration_s=12)
    with (workbench.folder / "live.webm").open("wb") as target:
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", tmp_path / "raw.mkv", "-c", "copy", "-live", "1", "-f", "matroska", "-"],
            check=True, stdout=target,
        )  # fmt: skip
    assert "duration" not in probe(workbench.folder / "live.webm", "format=duration")["format"]
    info = workbench.encode("live.webm")
    assert info["duration"] == 12
    assert len(packets(workbench.output / "180p.mp4")) == 300
    assert "0" in info["list_overview_files"]


def test_encode_again_replaces_and_removes_what_is_no_longer_made(workbench):
    make_video(workbench.folder / "talk.mp4", duration_s=3)
    workbench.output.mkdir()
    for stale in ("1080p.mp4", "1080p.m3u8", "1080p.ts", "livestream1080.m3u8", "notes.txt"):
        (workbench.output / stale).write_text("old")
    workbench.encode("talk.mp4")
    left = {file.name for file in workbench.output.iterdir()}
    assert "notes.txt" in left  # not ours
    assert not {"1080p.mp4", "1080p.m3u8", "1080p.ts", "livestream1080.m3u8"} & left


@pytest.mark.slow
def test_encode_old_files_stay_playable_until_the_new_ones_are_published(workbench):
    make_video(workbench.folder / "talk.mp4", duration_s=3)
    workbench.encode("talk.mp4")
    before = (workbench.output / "180p.mp4").read_bytes()

    def check(stage, _job):
        assert (workbench.output / "180p.mp4").read_bytes() == before, stage

    make_video(workbench.folder / "talk.mp4", duration_s=4)
    workbench.encode("talk.mp4", before_stage=check)
    assert len(packets(workbench.output / "180p.mp4")) == 100


def test_encode_damaged_chunk_is_noticed_and_the_source_encoded_in_one_piece(workbench):
    """Verification is real: a chunk that lost frames does not get out."""
    source = make_video(workbench.folder / "talk.mp4", duration_s=6)

    def damage(stage, job):
        chunk = workbench.root / "work" / job.id / "chunk-0001" / "180.nut"
        if stage == "package" and chunk.exists():
            ffmpeg("-i", chunk, "-c", "copy", "-frames:v", 20, "-f", "nut", f"{chunk}.new")
            Path(f"{chunk}.new").replace(chunk)

    workbench.encode("talk.mp4", before_stage=damage)
    assert any("encoded once more in one piece" in line for line in workbench.run.log)
    assert len(packets(workbench.output / "180p.mp4")) == len(packets(source)) == 150


@pytest.mark.slow
def test_plan_ten_hour_source_is_cut_into_minutes_by_its_index(workbench):
    """600 chunks, each beginning soon after a key frame; the whole file is not read."""
    source = workbench.folder / "marathon.mp4"
    ffmpeg(
        "-f", "lavfi", "-i", "testsrc=s=64x36:r=1", "-t", 36_000,
        "-c:v", "libx264", "-preset", "ultrafast", "-tune", "zerolatency", "-g", 7, source,
    )  # fmt: skip
    run = workbench.start(workbench.job(source.name))
    run.perform(next(run.stages()))
    starts_s = run.shared["starts_s"]
    assert 590 <= len(starts_s) <= 700
    preroll_s = run.shared["preroll_s"]
    assert max((start_s - preroll_s) % 7 for start_s in starts_s[1:]) <= 2
