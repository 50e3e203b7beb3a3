"""Runner clients are called over HTTP. Source: docs/contract-pod-runner.md, rows e to m."""

import json
import threading
import time
from http import HTTPStatus
from pathlib import Path

import pytest
from pydantic import SecretStr

from podjobs.backends.files import FileStorage
from podjobs.backends.no_pod import NoPodApi
from podjobs.backends.runner_client import HttpRunnerClient
from podjobs.contract.errors import (
    FileChangedError,
    InvalidRequestError,
    NotNowError,
    OperatorNeededError,
    PermanentError,
    Problem,
    RetryableError,
)
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.plans import Plan, Result
from podjobs.contract.relocations import Relocation, Whereabouts
from podjobs.contract.reply_to import RunnerCallback
from podjobs.contract.runner_places import call_mark, result_folder
from podjobs.contract.steps import Step
from podjobs.notification.function import NotificationFunction
from podjobs.notification.runner_callback import RunnerSite
from podjobs.notification.runner_calls import RunnerWaits
from podjobs.testing import FakePodApi
from support.jobs import encoding_job
from support.scripted_pod import NO_ANSWER, ScriptedPod

TOKEN = "5up3rt0ken"  # noqa: S105 - of these tests alone
SECRET = "s3cr3t-of-the-url"  # noqa: S105 - likewise
WAITS = RunnerWaits(most_calls=2)
PROBLEM = Problem(title="The job cannot be done.", status=422, detail="'a.mp4' is empty.", kind="empty")
NAMES = ("info_video.json", "360p_a.m3u8", "360p_a.ts")
TIMEOUT_S = 20.0


def job(dialect="v4"):
    return EncodingJob(
        id="job-1",
        target="runner:umontpellier:00",
        reply_to=RunnerCallback(client="umontpellier", dialect=dialect),
        source="runner/job-1/source/a.mp4",
        output_folder=result_folder("job-1"),
    )


@pytest.fixture
def pod():
    """A Pod that says whatever the test wants."""
    with ScriptedPod() as scripted:
        yield scripted


@pytest.fixture
def media(tmp_path):
    """A media storage with the results of the job."""
    folder = tmp_path / result_folder("job-1")
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / name).write_bytes(b"result")
    return tmp_path


def private(pod, fetched=None, ago=80_000.0):
    url = f"{pod.url.removesuffix('/rest')}/runner/notify_task_end/?secret={SECRET}&video_id=12"
    values = {"notify_url": url, "token": TOKEN, "answered_s_ago": str(ago), "fetched": json.dumps(fetched or {})}
    return {name: SecretStr(value) for name, value in values.items()}


def let_pass(media, seconds):
    """As if the latest call had begun so long ago."""
    mark = media / call_mark("job-1")
    known = json.loads(mark.read_text())
    mark.write_text(json.dumps(known | {"begun_at": known["begun_at"] - seconds}))


def notify(pod, media, dialect="v4", language="en", timeout_s=TIMEOUT_S, **changes):
    site = RunnerSite(HttpRunnerClient(timeout_s), WAITS, language)
    function = NotificationFunction(FakePodApi(), FileStorage(media, "/media"), runner=site)
    values = {
        "job": job(dialect),
        "step_id": "notify",
        "action": "encoding",
        "accepted_at": 1000.0,
        "private": private(pod),
        "results": {"publish": {"message": "Three renditions."}},
    }
    return function.handle(Step(function="notification", **(values | changes)))


def test_notify_runner_v5_is_told_in_its_words(pod, media):
    planned = notify(pod, media, "v5")
    assert planned.log == ("Pod was notified.",)
    assert notify(pod, media, "v5", step_id="receipt-1") == Result(log=("Pod was notified.",))
    ((method, path, authorization, body),) = pod.requests
    assert (method, path) == ("POST", f"/runner/notify_task_end/?secret={SECRET}&video_id=12")
    assert authorization == f"Bearer {TOKEN}"
    assert body == {
        "task_id": "job-1",
        "status": "completed",
        "error_message": "",
        "script_output": "Three renditions.",
    }


@pytest.mark.every_case
@pytest.mark.parametrize("dialect", ["v4", "v5"])
def test_notify_runner_failure_is_told_in_the_language_of_the_site(pod, media, dialect):
    assert isinstance(notify(pod, media, dialect, "fr", failure=PROBLEM, results={}), Result)
    body = pod.requests[0][3]
    assert body["status"] == "failed"
    assert body["error_message"].startswith("La vidéo n'a pas pu être encodée\N{NO-BREAK SPACE}: le fichier est vide.")
    assert "'a.mp4' is empty." in body["script_output"]


def test_notify_runner_is_not_called_before_it_has_stored_our_answer(pod, media):
    with pytest.raises(NotNowError) as raised:
        notify(pod, media, private=private(pod, ago=4.0))
    assert raised.value.retry_after_s == pytest.approx(26.0)
    assert pod.requests == []


def test_notify_runner_v4_is_looked_at_by_a_step_of_its_own(pod, media):
    """Its 200 says nothing: only what it fetches does."""
    planned = notify(pod, media, shared={"kept": 1})
    assert isinstance(planned, Plan)
    ((spec,),) = [stage.steps for stage in planned.stages]
    assert (planned.shared, planned.stages[0].name) == ({"kept": 1}, "notify")
    assert (spec.id, spec.function, spec.action) == ("receipt-1", "notification", "encoding")
    done = notify(pod, media, step_id="receipt-1", private=private(pod, dict.fromkeys(NAMES, 500.0)))
    assert done == Result(log=("Pod has fetched all files.",))
    assert len(pod.requests) == 1


def test_notify_runner_v4_that_fetches_nothing_is_called_again_and_then_given_up(pod, media):
    notify(pod, media)
    with pytest.raises(RetryableError, match="has not fetched"):
        notify(pod, media, step_id="receipt-1")
    let_pass(media, 61)
    again = notify(pod, media, step_id="receipt-1")
    assert isinstance(again, Plan)
    assert again.stages[0].steps[0].id == "receipt-2"
    let_pass(media, 241)
    with pytest.raises(PermanentError, match=r"however often it was called \(2 times\)"):
        notify(pod, media, step_id="receipt-2")
    # people see a failure, rather than a video that is in progress for ever
    assert len(pod.requests) == 3
    assert pod.requests[2][3]["status"] == "failed"
    assert "its import fails" in pod.requests[2][3]["script_output"]


@pytest.mark.every_case
@pytest.mark.parametrize("dialect", ["v4", "v5"])
def test_notify_runner_after_an_error_is_called_again(pod, media, dialect):
    pod.post_answers = [(HTTPStatus.INTERNAL_SERVER_ERROR, "import failed"), (HTTPStatus.OK, "OK")]
    with pytest.raises(RetryableError, match="answered 500"):
        notify(pod, media, dialect)
    notify(pod, media, dialect, attempt=2)
    assert len(pod.requests) == 2


@pytest.mark.parametrize("status", [NO_ANSWER, 502, 504])
def test_notify_runner_without_its_own_answer_is_given_time(pod, media, status):
    """The call may still run: a second one beside it would import the video twice."""
    pod.post_answers = [(status, ""), (HTTPStatus.OK, "OK")]
    with pytest.raises(RetryableError):
        notify(pod, media, "v5")
    with pytest.raises(RetryableError, match="may still be importing"):
        notify(pod, media, "v5", attempt=2)
    assert len(pod.requests) == 1
    let_pass(media, 901)
    notify(pod, media, "v5", attempt=3)
    assert len(pod.requests) == 2


def test_notify_runner_that_answers_late_is_given_time(pod, media):
    pod.hang_s = 1.0
    with pytest.raises(RetryableError, match="did not answer in time") as raised:
        notify(pod, media, "v5", timeout_s=0.5)
    assert raised.value.context["ambiguous"]


def test_notify_runner_is_never_called_by_two_at_once(pod, media):
    """The same step may be delivered twice, as when its adapter was believed dead."""
    pod.hang_s = 0.2
    ended = []

    def call():
        try:
            ended.append(notify(pod, media, "v5"))
        except (RetryableError, FileChangedError) as error:
            ended.append(error)

    threads = [threading.Thread(target=call) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(pod.requests) == 1
    assert sum(isinstance(one, Plan) for one in ended) == 1


def test_notify_runner_that_was_killed_in_the_call_leaves_a_trace(pod, media):
    """Whoever takes the step over finds the mark of a call without an answer."""
    notify(pod, media, "v5")
    mark = media / call_mark("job-1")
    mark.write_text(json.dumps(json.loads(mark.read_text()) | {"status": None, "begun_at": time.time()}))
    with pytest.raises(RetryableError, match="may still be importing"):
        notify(pod, media, "v5", attempt=2)


def test_notify_runner_of_a_job_that_is_replayed_is_called_anew(pod, media):
    """What it was told before counts no more: an operator has mended what kept it from importing."""
    notify(pod, media)
    let_pass(media, 1000)
    assert isinstance(notify(pod, media, accepted_at=2000.0), Plan)
    assert len(pod.requests) == 2


def test_notify_runner_that_cannot_be_reached_is_called_as_soon_as_it_can(media):
    with ScriptedPod() as pod:
        gone = private(pod)
    with pytest.raises(RetryableError, match="cannot be reached"):
        notify(pod, media, "v5", private=gone)
    with ScriptedPod() as pod:
        assert notify(pod, media, "v5", private=private(pod), attempt=2).log == ("Pod was notified.",)


def test_notify_runner_that_does_not_know_the_task_is_called_again_for_a_day(pod, media):
    pod.post_answers = [(HTTPStatus.NOT_FOUND, "")]
    with pytest.raises(RetryableError, match="does not know the task yet"):
        notify(pod, media)
    ended = notify(pod, media, attempt=9, private=private(pod, ago=86_401.0))
    assert isinstance(ended, Relocation)
    assert ended.whereabouts is Whereabouts.DELETED


@pytest.mark.every_case
@pytest.mark.parametrize(
    ("status", "error", "sentence"),
    [
        (401, RetryableError, "refused its own token"),
        (403, RetryableError, "refused its own token"),
        (405, RetryableError, "takes no call-backs at the URL"),
        (415, RetryableError, "takes no call-backs at the URL"),
        (302, RetryableError, "takes no call-backs at the URL"),
        (400, PermanentError, "refused the call (400). It said: bad"),
        (503, RetryableError, "answered 503"),
    ],
)
def test_notify_runner_refusals_are_told_with_their_remedy(pod, media, status, error, sentence):
    """One client's mistake keeps no slot from the others: nothing but the first call is held."""
    pod.post_answers = [(status, "bad")]
    with pytest.raises(error) as raised:
        notify(pod, media)
    assert sentence in raised.value.detail
    assert "'umontpellier'" in raised.value.detail
    assert not isinstance(raised.value, NotNowError)


@pytest.mark.every_case
@pytest.mark.parametrize("status", [NO_ANSWER, 400, 404, 500])
def test_notify_runner_secrets_are_in_no_error(pod, media, status):
    """Also where Pod repeats them, as Django's page about errors does."""
    pod.post_answers = [(status, f"Request URL: http://pod/?secret={SECRET} as {SECRET} with Bearer {TOKEN}")]
    with pytest.raises((RetryableError, PermanentError)) as raised:
        notify(pod, media)
    shown = f"{Problem.of(raised.value)!r} {raised.value!r}"
    assert SECRET not in shown
    assert TOKEN not in shown


def test_notify_runner_without_an_address_says_so(pod, media):
    with pytest.raises(PermanentError, match="is not known any more"):
        notify(pod, media, private={})


def test_notify_runner_progress_is_told_to_v4_alone_and_never_fails(pod, media):
    """V5 would take it for the end, and for a failure."""
    pod.post_answers = [(HTTPStatus.INTERNAL_SERVER_ERROR, "")]
    assert notify(pod, media, "v5", action="progress") == Result()
    assert pod.requests == []
    assert notify(pod, media, action="progress") == Result()
    assert [request[3]["status"] for request in pod.requests] == ["running"]


def test_notify_runner_progress_is_not_waited_for_as_an_import_is():
    """The steps that follow wait for it."""
    limits = []

    class Client:
        def call(self, _url, _token, _body, limit_s=None):
            limits.append(limit_s)
            raise RetryableError("It hangs.", ambiguous=True)

    function = NotificationFunction(FakePodApi(), FileStorage(Path("/nowhere"), "/media"), runner=RunnerSite(Client()))
    told = {"notify_url": SecretStr("http://pod/notify"), "token": SecretStr(TOKEN)}
    values = {"step_id": "progress", "action": "progress", "accepted_at": 0, "private": told}
    assert function.handle(Step(job=job(), function="notification", **values)) == Result()
    assert limits == [10.0]


def test_notify_runner_does_not_know_where_a_source_has_gone(pod, media):
    found = notify(pod, media, action="locate")
    assert isinstance(found, Relocation)
    assert found.whereabouts is Whereabouts.UNCHANGED


def test_notify_runner_needs_no_pod_over_rest_but_jobs_of_celery_do(pod, media):
    site = RunnerSite(HttpRunnerClient(TIMEOUT_S), WAITS)
    function = NotificationFunction(NoPodApi(), FileStorage(media, "/media"), runner=site)
    step = Step(
        job=job(), step_id="notify", function="notification", action="encoding", accepted_at=0, private=private(pod)
    )
    assert isinstance(function.handle(step), Plan)
    with pytest.raises(OperatorNeededError, match="POD_API_URL is `none`"):
        function.handle(step.model_copy(update={"job": encoding_job(), "private": {}}))


def test_notify_runner_of_a_function_that_calls_none_is_refused(media):
    function = NotificationFunction(FakePodApi(), FileStorage(media, "/media"))
    step = Step(job=job(), step_id="notify", function="notification", action="encoding", accepted_at=0)
    with pytest.raises(InvalidRequestError, match="calls none"):
        function.handle(step)
