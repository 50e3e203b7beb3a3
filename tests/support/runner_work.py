"""Functions for tasks of runner clients: what makes the files is a stand-in, what calls the clients is the real one.

The stand-in fetches the source over HTTP and publishes files with the names that a result has; each says of which
source it was made. What a step ends with is drawn from a seeded script, as in campaign_functions.py.
"""

import asyncio
import json
import posixpath
import random
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
from aiohttp import web
from cloudevents.http import from_http
from pydantic import SecretStr

from podjobs.backends.files import FileStorage
from podjobs.backends.runner_client import HttpRunnerClient
from podjobs.contract.errors import PermanentError, RetryableError, StepError, UnavailableError
from podjobs.contract.jobs import EncodingJob, Job, RecoveryJob, RenditionRequest, StudioJob, TranscriptionJob
from podjobs.contract.message_contracts import StepReply
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from podjobs.contract.ports.pod import PodAnswer
from podjobs.contract.ports.runner_client import ClientAnswer
from podjobs.contract.reply_to import RunnerCallback
from podjobs.contract.runner_places import result_folder
from podjobs.contract.steps import Step
from podjobs.contract.workflows import NOTIFICATION, PROGRESS_STEP, workflow_of
from podjobs.notification.function import NotificationFunction
from podjobs.notification.runner_callback import RunnerSite
from podjobs.notification.runner_calls import RunnerWaits
from podjobs.testing import FakePodApi
from support.problems import answer_of
from support.serving import serving
from support.step_function import reply_event

HASTE = RunnerWaits(hold_s=0.4, may_run_s=4.0, settle_s=0.3, receipt_s=0.5, unknown_s=3600, most_calls=3)
CALL_TIMEOUT_S = 5.0
ALL_RENDITIONS = tuple(
    RenditionRequest(resolution=resolution, mp4=height < 1080)
    for height, resolution in ((360, "640x360"), (720, "1280x720"), (1080, "1920x1080"))
)
OUTCOMES = (("ok", 80), ("500", 8), ("503", 4), ("break", 8))
"""What a step may end with, and how often."""


class KilledError(BaseException):
    """The function's process dies here: nothing that follows is done, nobody is answered."""


class MortalClient:
    """Calls clients like the real one; its process may be killed before, during or after the call."""

    def __init__(self, timeout_s: float, draw: Callable[[str], str]) -> None:
        """Ask `draw` about each call what happens to the process: "before", "during", "after" or nothing."""
        self._client = HttpRunnerClient(timeout_s)
        self._draw = draw

    def call(
        self, url: SecretStr, token: SecretStr, body: dict[str, Any], limit_s: float | None = None
    ) -> ClientAnswer:
        """Call a client; see the port."""
        death = self._draw(str(body["task_id"]))
        if death == "before":
            raise KilledError
        if death == "during":
            # what was sent goes on at the other side
            threading.Thread(target=self._send, args=(url, token, body), daemon=True).start()
            raise KilledError
        answer = self._client.call(url, token, body, limit_s)
        if death == "after":
            raise KilledError
        return answer

    def _send(self, url: SecretStr, token: SecretStr, body: dict[str, Any]) -> None:
        try:
            self._client.call(url, token, body)
        except StepError:
            return


class _NoPod(FakePodApi):
    """Nobody else is notified."""

    def post_composed(self, recording_id: int, body: dict[str, Any]) -> PodAnswer:
        """Record the call; see the port."""
        self.calls.append(("composed", recording_id, body))
        return self.answer


class RunnerWork:
    """All functions."""

    def __init__(self, storage: FileStorage, seed: int | None = None, waits: RunnerWaits = HASTE) -> None:
        """Nothing is served yet, see `serving_work`.

        Args:
            storage: the media.
            seed: of what is drawn; None: all goes well.
            waits: how long clients are given.
        """
        self.storage = storage
        self.refused: set[str] = set()
        """The ids of the jobs whose source was found to be of no use."""
        self.done: Counter[str] = Counter()
        """How often each action was performed."""
        self._seed = seed
        self._calls: Counter[str] = Counter()
        self._lock = threading.Lock()
        site = RunnerSite(MortalClient(CALL_TIMEOUT_S, self._death), waits)
        self._notification = NotificationFunction(_NoPod(), storage, runner=site)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        """Perform a step."""
        step = Step.model_validate(from_http(dict(request.headers), await request.read()).data)
        try:
            self._suffer(step)
            reply = await asyncio.to_thread(self._perform, step)
        except StepError as error:
            return answer_of(error)
        except KilledError:
            if request.transport is not None:
                request.transport.abort()
            return web.Response()
        return reply_event(reply)

    def _suffer(self, step: Step) -> None:
        """End as the script says. Raises StepError or KilledError."""
        match self._draw(f"{step.job.id}/{step.step_id}", OUTCOMES):
            case "500":
                raise RetryableError("As the script says.")
            case "503":
                raise UnavailableError("As the script says.", retry_after_s=0.0)
            case "break":
                raise KilledError

    def _perform(self, step: Step) -> StepReply:
        with self._lock:
            self.done[step.action] += 1
        if step.function == NOTIFICATION.name:
            return self._notification.handle(step)
        if isinstance(step.job, RecoveryJob):
            return Result()
        match step.action:
            case "fetch":
                return self._fetch(step.job)
            case "plan":
                function = workflow_of(step.job).function.name
                action = "captions" if isinstance(step.job, TranscriptionJob) else "publish"
                publish = Stage(name=action, steps=(StepSpec(id=action, function=function, action=action),))
                return Plan(stages=(publish, workflow_of(step.job).notification_stage))
            case "publish" | "captions":
                source = self._source(step.job)
                for name, content in results_of(step.job, source).items():
                    self.storage.write(posixpath.join(result_folder(step.job.id), name), content)
                return Result(values={"message": "It was made."})
        return Result()

    def _fetch(self, job: Job) -> Plan:
        for file in job.fetch:
            answer = httpx.get(file.url, timeout=10)
            if answer.status_code != 200:
                raise PermanentError(f"The source was answered by {answer.status_code}.")
            self.storage.write(file.key, answer.content)
        (plan,) = workflow_of(job).first_stage.steps
        steps = [plan]
        if isinstance(job.reply_to, RunnerCallback) and job.reply_to.dialect == "v4":
            steps.append(PROGRESS_STEP)
        return Plan(stages=(Stage(name="plan", steps=tuple(steps)),))

    def _source(self, job: Job) -> bytes:
        with self.storage.open(job.fetch[0].key) as file:
            content = file.read()
        if content.startswith(b"damaged"):
            self.refused.add(job.id)
            raise PermanentError("The source is damaged. Upload it again.")
        return content

    def _draw(self, subject: str, outcomes: tuple[tuple[str, int], ...]) -> str:
        if self._seed is None:
            return "ok"
        with self._lock:
            self._calls[subject] += 1
            chance = random.Random(f"{self._seed} {subject} {self._calls[subject]}")
        return chance.choices([name for name, _ in outcomes], [weight for _, weight in outcomes])[0]

    def _death(self, job_id: str) -> str:
        return self._draw(f"{job_id} is called", (("ok", 85), ("before", 5), ("during", 5), ("after", 5)))


def results_of(job: Job, source: bytes) -> dict[str, bytes]:
    """The files of a result, by name: each begins with the source that it was made of."""
    if isinstance(job, TranscriptionJob):
        told: dict[str, Any] = {"duration": 1}
        return {posixpath.basename(job.captions): b"WEBVTT\n\n" + source, "info_video.json": json.dumps(told).encode()}
    assert isinstance(job, EncodingJob | StudioJob)
    stem = posixpath.splitext(posixpath.basename(job.fetch[0].key))[0]
    pictures = [f"{stem}_{number}.png" for number in range(3)]
    files, videos = dict[str, bytes](), list[dict[str, str]]()
    for one in getattr(job, "renditions", ()) or ALL_RENDITIONS:
        height = one.resolution.partition("x")[2]
        for ending, format_ in (("m3u8", "video/mp2t"), ("ts", ""), ("mp4", "video/mp4"))[: 2 + one.mp4]:
            name = f"{height}p_{stem}.{ending}"
            files[name] = source + name.encode()
            videos += [{"encoding_format": format_, "rendition": one.resolution, "filename": name}] if format_ else []
    more = ["studio_base.mp4"] if isinstance(job, StudioJob) else []
    sound = f"audio_192k_{stem}.mp3"
    files |= dict.fromkeys((sound, *pictures, *more, "overview.png", "overview.vtt", "encoding.log"), source)
    told = {"duration": 1, "has_stream_video": True, "has_stream_audio": True, "has_stream_thumbnail": True}
    told |= {"encode_video": videos, "encode_audio": {"encoding_format": "audio/mp3", "filename": sound}}
    told |= {"encode_thumbnail": [{"filename": name} for name in pictures]}
    return files | {"info_video.json": json.dumps(told).encode()}


@contextmanager
def serving_work(work: RunnerWork) -> Iterator[dict[str, str]]:
    """Serve all functions; yields the adapter's settings that name their addresses."""
    application = web.Application(client_max_size=1 << 24)
    names = ("encoding", "transcription", "notification")
    application.add_routes([web.post(f"/{name}", work.handle) for name in names])
    with serving(application) as url:
        yield {f"PODJOBS_FUNCTION_URL_{name.upper()}": f"{url}/{name}" for name in names}
