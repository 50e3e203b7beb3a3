"""A real request for every function, and the settings with which it can do what is asked: media, a Pod, an LRS."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

from podjobs.contract.message_contracts import STATEMENTS, STEPS, MessageContract
from podjobs.contract.requests import Request
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
    contract: MessageContract[Any, Any]
    request: Request
    settings: Mapping[str, str]
    """Of the function."""

    @property
    def message(self) -> Mapping[str, Any]:
        """The event that carries the request."""
        data = self.request.model_dump_json().encode()
        return write_message(Event(self.contract.request_type, "/podjobs/benchmark", data, self.request.subject))


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
        asked: dict[str, tuple[str, MessageContract[Any, Any], Request]] = {
            "encoding": ("the plan of a clip", STEPS, _plan(f"{POD_ROOT}/videos/abc/0007/clip.mp4")),
            "transcription": ("3 s of speech", STEPS, _part(transcriber)),
            "notification": ("a notification", STEPS, _notification(transcriber)),
            "xapi": ("a batch of 10", STATEMENTS, batch_of(*map(new_statement, range(10)))),
        }
        yield {
            name: Case(what, contract, request, SETTINGS[name] | own[name])
            for name, (what, contract, request) in asked.items()
        }


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
