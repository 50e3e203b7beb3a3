"""What ffprobe reports, read as facts."""

import pytest

from podjobs.media.report import read_facts


def stream(**values):
    return {"index": 0, "codec_type": "video", "codec_name": "h264", "width": 1920, "height": 1080} | values


def test_read_facts_rotated_phone_video_is_portrait():
    facts = read_facts({"streams": [stream(side_data_list=[{"rotation": -90}])], "format": {"duration": "3"}})
    assert (facts.video.width_px, facts.video.height_px) == (1080, 1920)


def test_read_facts_pixel_aspect_is_applied():
    facts = read_facts({"streams": [stream(width=720, height=576, sample_aspect_ratio="64:45")], "format": {}})
    assert (facts.video.width_px, facts.video.height_px) == (1024, 576)
    assert facts.duration_s is None


def test_read_facts_cover_is_a_picture_and_default_sound_is_chosen():
    facts = read_facts(
        {
            "streams": [
                {"index": 0, "codec_type": "audio", "codec_name": "mp3"},
                {"index": 1, "codec_type": "audio", "codec_name": "aac", "disposition": {"default": 1}},
                stream(index=2, codec_name="mjpeg", disposition={"attached_pic": 1}),
            ],
            "format": {"format_name": "mp3"},
        }
    )
    assert facts.video is None
    assert facts.audio.index == 1
    assert [picture.index for picture in facts.pictures] == [2]


@pytest.mark.parametrize(
    ("streams", "chosen"),
    [
        ([{}, {}], 0),
        ([{"width": 320, "height": 180}, {}], 1),
        ([{"width": 320, "height": 180, "disposition": {"default": 1}}, {}], 0),
        # a cover that is not marked as one
        ([{"codec_name": "mjpeg", "width": 3000, "height": 3000, "disposition": {"default": 1}}, {}], 1),
        ([{"codec_name": "mjpeg"}, {"codec_name": "mjpeg", "disposition": {"attached_pic": 1}}], 0),
    ],
)
def test_read_facts_chooses_the_picture_that_players_show(streams, chosen):
    described = [stream(index=index, **values) for index, values in enumerate(streams)]
    assert read_facts({"streams": described, "format": {}}).video.index == chosen


def test_read_facts_average_frame_rate_of_nothing_falls_back():
    facts = read_facts({"streams": [stream(avg_frame_rate="0/0", r_frame_rate="30000/1001")], "format": {}})
    assert round(facts.video.frame_rate, 3) == 29.97


@pytest.mark.parametrize(
    ("stream", "interlaced"),
    [
        ({"field_order": "progressive"}, False),
        ({"field_order": "tt"}, True),
        ({"field_order": "bt"}, True),
        ({}, False),
        ({"codec_name": "mpeg2video"}, True),  # its frames say so one by one
        ({"codec_name": "mpeg2video", "field_order": "progressive"}, False),
    ],
)
def test_read_facts_says_what_may_be_interlaced(stream, interlaced):
    plain = {"index": 0, "codec_type": "video", "codec_name": "h264", "width": 720, "height": 576}
    facts = read_facts({"streams": [plain | stream], "format": {"format_name": "matroska,webm"}})
    assert facts.video.interlaced is interlaced


@pytest.mark.parametrize(("name", "badly"), [("mpegts", True), ("avi", True), ("mov,mp4,m4a,3gp,3g2,mj2", False)])
def test_read_facts_says_what_seeks_badly(name, badly):
    assert read_facts({"streams": [], "format": {"format_name": name}}).seeks_badly is badly


@pytest.mark.parametrize(("sounds", "index"), [(["unknown", "aac"], 1), ([None, "aac"], 1), (["unknown"], None)])
def test_read_facts_sound_that_ffmpeg_does_not_know_is_not_chosen(sounds, index):
    audios = [
        {"index": number, "codec_type": "audio", "disposition": {"default": int(not number)}}
        | ({"codec_name": name} if name else {})
        for number, name in enumerate(sounds)
    ]
    facts = read_facts({"streams": [*audios, stream(index=9)], "format": {"format_name": "mov"}})
    assert (facts.audio and facts.audio.index) == index
    assert facts.unknown_audio == (0,)


def test_read_facts_sound_alone_that_ffmpeg_does_not_know_remains_to_be_refused():
    facts = read_facts({"streams": [{"index": 0, "codec_type": "audio"}], "format": {"format_name": "mov"}})
    assert facts.audio.codec == "unknown"
