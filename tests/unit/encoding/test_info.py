"""info_video.json and the master playlist."""

from podjobs.contract.errors import Problem
from podjobs.contract.media_paths import MediaPaths
from podjobs.encoding.info import failure_info
from podjobs.media.facts import read_facts
from support.jobs import POD_ROOT, encoding_job

JOB = encoding_job("job-1", 7, "/media/videos/abc/talk.mp4")


def test_failure_info_lists_are_empty_and_the_reason_is_given():
    problem = Problem(title="The job cannot be done.", status=422, detail="The file is empty.", context={"stderr": "x"})
    info = failure_info(JOB, MediaPaths(POD_ROOT).pod_path, 0, problem)
    assert info["duration"] == 0
    assert info["error_encoding"] is True
    assert all(value == {} for name, value in info.items() if name.startswith("list_"))
    assert info["encoding_log"]["error"] == {
        "command": "",
        "result": False,
        "msg": "The job cannot be done.\nThe file is empty.\nx",
    }


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


def test_read_facts_average_frame_rate_of_nothing_falls_back():
    facts = read_facts({"streams": [stream(avg_frame_rate="0/0", r_frame_rate="30000/1001")], "format": {}})
    assert round(facts.video.frame_rate, 3) == 29.97
