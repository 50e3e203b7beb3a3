"""The job script against a model: whatever adapters do, in any order, twice, late or not at all, it does the same.

Every schedule is a sequence of operations chosen by chance: jobs come, twice or for the same video; adapters take
steps, commit, fail, hold, retry and restart them, crash, lose the answer of the script, and come back with what is no
longer theirs. After every operation Redis is compared with the model; in the end every job that was accepted has ended
and nothing is left. A failure is shown as the operations that lead to it; the slow test looks for the fewest that do,
for up to five minutes.
"""

import asyncio
import contextlib
import json

import pytest
import redis
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule, run_state_machine_as_test

from adapter.redis import keys
from adapter.redis.connections import open_redis
from adapter.redis.streams import Streams
from adapter.steps.cancellations import Cancellation
from adapter.steps.entries import parse_entry
from adapter.steps.history import AttemptNote
from adapter.steps.interventions import Interventions
from adapter.steps.records import MOST_RESTARTS, Records
from podjobs.contract.errors import Problem
from podjobs.contract.job_states import JobState
from podjobs.contract.plans import Plan, Result
from support.job_model import READY, Model, stages_of
from support.jobs import encoding_job
from support.parts import running_redis
from support.redis_dump import read_database

FUNCTIONS = ("encoding", "notification")
ADAPTERS = ("one", "two")
OPERATIONS = 50
"""Of a schedule, at most."""
SCHEDULES = 25
MANY_SCHEDULES = 2000
NOTE = AttemptNote("one", ran_s=1.0)
BROKEN = Problem(title="Broken.", status=422, detail="It is broken.")

pick = st.integers(0, 1000)
adapters = st.sampled_from(ADAPTERS)
functions = st.sampled_from(FUNCTIONS)
seldom = st.integers(0, 4).map(lambda number: number == 4)
shapes = st.lists(
    st.lists(st.tuples(functions, st.sampled_from([0.1, 1, 80, 500]), st.booleans()), min_size=1, max_size=4),
    min_size=1,
    max_size=3,
)
"""Of plans: for each step its function, its weight, and whether it needs what was done before."""


class JobScript(RuleBasedStateMachine):
    """Adapters at one Redis."""

    port = 0

    def __init__(self):
        super().__init__()
        self.runner = asyncio.Runner()
        self.watcher = redis.Redis(port=self.port, decode_responses=True)
        self.watcher.flushall()
        self.client = open_redis(f"redis://127.0.0.1:{self.port}/0", text=True)
        self.records = Records(self.client, 1000)
        self.streams = {name: Streams(self.client, name) for name in ADAPTERS}
        for function in FUNCTIONS:
            self.run(self.streams["one"].ensure_group(keys.steps(function)))
        self.model = Model()
        self.mine = {name: [] for name in ADAPTERS}
        """What each adapter knows to be its own."""
        self.past = []
        """Steps that somebody had at any time."""
        self.number = self.plans = 0

    def run(self, coroutine):
        return self.runner.run(coroutine)

    def teardown(self):
        try:
            self.bring_to_an_end()
        finally:
            with contextlib.suppress(redis.RedisError):
                self.run(self.client.aclose())
            self.watcher.close()
            self.runner.close()

    # Jobs come.

    @rule(video=st.integers(1, 3), position=st.none() | st.integers(1, 50))
    def accept_new_job(self, video, position):
        """Positions come in any order: messages that dead adapters left behind are accepted late."""
        self.number += 1
        self._accept(encoding_job(f"job-{self.number}", video), position)

    @precondition(lambda self: self.model.jobs)
    @rule(which=pick)
    def accept_job_again(self, which):
        self._accept(chosen(list(self.model.jobs.values()), which).job, None)

    def _accept(self, job, position):
        (accepted,) = self.run(self.records.accept([job], [] if position is None else [position]))
        assert (accepted.outcome, accepted.other_id) == self.model.accept(job, position)

    @precondition(lambda self: self.watcher.exists(keys.DEAD))
    @rule(which=pick)
    def replay_job(self, which):
        letter_id, fields = chosen(self.watcher.xrange(keys.DEAD), which)
        job = self.model.jobs[fields["job"]].job
        accepted = self.run(Interventions(self.records.script).replay(job, letter_id))
        assert (accepted.outcome, accepted.other_id) == self.model.replay(job)

    @precondition(lambda self: self.model.jobs)
    @rule(which=pick)
    def retry_job(self, which):
        job = chosen(list(self.model.jobs.values()), which).job
        accepted = self.run(Interventions(self.records.script).retry(job))
        assert (accepted.outcome, accepted.other_id) == self.model.replay(job)

    @precondition(lambda self: self.model.jobs)
    @rule(which=pick)
    def cancel_job(self, which):
        job = chosen(list(self.model.jobs.values()), which).job
        outcome = self.run(Interventions(self.records.script).cancel(job.id, Cancellation("anna")))
        assert outcome == self.model.cancel(job.id)

    # Adapters get steps.

    @rule(adapter=adapters, function=functions, count=st.integers(1, 5), lost=seldom)
    def take(self, adapter, function, count, lost):
        """If the answer is lost, the steps are the adapter's, but it does not know."""
        entries, _ = self.run(self.records.take(function, adapter, count))
        for entry_id, fields in entries:
            step = parse_entry(function, entry_id, fields, 1)
            job = self.model.jobs[step.job_id]
            assert step.spec.id == job.ready(function)[0], "the steps of a job keep their order"
            job.open[step.spec.id] = entry_id
            if not lost:
                self._give(adapter, step)
        if len(entries) < count:
            assert [job for job in self.model.jobs.values() if job.ready(function)] == []

    def _give(self, adapter, step):
        self.mine[adapter].append(step)
        self.past.append(step)

    @rule(adapter=adapters)
    def crash(self, adapter):
        self.mine[adapter] = []

    @rule(adapter=adapters, function=functions)
    def reclaim(self, adapter, function):
        """Claim everything that no adapter knows to be its own; how long that takes is reclaim.py's business."""
        stream = keys.steps(function)
        known = {step.entry_id for steps in self.mine.values() for step in steps}
        for pending in self.run(self.streams[adapter].pending(stream)):
            if pending.entry_id not in known:
                claimed = self.watcher.xclaim(stream, keys.GROUP, adapter, 0, [pending.entry_id])
                for entry_id, fields in claimed:
                    self._give(adapter, parse_entry(function, entry_id, fields, pending.attempts + 1))

    # They end, one way or another. `again`: the answer was lost, and the operation is repeated.

    def _choose(self, which, *, late):
        """Take a step away from whoever has it; if late, one that somebody had at any time."""
        owned = [step for steps in self.mine.values() for step in steps]
        step = chosen(self.past if late or not owned else owned, which)
        for name, steps in self.mine.items():
            self.mine[name] = [one for one in steps if one.entry_id != step.entry_id]
        return step

    def _is_open(self, step):
        return self.model.is_open(step.job_id, step.spec.id, step.entry_id)

    @precondition(lambda self: self.past)
    @rule(which=pick)
    def join(self, which):
        self._join(chosen(self.past, which))

    def _join(self, step):
        (joined,) = self.run(self.records.join([step]))
        assert (joined is not None) == self._is_open(step)
        if joined is None:
            return
        job = self.model.jobs[step.job_id]
        if job.state == JobState.QUEUED:
            job.state = JobState.RUNNING
        assert joined["params"] == job.job.model_dump_json()
        assert set(joined["results"]) == {key for key, (action, _) in job.results.items() if action in step.spec.needs}

    @precondition(lambda self: self.past)
    @rule(which=pick, shape=st.none() | shapes, late=seldom, again=seldom)
    def commit(self, which, shape, late, again):
        self._commit(self._choose(which, late=late), shape, again=again)

    def _commit(self, step, shape, *, again=False):
        stages = None
        if step.spec.action == "plan" and shape is None:
            shape = [[("encoding", 1, False)]]
        if shape is not None and step.spec.function == "encoding":
            self.plans += 1
            stages = stages_of(shape, f"p{self.plans}")
        reply = Result(values={"from": step.spec.id}) if stages is None else Plan(stages=stages)
        outcome = self.run(self.records.commit(step, reply, NOTE)).outcome
        if self._is_open(step):
            assert outcome == self.model.commit(step.job_id, step.spec, {}, stages)
        else:
            assert outcome == "duplicate"
        if again:
            assert self.run(self.records.commit(step, reply)).outcome == "duplicate"

    @precondition(lambda self: self.past)
    @rule(which=pick, late=seldom, again=seldom)
    def fail(self, which, late, again):
        step = self._choose(which, late=late)
        expected = self.model.fail(step.job_id, step.spec.id) if self._is_open(step) else "duplicate"
        assert self.run(self.records.fail(step, BROKEN, NOTE)) == expected
        if again:
            assert self.run(self.records.fail(step, BROKEN)) == "duplicate"

    @precondition(lambda self: self.past)
    @rule(which=pick, late=seldom)
    def schedule_retry(self, which, late):
        step = self._choose(which, late=late)
        assert self.run(self.records.schedule_retry(step, "")) == self._is_open(step)

    @precondition(lambda self: self.past)
    @rule(adapter=adapters, which=pick, late=seldom)
    def hold(self, adapter, which, late):
        step = self._choose(which, late=late)
        held = self.run(self.records.hold(step, adapter, "", 1.0))
        assert (held is not None) == self._is_open(step)
        if held is not None:
            self.mine[adapter].append(step)

    @precondition(lambda self: self.past)
    @rule(which=pick, late=seldom)
    def restart(self, which, late):
        step = self._choose(which, late=late)
        self._join(step)
        job = self.model.jobs[step.job_id].job
        expected = self.model.restart(job.id, MOST_RESTARTS) if self._is_open(step) else True
        assert self.run(self.records.restart(step, job, BROKEN)) == expected
        if not expected:
            self.mine["one"].append(step)

    # What must always be so.

    @invariant()
    def redis_is_as_the_model_says(self):
        stored = read_database(self.watcher)
        assert stored.get(keys.LIVE, set()) == self.model.live
        prefix = f"{keys.PREFIX}current:"
        current = {key.rpartition(":")[2]: value for key, value in stored.items() if key.startswith(prefix)}
        assert current == self.model.current
        for job_id, job in self.model.jobs.items():
            record = keys.job(job_id)
            assert stored[record]["state"] == job.state
            assert stored.get(f"{record}:open", {}) == job.open
            results = {f"{action}/{step_id}" for step_id, (action, _) in job.results.items()}
            assert stored.get(f"{record}:results", {}).keys() == results
            if job_id not in self.model.live:
                kept = {keys.job_log(job_id), keys.job_attempts(job_id)}
                assert {key for key in stored if key.startswith(f"{record}:")} <= kept
        for function in FUNCTIONS:
            self._check_queue(function, stored)

    def _check_queue(self, function, stored):
        """The jobs in a function's queue are those with ready steps for it; their shares and steps add up."""
        waiting = {job_id: job.ready(function) for job_id, job in self.model.jobs.items() if job.ready(function)}
        assert set(stored.get(keys.turns(function), [])) == set(waiting)
        assert set(stored.get(keys.turns_since(function), [])) == set(waiting)
        clock = stored.get(keys.turns_clock(function))
        if not waiting:
            assert clock is None
            return
        assert int(clock["shares"]) == sum(int(stored[keys.job(job_id)]["share"]) for job_id in waiting)
        assert int(clock["steps"]) == sum(map(len, waiting.values()))
        for job_id, steps in waiting.items():
            assert [json.loads(spec)["id"] for spec in stored[f"{keys.job(job_id)}:ready:{function}"]] == steps

    @invariant()
    def every_open_step_that_is_not_ready_has_an_entry_that_somebody_owns(self):
        wanted = {entry for job in self.model.jobs.values() for entry in job.open.values() if entry != READY}
        for function in FUNCTIONS:
            stream = keys.steps(function)
            pending = self.watcher.xpending_range(stream, keys.GROUP, "-", "+", 1000)
            assert self.watcher.xlen(stream) == len(pending)
            wanted -= {entry["message_id"] for entry in pending}
        assert wanted == set()

    def bring_to_an_end(self):
        """One adapter is left: it takes everything over and performs it."""
        self.mine = {name: [] for name in ADAPTERS}
        for _ in range(1000):
            for function in FUNCTIONS:
                self.reclaim("one", function)
                self.take("one", function, 5, lost=False)
            if not self.mine["one"]:
                break
            for step in self.mine["one"]:
                self._commit(step, None)
            self.mine["one"] = []
        assert self.model.live == set()
        self.redis_is_as_the_model_says()
        kept = {keys.JOBS, keys.DEAD, *(key(name) for key in (keys.steps, keys.turns_bell) for name in FUNCTIONS)}
        kept |= {key(job_id) for job_id in self.model.jobs for key in (keys.job, keys.job_log, keys.job_attempts)}
        # what is learned and counted for operators
        kept |= {keys.TOTALS, keys.RATES, keys.ARRIVALS, keys.plans("encoding"), *map(keys.recent, FUNCTIONS)}
        kept |= {f"{keys.PREFIX}newest:encoding:{target}" for target in self.model.newest}
        assert set(self.watcher.scan_iter(count=1000)) <= kept
        assert all(self.watcher.xlen(keys.steps(name)) == 0 for name in FUNCTIONS)


def chosen(from_, which):
    """One of these, by a number of any size."""
    return from_[which % len(from_)]


@pytest.fixture(scope="module")
def redis_port(tmp_path_factory):
    with running_redis(tmp_path_factory.mktemp("redis"), append_only=False) as port:
        yield port


def run_schedules(port, count, seed_of_all, phases):
    machine = seed(seed_of_all)(type("JobScript", (JobScript,), {"port": port}))
    given = {"max_examples": count, "stateful_step_count": OPERATIONS, "phases": phases}
    free = {"deadline": None, "database": None, "suppress_health_check": list(HealthCheck)}
    run_state_machine_as_test(machine, settings=settings(**given, **free))


def test_job_script_does_what_the_model_does_whatever_happens(redis_port, seed):
    run_schedules(redis_port, SCHEDULES, seed, [Phase.generate])


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_job_script_does_what_the_model_does_in_thousands_of_schedules(redis_port, seed, events):
    run_schedules(redis_port, MANY_SCHEDULES if events is None else max(1, events // OPERATIONS), seed, list(Phase))
