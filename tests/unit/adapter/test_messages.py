"""Celery messages: what Pod writes is read exactly, everything else is refused with its reason."""

import base64
import json

import pytest

from adapter.door.messages import ENCODING_TASK, read_message
from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import EncodingJob

PATH = "/media/videos/7.mp4"


def message(arguments=([7, PATH, 0, 0], {}, {}), *, task=ENCODING_TASK, job_id="job-1", body=None, **fields):
    encoded = base64.b64encode(json.dumps(arguments).encode()).decode() if body is None else body
    content = {"body": encoded, "content-type": "application/json", "headers": {"task": task, "id": job_id}}
    return json.dumps(content | fields).encode()


def test_read_message_gives_the_job_with_celerys_id():
    arguments = [[7, PATH, 2, 7.5], {"json_dressing": None, "dressing_input": ""}, {"chain": None}]
    assert read_message(message(arguments)) == EncodingJob(
        id="job-1", video_id=7, video_path=PATH, cut_start=2, cut_end=7.5
    )


def test_read_message_takes_arguments_by_position_or_by_name():
    by_name = {"video_id": 7, "video_path": PATH, "cut_start": 1, "cut_end": 2}
    assert read_message(message([[], by_name, {}])) == read_message(message([[7, PATH, 1, 2], {}, {}]))


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        (b"", "The message is not JSON"),
        (b"\xff\xfe", "The message is not JSON"),
        (b"[" * 100_000, "The message is not JSON"),
        (b"[]", "no object 'headers'"),
        (b"null", "no object 'headers'"),
        (b'{"headers": []}', "no object 'headers'"),
        (message(task=None), "The task None is not one of those this version performs"),
        (message(task=["x"]), "The task ['x'] is not one of those"),
        (message(task="pod.other.task"), "The task 'pod.other.task' is not one of those"),
        (message(**{"content-type": "application/x-python-serialize"}), "expected 'application/json'"),
        (message(headers={"task": ENCODING_TASK, "id": "x", "compression": "application/x-gzip"}), "is compressed"),
        (message(body=17), "no text 'body'"),
        (message(body="%%%"), "body is not base64"),
        (message(body="é"), "body is not base64"),
        (message(body=base64.b64encode(b"no json").decode()), "The message's body is not JSON"),
        (message({}), "not a list of arguments"),
        (message([[7, PATH]]), "not a list of arguments"),
        (message([7, {}]), "not a list of arguments"),
        (message([[7, PATH, 0, 0, None, "", 1], {}, {}]), "has 7 arguments, at most 6"),
        (message([[7], {"video_id": 8}, {}]), "'video_id' is given twice"),
        (message([[7, PATH], {"colour": "red"}, {}]), "'colour' is unknown"),
        (message([[7], {}, {}]), "video_path: Field required"),
        (message([["seven", PATH], {}, {}]), "video_id: "),
        (message([[-1, PATH], {}, {}]), "video_id: "),
        (message([[7, "videos/7.mp4"], {}, {}]), "video_path: "),
        (message([[7, "/media/\0"], {}, {}]), "video_path: "),
        (message([[7, "/media/\ud800.mp4"], {}, {}]), "no Unicode text"),
        (message([[7, PATH, -1, 0], {}, {}]), "cut_start: "),
        (message([[7, PATH, float("nan"), 0], {}, {}]), "cut_start: "),
        (message([[7, PATH, 0, float("inf")], {}, {}]), "cut_end: "),
        (message([[7, PATH, 0, 0, "dressing"], {}, {}]), "json_dressing: "),
        (message(job_id=None), "id: "),
        (message(job_id="../../etc"), "id: "),
    ],
)
def test_read_message_that_cannot_be_used_is_refused_with_its_reason(raw, reason):
    with pytest.raises(InvalidRequestError) as caught:
        read_message(raw)
    assert reason in caught.value.detail


@pytest.mark.parametrize("value", ["\ud800", {"deep": "\udfff"}])
def test_read_message_text_that_is_no_unicode_is_refused_before_it_is_stored(value):
    """It could not be written to Redis later, and the queue would stand."""
    with pytest.raises(InvalidRequestError):
        read_message(message([[7, PATH, 0, 0, {"title": value}, ""], {}, {}]))
