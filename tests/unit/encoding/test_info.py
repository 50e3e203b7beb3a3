"""info_video.json."""

from podjobs.contract.errors import Problem
from podjobs.contract.media_paths import MediaPaths
from podjobs.encoding.info import failure_info
from support.jobs import POD_ROOT, encoding_job

JOB = encoding_job("job-1", 7, "/media/videos/abc/talk.mp4")


def test_failure_info_lists_are_empty_and_the_reason_is_given():
    problem = Problem(
        title="The job cannot be done.", status=422, detail="The file is empty.", kind="empty", context={"stderr": "x"}
    )
    info = failure_info(JOB, MediaPaths(POD_ROOT).pod_path, 0, problem, "en")
    assert info["duration"] == 0
    assert info["error_encoding"] is True
    assert all(value == {} for name, value in info.items() if name.startswith("list_"))
    assert info["encoding_log"]["error"] == {
        "command": "",
        "result": False,
        "msg": "The video could not be encoded: the file is empty. The upload was probably interrupted: please upload "
        "it again.\nDetails: The job cannot be done. The file is empty.\nx",
    }
