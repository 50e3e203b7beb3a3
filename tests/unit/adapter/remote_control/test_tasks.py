"""Jobs and messages as Celery's tasks."""

import json

from adapter.inspection.job_record import JobRecord
from adapter.remote_control.overview import Overview, Retry
from adapter.remote_control.roster import find_place
from adapter.remote_control.task_events import Announcements
from adapter.remote_control.tasks import (
    TaskPlace,
    describe_active,
    describe_job,
    describe_message,
    describe_scheduled,
    describe_statement,
    number_in,
)
from adapter.steps.history import RunningStep
from podjobs.contract.media_paths import MediaPaths
from support.celery_messages import celery_message
from support.jobs import encoding_job, encoding_message, studio_job, studio_message, transcription_job

PATHS = MediaPaths("/media")
ENCODING = "pod.video_encode_transcript.encoding_tasks.start_encoding_task"
STUDIO = "pod.video_encode_transcript.encoding_tasks.start_studio_task"
TRANSCRIPTION = "pod.video_encode_transcript.transcripting_tasks.start_transcripting_task"
XAPI = "pod.xapi.xapi_tasks.send_xapi_statement_task"
HERE = TaskPlace("encode@one", "encoding", 42)


def record(job, **fields):
    written = {"type": job.type, "target": job.target, "params": job.model_dump_json(), "state": "running"}
    return JobRecord(job.id, written | {"stage": "chunks", "accepted_at": "100.5", "started_at": "101.5"} | fields)


def test_job_has_the_arguments_with_which_pod_called_the_task():
    job = encoding_job("job-1", 7, "/media/videos/7.mp4", cut_start=1, cut_end=2.5)
    assert describe_job(record(job, weight_total="4", weight_done="1"), HERE, PATHS) == {
        "id": "job-1",
        "name": ENCODING,
        "args": [7, "/media/videos/7.mp4", 1.0, 2.5],
        "kwargs": {"json_dressing": None, "dressing_input": ""},
        "type": ENCODING,
        "hostname": "encode@one",
        "time_start": 101.5,
        "acknowledged": True,
        "delivery_info": {"exchange": "", "routing_key": "encoding", "priority": 0, "redelivered": False},
        "worker_pid": 42,
        "state": "running",
        "stage": "chunks",
        "progress": 0.25,
        "accepted": 100.5,
    }


def test_transcription_has_its_arguments_except_the_length_that_is_not_stored():
    info = describe_job(record(transcription_job("job-2", 7, lang="fr")), HERE, PATHS)
    assert (info["name"], info["args"]) == (TRANSCRIPTION, [7, "/media/videos/0007/audio_192k.mp3", None, "fr"])


def test_studio_job_has_the_arguments_with_which_pod_called_the_task():
    asked = studio_message("job-4", 8, subtime="-ss 1.25 -to 6.5 ", presenter="pipb")
    info = describe_job(record(studio_job("job-4", 8, subtime="-ss 1.25 -to 6.5 ", presenter="pipb")), HERE, PATHS)
    message = describe_message(asked, len(asked), HERE)
    assert (info["name"], info["args"], info["kwargs"]) == (STUDIO, message["args"], {})
    refused = describe_job(record(studio_job("job-5", 8, videos=[])), HERE, PATHS)
    assert refused["args"] == [8, "/media/opencast-files/a1/a1.mp4", [], "", "alone"]
    unreadable = JobRecord("job-6", {"type": "studio", "target": "recording-8", "params": "{", "state": "running"})
    assert describe_job(unreadable, HERE, PATHS)["args"] == [8]


def test_record_that_cannot_be_read_is_shown_with_what_is_known():
    broken = JobRecord("job-3", {"type": "sum", "target": "x", "params": "{", "state": "running"})
    info = describe_job(broken, HERE, PATHS)
    assert (info["name"], info["args"], info["time_start"]) == ("podjobs.sum", ["x"], None)


def test_active_job_says_what_runs_and_what_it_waits_for():
    job = record(encoding_job(), trouble=json.dumps({"detail": "The disk is full."}))
    running = {job.id: [RunningStep("encoding", "1-0", job.id, "chunk-1", "chunk", 1, "one", 102)]}
    overview = Overview((job,), (), {}, running, {job.id: Retry(2, 3600)})
    info = describe_active(job, HERE, overview, PATHS)
    assert (info["steps_running"], info["steps_waiting_for_retry"], info["retry_eta"], info["trouble"]) == (
        1, 2, "1970-01-01T01:00:00+00:00", "The disk is full.",
    )  # fmt: skip
    assert describe_scheduled(info, 3600) == {"eta": "1970-01-01T01:00:00+00:00", "priority": 6, "request": info}


def test_message_on_the_list_is_a_task_that_is_not_acknowledged():
    raw = encoding_message("job-1", 7, "/media/videos/7.mp4", cut_start=3)
    info = describe_message(raw, len(raw), TaskPlace("encode@one", "encoding"))
    assert (info["id"], info["name"], info["args"], info["kwargs"]) == (
        "job-1", ENCODING, [7, "/media/videos/7.mp4"], {"cut_start": 3},
    )  # fmt: skip
    assert (info["acknowledged"], info["time_start"], info["worker_pid"]) == (False, None, None)


def test_message_that_cannot_be_read_is_shown_as_such():
    place = TaskPlace("encode@one", "encoding")
    assert describe_message(b"\xff", 1, place)["args"][0].startswith("This message cannot be read: The message is not")
    assert describe_message(b"{", 5_000_000, place)["args"] == ["5000000 bytes"]


def test_statement_is_shown_without_whom_it_is_about():
    statement = {"id": "s-1", "actor": {"mbox": "mailto:a@b.c"}, "verb": {"id": "http://v"}, "object": {"id": "o"}}
    raw = celery_message(XAPI, [statement], message_id="m-1", queue="xapi")
    place = TaskPlace("xapi@one", "xapi", 42)
    for info in (describe_message(raw, len(raw), place), describe_statement("1-0", statement, place)):
        assert info["args"] == [{"id": "s-1", "verb": "http://v"}]
        assert "mailto" not in json.dumps(info)
    assert describe_statement("1-0", None, place)["id"] == "1-0"


def test_what_waits_says_how_many_wait():
    assert number_in([{"id": "a"}, {"id": "b"}], 9000) == [
        {"id": "a", "position": 1, "of": 9000},
        {"id": "b", "position": 2, "of": 9000},
    ]


def test_oldest_node_speaks_for_all():
    rows = [("encode@host", "b", "20"), ("encode-2@host", "a", "10"), ("encode@other", "c", "30")]
    assert [find_place(adapter, rows).is_speaker for adapter in "abc"] == [True, False, False]
    assert find_place("b", rows).speaker == "encode-2@host"


def phases(announcements, job):
    return [event["type"] for event in announcements.due(job, describe_job(job, HERE, PATHS))]


def test_events_of_a_job_are_told_once_and_in_order():
    announcements, job = Announcements(), encoding_job()
    assert phases(announcements, record(job, state="queued", started_at="")) == ["task-received"]
    assert phases(announcements, record(job)) == ["task-started"]
    assert phases(announcements, record(job)) == []
    done = record(job, state="done", ended_at="111.5")
    (ended,) = announcements.due(done, describe_job(done, HERE, PATHS))
    assert (ended["type"], ended["runtime"], ended["timestamp"]) == ("task-succeeded", 10.0, 111.5)
    assert phases(announcements, done) == []


def test_job_that_was_never_seen_alive_is_told_with_its_whole_life():
    failed = record(encoding_job(), state="failed", ended_at="111", error=json.dumps({"detail": "It is broken."}))
    events = Announcements().due(failed, describe_job(failed, HERE, PATHS))
    assert [event["type"] for event in events] == ["task-received", "task-started", "task-failed"]
    assert events[-1]["exception"] == "It is broken."


def test_cancelled_job_is_revoked_and_a_new_listener_is_told_everything_again():
    announcements = Announcements()
    cancelled = record(encoding_job(), state="cancelled", ended_at="111")
    assert phases(announcements, cancelled)[-1] == "task-revoked"
    announcements.forget()
    assert phases(announcements, cancelled)[-1] == "task-revoked"


def test_jobs_that_are_seen_no_more_are_looked_up_or_forgotten():
    announcements = Announcements()
    phases(announcements, record(encoding_job("job-1")))
    phases(announcements, record(encoding_job("job-2")))
    assert announcements.unseen(["job-2"]) == ["job-1"]
    announcements.drop(["job-1"])
    assert announcements.unseen([]) == ["job-2"]
