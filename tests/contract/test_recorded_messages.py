"""The messages a real Pod 4.1 put on its queue, byte for byte."""

import json
from pathlib import Path

import pytest

from adapter.door.messages import read_message
from adapter.door.statement_intake import read_statement
from podjobs.contract.errors import InvalidRequestError
from podjobs.contract.jobs import EncodingJob, TranscriptionJob
from podjobs.xapi.statements import check_statement

MESSAGES = Path(__file__).parents[1] / "data" / "pod-4.1-messages"


def recorded(name):
    raw = (MESSAGES / f"{name}.json").read_bytes()
    return raw, json.loads(raw), json.loads((MESSAGES / f"{name}.body.json").read_text())


@pytest.mark.parametrize(
    "name",
    ["encode_plain", "encode_cut", "encode_dressing_silent_credits", "encode_dressing_watermark_only"],
)
def test_recorded_encoding_message_is_read_exactly(name):
    raw, message, (positional, keywords, _) = recorded(name)
    video_id, video_path, cut_start, cut_end = positional
    assert read_message(raw) == EncodingJob(
        id=message["headers"]["id"],
        video_id=video_id,
        video_path=video_path,
        cut_start=cut_start,
        cut_end=cut_end,
        **keywords,
    )


def test_recorded_cut_has_its_seconds():
    job = read_message(recorded("encode_cut")[0])
    assert (job.id, job.video_id, job.cut_start, job.cut_end) == ("d8c097d1-e477-4aaa-9779-fb255f8a52c6", 18, 2, 7)


def test_recorded_transcription_message_is_read_exactly():
    raw, message, ([video_id, mp3filepath, duration, lang], _, _) = recorded("transcript")
    assert (video_id, duration, lang) == (28, 10, "fr")
    assert read_message(raw) == TranscriptionJob(
        id=message["headers"]["id"], video_id=video_id, mp3filepath=mp3filepath, duration=duration, lang=lang
    )


@pytest.mark.parametrize("name", ["studio_pipb_cut", "studio_single_cut", "xapi_played", "xapi_terminated"])
def test_recorded_message_of_another_kind_is_refused_by_its_task_or_read(name):
    raw, message, _ = recorded(name)
    if message["headers"]["task"].endswith("start_encoding_task"):
        assert isinstance(read_message(raw), EncodingJob)  # a single studio source comes as a plain encode
        return
    with pytest.raises(InvalidRequestError) as caught:
        read_message(raw)
    assert message["headers"]["task"] in caught.value.detail


@pytest.mark.parametrize("name", ["xapi_played", "xapi_terminated"])
def test_recorded_statement_is_read_exactly_and_is_valid(name):
    raw, message, ((statement,), _, _) = recorded(name)
    received = read_statement(raw)
    assert (received.message_id, received.statement) == (message["headers"]["id"], statement)
    check_statement(received.statement)


@pytest.mark.parametrize("name", ["encode_plain", "studio_pipb_cut", "transcript"])
def test_recorded_message_of_another_kind_is_no_statement(name):
    raw, message, _ = recorded(name)
    with pytest.raises(InvalidRequestError) as caught:
        read_statement(raw)
    assert message["headers"]["task"] in caught.value.detail
