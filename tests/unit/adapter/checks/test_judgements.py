"""What is judged of servers, queues and adapters."""

import pytest

from adapter.about import AdapterAbout, AdapterState
from adapter.checks.adapters import judge_adapters
from adapter.checks.queue_readers import judge_readers
from adapter.checks.redis_servers import judge
from adapter.inspection.redis_state import find_faults
from podjobs.contract.examinations import Verdict

INFO = {"redis_version": "7.2.4", "aof_enabled": 1, "maxmemory_policy": "noeviction", "maxmemory": 0, "role": "master"}


def test_server_that_is_well_says_its_version_and_how_fast_it_answers():
    finding = judge("jobs", INFO, 0.0012)
    assert (finding.verdict, finding.said) == (Verdict.OK, "version 7.2.4, answers in 1.2 ms.")


@pytest.mark.parametrize(("latency_s", "verdict"), [(0.05, Verdict.OK), (0.051, Verdict.FAULT)])
def test_server_may_take_fifty_milliseconds(latency_s, verdict):
    assert judge("jobs", INFO, latency_s).verdict is verdict


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"role": "slave"}, "is a replica, which takes no jobs"),
        ({"maxmemory": 100 << 20, "used_memory": 91 << 20}, "uses 91% of its memory, 100 MiB, and refuses"),
        ({"aof_last_write_status": "err"}, "could not write to its disk the last time"),
        ({"rdb_last_bgsave_status": "err"}, "could not write to its disk the last time"),
    ],
)
def test_server_that_cannot_take_more_is_a_fault(changes, said):
    (fault,) = find_faults(INFO | changes)
    assert fault.startswith(said)
    assert find_faults(INFO | {"maxmemory": 100 << 20, "used_memory": 90 << 20}) == []


def nodes(**queues):
    return {node: [{"name": queue} for queue in reads] for node, reads in queues.items()}


def test_workers_that_read_other_queues_are_no_fault():
    (finding,) = judge_readers(["encoding", "xapi"], nodes(pod=["celery", "encoding-pod"]), ["10.0.0.5"])
    assert (finding.verdict, finding.part) == (Verdict.OK, "encoding, xapi")


def test_worker_that_reads_ours_is_named_with_the_queues_that_it_should_read():
    (finding,) = judge_readers(["encoding", "xapi"], nodes(pod=["xapi", "celery", "encoding"]), [])
    assert finding.verdict is Verdict.FAULT
    assert "The Celery worker pod reads encoding and xapi, too" in finding.said
    assert "-Q encoding-pod,xapi-pod" in finding.said


def test_answers_that_are_no_lists_of_queues_are_nobody():
    (finding,) = judge_readers(["encoding"], {"odd": {"error": "no"}, "odder": None}, [])
    assert finding.verdict is Verdict.OK


def adapter(adapter_id, **about):
    return AdapterAbout(adapter_id, host=adapter_id, pid=1, queues=["encoding"], **about)


def test_adapter_that_was_silent_is_a_fault_only_if_no_other_works():
    one, other = adapter("one"), adapter("other")
    silent_s = {"one": 5.0, "other": 31.0}
    verdicts = [finding.verdict for finding in judge_adapters([one, other], silent_s, 15)]
    assert verdicts == [Verdict.OK, Verdict.NOTE]
    verdicts = [finding.verdict for finding in judge_adapters([other], silent_s, 15)]
    assert verdicts == [Verdict.FAULT, Verdict.FAULT]


def test_that_all_adapters_are_drained_is_a_fault():
    drained = adapter("one", state=AdapterState.DRAINED)
    findings = list(judge_adapters([drained], {"one": 1.0}, 15))
    assert [finding.verdict for finding in findings] == [Verdict.NOTE, Verdict.FAULT]
    assert findings[0].said.startswith("The adapter is drained: it takes nothing more.")
