"""What the library ships for tests does what the adapter would do."""

import pytest

from podjobs.backends.files import FileStorage
from podjobs.contract.errors import PermanentError
from podjobs.contract.plans import Plan, Result, Stage, StepSpec
from podjobs.contract.ports.pod import PodAnswer
from podjobs.contract.statements import StatementBatch
from podjobs.contract.workflows import workflow_of
from podjobs.notification.function import NotificationFunction
from podjobs.testing import FakeLrs, FakePodApi, JobRun
from podjobs.xapi.function import XapiFunction
from support.jobs import encoding_job
from support.statements import new_statement


class Chunks:
    """Plans chunks and adds their frames up."""

    def __init__(self, frames):
        self.frames = frames
        self.handled = []

    def handle(self, step):
        self.handled.append(step.step_id)
        match step.action:
            case "plan":
                chunks = tuple(StepSpec(id=f"c{n}", function="encoding", action="chunk") for n in range(2))
                publish = StepSpec(id="publish", function="encoding", action="publish", needs=("chunk",))
                stages = (Stage(name="encode", steps=chunks), Stage(name="publish", steps=(publish,)))
                return Plan(shared={"a": 1}, stages=(*stages, workflow_of(step.job).notification_stage))
            case "chunk":
                if self.frames < 0:
                    raise PermanentError("The file is damaged.")
                return Result(values={"frames": self.frames}, log=(f"{step.shared}",))
            case "publish":
                return Result(values={"sum": sum(values["frames"] for values in step.results.values())})
            case _:
                return Result(log=(step.failure.detail,))


def test_job_run_performs_the_stages_in_order_and_hands_results_on():
    function = Chunks(frames=25)
    run = JobRun(encoding_job(), {"encoding": function}, concurrency=2).run()
    assert sorted(function.handled) == ["c0", "c1", "plan", "publish"]
    assert run.results["publish"] == ("publish", {"sum": 50})
    assert run.log == ["{'a': 1}", "{'a': 1}"]


def test_job_run_notifies_where_that_function_is_given(tmp_path):
    pod = FakePodApi()
    notification = NotificationFunction(pod, FileStorage(tmp_path, "/media"))
    functions = {"encoding": Chunks(1), "notification": notification}
    run = JobRun(encoding_job(video_id=18), functions).run()
    ((callback, video_id, body),) = pod.calls
    assert (callback, video_id, body["video_path"]) == ("encoded", 18, "/media/videos/7.mp4")
    assert run.log[-1] == "Pod was notified."


def test_job_run_that_fails_raises_and_can_report_it():
    function = Chunks(frames=-1)
    run = JobRun(encoding_job(), {"encoding": function})
    with pytest.raises(PermanentError, match="damaged") as failed:
        run.run()
    run.report_failure(failed.value)
    assert function.handled[-1] == "report"
    assert run.log == ["The file is damaged."]


def test_job_run_of_a_refused_request_performs_nothing():
    function = Chunks(frames=1)
    with pytest.raises(PermanentError, match="opacity"):
        JobRun(encoding_job(json_dressing={"opacity": 200}), {"encoding": function}).run()
    assert function.handled == []


def test_fake_pod_knows_whether_it_was_called():
    pod = FakePodApi(answer=PodAnswer.UNKNOWN_VIDEO)
    assert pod.post_transcribed(7, {}) is PodAnswer.UNKNOWN_VIDEO
    assert pod.video_state(7) is None
    pod = FakePodApi()
    assert pod.video_state(7).in_progress
    pod.post_transcribed(7, {})
    assert not pod.video_state(7).in_progress


def test_fake_lrs_keeps_statements():
    lrs = FakeLrs()
    entries = [{"entry_id": str(number), "statement": new_statement(number)} for number in range(3)]
    batch = StatementBatch.model_validate({"batch_id": "b", "entries": entries})
    assert XapiFunction(lrs, None, longest_request_s=1).handle(batch).accepted == ("0", "1", "2")
    assert lrs.statements == [new_statement(number) for number in range(3)]
