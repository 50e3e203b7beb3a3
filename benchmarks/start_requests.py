"""A real request for every function, and the settings with which it can do what is asked: media, a Pod, an LRS."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from podjobs.contract.requests import Request
from podjobs.contract.statements import BATCH_EVENT_TYPE
from podjobs.contract.steps import STEP_EVENT_TYPE
from podjobs.contract.workflows import workflow_of
from podjobs.events import Event, write_message
from podjobs.testing import JobRun
from support.deployables import SETTINGS
from support.jobs import encoding_job
from support.media import make_video
from support.media_storages import POD_ROOT
from support.scripted_pod import ScriptedPod
from support.speech import speak
from support.statements import batch_of, new_statement
from support.transcriber import Transcriber, make_settings

SENTENCE = "Good morning and welcome to this course."


@dataclass(frozen=True)
class Case:
    """What a function is asked first."""

    what: str
    """In words, for the table."""
    message: Mapping[str, Any]
    """The event."""
    settings: Mapping[str, str]
    """Of the function."""


@contextlib.contextmanager
def running_cases(root: Path) -> Iterator[dict[str, Case]]:
    """Make the media, run a Pod and an LRS; by function.

    Args:
        root: the media root; made.
    """
    transcriber = Transcriber(root, make_settings(root))
    make_video(transcriber.folder / "clip.mp4", duration_s=1)
    speak(transcriber.folder / "talk.wav", SENTENCE)
    place = {"MEDIA_ROOT": POD_ROOT, "MEDIA_URL": f"file://{root}"}
    with ScriptedPod() as pod, ScriptedPod() as lrs:
        lrs.post_answers = [(HTTPStatus.NO_CONTENT, "")]
        own = {
            "encoding": place,
            "transcription": place,
            "notification": place | {"POD_API_URL": pod.url},
            "xapi": {"XAPI_LRS_URL": lrs.url},
        }
        asked = {
            "encoding": ("the plan of a clip", STEP_EVENT_TYPE, _plan(f"{POD_ROOT}/videos/abc/0007/clip.mp4")),
            "transcription": ("3 s of speech", STEP_EVENT_TYPE, _part(transcriber)),
            "notification": ("a notification", STEP_EVENT_TYPE, _notification(transcriber)),
            "xapi": ("a batch of 10", BATCH_EVENT_TYPE, batch_of(*map(new_statement, range(10)))),
        }
        yield {
            name: Case(what, _message(kind, request), SETTINGS[name] | own[name])
            for name, (what, kind, request) in asked.items()
        }


def _message(kind: str, request: Request) -> dict[str, Any]:
    event = Event(kind, "/podjobs/benchmark", request.model_dump_json().encode(), request.subject)
    return write_message(event)


def _plan(path: str) -> Request:
    run = JobRun(encoding_job("start", 7, path, pod_root=POD_ROOT), {})
    return run.step(workflow_of(run.job).first_stage.steps[0])


def _part(transcriber: Transcriber) -> Request:
    """The first step that needs the speech model; the job stays at that, so that it can be repeated."""
    run, _ = transcriber.plan("talk.wav")
    return run.step(next(run.stages()).steps[0])


def _notification(transcriber: Transcriber) -> Request:
    transcriber.transcribe("talk.wav")
    run = transcriber.run
    return run.step(workflow_of(run.job).notification_stage.steps[0])
