"""What functions find out about Pod, the LRS and the media: a fault, and the sentence about it."""

import re

import pytest

from podjobs.contract.examinations import Verdict


def only(lines):
    """The only line. The test fails with all of them if there are others."""
    assert len(lines) == 1, lines
    return lines[0]


@pytest.fixture
def faults(settings, urls, look, adapter_lives):
    settings |= urls
    return look


def test_everything_is_well(faults):
    assert faults() == []
    well = faults(verdict=Verdict.OK)
    for seen in (
        "Pod/notification: REST interface: It",
        "LRS/xapi: statements endpoint: It",
        "tools/encoding: ffmpeg: ",
    ):
        assert any(line.startswith(seen) for line in well), (seen, well)
    assert any(line.startswith("media/mounts: The functions encoding and notification see the same") for line in well)
    assert any(line.startswith("clocks/all: 5 clocks") for line in well), well


@pytest.mark.parametrize(
    ("status", "said"),
    [
        (401, "Pod refused the token (401). POD_API_TOKEN is missing or wrong; correct it"),
        (403, "Pod refused the token (403). The user of POD_API_TOKEN is not staff; correct it"),
        (404, "Check POD_API_URL, and that Pod's ALLOWED_HOSTS names its host."),
        (502, "Pod did not respond to it in time. Is it running?"),
        (200, "Check that POD_API_URL is Pod's REST address."),
    ],
)
def test_pod_that_answers_otherwise_is_said(faults, pod, status, said):
    pod.pages["/rest/renditions/"] = (status, "<h1>A page.</h1>")
    line = only(faults())
    assert line.startswith("Pod/notification: REST interface: ")
    assert said in line


def test_pod_that_redirects_to_its_login_is_said(faults, pod):
    pod.pages["/rest/renditions/"] = (302, "")
    pod.headers["Location"] = "https://pod.example.org/accounts/login/"
    line = only(faults())
    assert "Pod redirects to 'https://pod.example.org/accounts/login/'. Set POD_API_URL to the final address." in line


def test_pod_that_is_too_old_is_said(faults, pod):
    del pod.pages["/rest/store_remote_transcripted_video/"]
    line = only(faults())
    assert "Pod 3.5.1 or newer is needed" in line


def test_rendition_that_pod_lacks_is_said(faults, pod):
    pod.pages["/rest/renditions/"] = (200, '[{"resolution": "640x360"}, {"resolution": "1280x720"}]')
    line = only(faults())
    assert line.startswith("Pod/notification: renditions: Pod has no rendition x1080")


@pytest.mark.parametrize(("lead_s", "said"), [(90, r"(89|90|91) s ahead of"), (-120, r"(119|120|121) s behind")])
def test_clock_of_pod_that_is_wrong_is_said(faults, pod, lead_s, said):
    pod.lead_s = lead_s
    line = only(faults())
    assert re.match(f"clocks/Pod: The clock of Pod is {said} that of Redis", line), line


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (401, "XAPI_LRS_LOGIN or XAPI_LRS_PWD is wrong; correct it."),
        (403, "The user of XAPI_LRS_LOGIN may not write statements; correct it."),
        (404, "XAPI_LRS_URL is not the LRS's statements endpoint; correct it."),
        ("html", "Check that XAPI_LRS_URL is the LRS's statements endpoint."),
        ("hang", "did not answer within 3 s"),
    ],
)
def test_lrs_that_does_not_take_statements_is_said(faults, lrs, answer, said):
    lrs.answers.append(answer)
    line = only(faults())
    assert line.startswith("LRS/xapi: statements endpoint: ")
    assert said in line


def test_pod_that_hangs_leaves_time_for_all_else(faults, pod):
    pod.hang_s = 30  # only of calls that it is asked to do, which an examination does not
    assert faults() == []


def test_media_of_another_folder_is_seen_by_the_others(faults, media_root):
    marker = media_root.folder / "podjobs-media-root.txt"
    assert faults() == []
    assert marker.read_text().startswith("pod-functions tells by this file")
    assert [file.name for file in media_root.folder.iterdir() if file.name.startswith("podjobs-check")] == []


def test_function_answers_nobody_else(functions, settings, urls, look, adapter_lives):
    settings |= urls | {"PODJOBS_FUNCTION_SECRET": 20 * "x"}
    lines = [line for line in look() if line.startswith("functions/")]
    assert len(lines) == 3
    assert all("PODJOBS_FUNCTION_SECRET must be the same for the adapter and the function" in line for line in lines)
