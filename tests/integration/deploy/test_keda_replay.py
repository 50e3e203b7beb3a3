"""KEDA replayed with the numbers of the manifests, in real time: Redis, adapters, and functions that come and go."""

import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import redis
from aiohttp import web

from adapter.redis import keys
from local.client import request_encoding
from podjobs.contract.plans import Plan, Stage, StepSpec
from support import paced_function
from support.keda import SYNC_S, Autoscaler, Metric, Operator, Scaling
from support.manifests import container_of, functions, of_kind, settings_of, workloads
from support.parts import new_adapter, running_redis
from support.processes import Program
from support.scaled_pods import Deployment
from support.serving import serving
from support.step_function import FakeFunction

OVERLAY = "keda-nfs"
FIRST_STEP_S, NO_POD_S = 30, 60
LIMIT_S = 420
LOOK_S = 0.25
MANY, TAKES_S = 96, 6
FEW, TAKE_LONG_S = 8, 110
"""Longer than the minute for which the autoscaler keeps pods: some that are to go have such a step."""


@dataclass
class Replay:
    """What KEDA and the autoscaler see and do."""

    client: redis.Redis
    deployment: Deployment
    operator: Operator
    autoscaler: Autoscaler
    begun_s: float = field(default_factory=time.monotonic)
    next_poll_s: float = 0.0
    next_sync_s: float = 7.0
    """The two have nothing to do with one another."""
    seen: list[tuple[float, int, int, list[int | None]]] = field(default_factory=list)
    """Second, pods that should be, pods that are, counts."""

    def count(self, trigger):
        """As KEDA asks; None if Redis refuses, as it does while there is no stream."""
        try:
            if trigger.metric is Metric.PENDING:
                return self.client.xpending(trigger.stream, trigger.group)["pending"]
            groups = {group["name"]: group["lag"] for group in self.client.xinfo_groups(trigger.stream)}
        except redis.ResponseError:
            return None if trigger.metric is Metric.PENDING else 0
        lag = groups[trigger.group] if trigger.group in groups else self.client.xlen(trigger.stream)
        assert lag is not None, "the lag is unknown"
        return lag

    def step(self):
        """Do what is due now."""
        now_s = time.monotonic() - self.begun_s
        pods = wanted = self.deployment.replicas
        counts = [self.count(trigger) for trigger in self.operator.scaling.triggers]
        if now_s >= self.next_poll_s:
            self.next_poll_s += self.operator.scaling.polling_s
            wanted = self.operator.poll(now_s, wanted, counts)
        if now_s >= self.next_sync_s:
            self.next_sync_s += SYNC_S
            wanted = self.autoscaler.sync(now_s, wanted, counts)
        if wanted != pods:
            self.deployment.scale(wanted)
        self.deployment.look_after()
        self.seen.append((now_s, wanted, len(self.deployment.pods), counts))

    def run_until(self, condition):
        """Go on until something holds."""
        end_s = time.monotonic() + LIMIT_S
        while not condition():
            assert time.monotonic() < end_s, self.seen[-1]
            self.step()
            time.sleep(LOOK_S)


def plan():
    def stage(name, count, takes_s):
        ids = (f"{name}-{number}" for number in range(count))
        specs = (StepSpec(id=i, function="encoding", action="chunk", params={"takes_s": takes_s}) for i in ids)
        return Stage(name=name, steps=tuple(specs))

    return Plan(stages=(stage("many", MANY, TAKES_S), stage("few", FEW, TAKE_LONG_S)))


@pytest.fixture
def scaled(tmp_path):
    """Redis, both adapters with the manifests' settings, a Deployment without pods, and what scales it."""
    workload = functions(OVERLAY)["encoding"]
    (tmp_path / "plan.json").write_text(plan().model_dump_json(), encoding="utf-8")
    slots = settings_of(OVERLAY, workload)["PODJOBS_ENCODING_SLOTS"]
    settings = {"PODJOBS_ENCODING_SLOTS": slots, "PACED_NOTES": str(tmp_path)}
    _, pre_stop_s = container_of(workload)["lifecycle"]["preStop"]["exec"]["command"]
    deployment = Deployment(tmp_path, Path(paced_function.__file__), settings, float(pre_stop_s))
    application = web.Application()
    application.add_routes([web.post("/", FakeFunction().handle)])
    adapter = workloads(OVERLAY)["adapter"]
    wanted = settings_of(OVERLAY, adapter)
    scaling = Scaling.read(of_kind(OVERLAY, "ScaledObject")["encoding"])
    (database,) = {trigger.database for trigger in scaling.triggers}
    names = ("PODJOBS_CONCURRENCY_ENCODING", "PODJOBS_BUSY_CAP_S", "PODJOBS_TIMEOUT_MARGIN_S")
    with running_redis(tmp_path / "redis") as port, serving(application) as notification_url:
        given = {name: wanted[name] for name in names} | {
            "PODJOBS_REDIS_URL": f"redis://127.0.0.1:{port}/{database}",
            "PODJOBS_FUNCTION_URL_ENCODING": f"http://127.0.0.1:{deployment.service.port}/",
            "PODJOBS_FUNCTION_URL_NOTIFICATION": f"{notification_url}/",
        }
        broker = f"redis://127.0.0.1:{port}/0"
        adapters: list[Program] = [
            new_adapter(broker, given, tmp_path, f"adapter-{number}") for number in range(adapter["spec"]["replicas"])
        ]
        try:
            for one in adapters:
                one.start()
            for one in adapters:
                one.wait()
            with redis.Redis(port=port, db=database, decode_responses=True) as client:
                yield broker, client, deployment, scaling
        finally:
            deployment.stop()
            for one in adapters:
                one.kill()


@pytest.mark.slow
def test_pods_follow_the_steps_from_none_to_all_and_back_and_no_step_is_lost_or_tried_twice(scaled, record_property):
    broker, client, deployment, scaling = scaled
    replay = Replay(client, deployment, Operator(scaling), Autoscaler(scaling))
    replay.run_until(lambda: replay.next_poll_s > 2 * scaling.polling_s)
    assert deployment.pods == []

    requested = time.time()
    job_id = request_encoding(broker, 7, "/media/videos/7.mp4")
    replay.run_until(deployment.notes)
    first_step_s = float(deployment.notes()[0][-1]) - requested
    replay.run_until(lambda: client.hget(keys.job(job_id), "state") in {"done", "failed"})
    last_step = max(float(note[-1]) for note in deployment.notes())
    replay.run_until(lambda: not deployment.pods)
    no_pod_s = time.time() - last_step

    found = {"first_step_s": first_step_s, "no_pod_s": no_pod_s, "ended_busy": deployment.ended_busy}
    for name, value in found.items():
        record_property(name, value)
    changes = [seen for before, seen in zip(replay.seen, replay.seen[1:], strict=False) if seen[1:3] != before[1:3]]
    story = "\n".join(f"{now_s:6.1f} s: {wanted} of {pods} pods, {counts}" for now_s, wanted, pods, counts in changes)
    (deployment.folder / "story").write_text(f"{found}\n{story}\n", encoding="utf-8")
    assert client.hget(keys.job(job_id), "state") == "done"
    assert first_step_s <= FIRST_STEP_S
    assert no_pod_s <= NO_POD_S
    assert max(wanted for _, wanted, _, _ in replay.seen) == scaling.most
    assert deployment.ended_busy > 0
    assert set(deployment.statuses) == {0}
    ended = sorted(note[2] for note in deployment.notes() if note[0] == "end")
    assert len(ended) == len(set(ended)) == 1 + MANY + FEW
    assert {note[3] for note in deployment.notes()} == {"1"}
