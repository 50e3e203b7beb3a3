"""/metrics as text: every metric of the catalogue and no other, in both formats."""

import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from adapter.telemetry.catalogue import METRICS, Kind, Scope
from adapter.telemetry.exposition import Standing, write_metrics
from adapter.telemetry.observed import Observed
from support.metrics import STANDING, Samples, observed_everything, snapshot_of_everything

COUNTED_BY_ALL_TESTS = ("podjobs_statements_total", "podjobs_door_messages_total", "podjobs_redis_errors_total")
OPENMETRICS = "application/openmetrics-text; version=1.0.0"


def written(accept="", snapshot=None, standing=STANDING):
    text, content_type = write_metrics(snapshot or snapshot_of_everything(), observed_everything(), standing, accept)
    return text.decode(), content_type


def test_metrics_are_those_of_the_catalogue():
    text, _ = written()
    families = {family.name: family for family in read_text(text)}
    # the parser, like OpenMetrics, leaves out the ending of counters
    assert families.keys() == {one.name.removesuffix("_total") for one in METRICS}
    for one in METRICS:
        family = families[one.name.removesuffix("_total")]
        assert family.type == one.kind
        assert family.samples, one.name
        labels = [set(sample.labels) - {"le"} for sample in family.samples]
        assert all(found == set(one.labels) for found in labels), one.name


def test_metrics_say_how_to_put_adapters_together():
    text, _ = written()
    helps = {family.name: family.documentation for family in read_text(text)}
    for one in METRICS:
        if not one.name.startswith("process_"):
            expected = "take the maximum" if one.scope is Scope.ALL else "add up"
            assert expected in helps[one.name.removesuffix("_total")]


def test_metrics_have_prometheus_names():
    for one in METRICS:
        assert (one.kind is Kind.COUNTER) == one.name.endswith("_total")
        assert one.name.startswith(("podjobs_", "process_"))
        assert not set(one.labels) & {"job", "instance", "le"}
        assert one.meaning.endswith(".")


def test_metrics_values_are_those_that_were_read():
    found = Samples(written()[0])
    assert found.get("podjobs_jobs_total", type="encoding", state="done") == 7
    assert found.get("podjobs_jobs_live", type="encoding", state="running") == 2
    assert found.get("podjobs_media_seconds_total", type="encoding") == 12.5
    assert found.get("podjobs_steps_waiting", function="encoding") == 3
    assert found.get("podjobs_paused", function="encoding") == 1
    assert [found.get("podjobs_dead_letters", kind=kind) for kind in ("job", "message")] == [4, 0]
    assert [found.get("podjobs_adapters", state=state) for state in ("running", "silent")] == [1, 0]
    chunks = {"function": "encoding", "action": "chunk", "outcome": "done"}
    bucket = "podjobs_attempt_duration_seconds_bucket"
    assert [found.get(bucket, le=bound, **chunks) for bound in ("1.0", "2.5", "+Inf")] == [0, 1, 1]
    assert found.get("podjobs_attempt_duration_seconds_sum", **chunks) == 2


def test_metrics_in_openmetrics_say_the_same():
    text, content_type = written(OPENMETRICS)
    assert content_type.startswith("application/openmetrics-text")
    assert text.endswith("# EOF\n")
    theirs, ours = Samples(text, read_openmetrics).found, Samples(written()[0]).found
    assert theirs.keys() == ours.keys()
    counted = {key for key in ours if "process" in key[0] or key[0].startswith(COUNTED_BY_ALL_TESTS)}
    assert {key: theirs[key] for key in ours.keys() - counted} == {key: ours[key] for key in ours.keys() - counted}


def test_metrics_without_redis_are_the_adapters_own():
    text, _ = write_metrics(None, Observed(), Standing(lag_s=0.001), "")
    found = Samples(text.decode())
    assert found.get("podjobs_redis_up") == 0
    assert not found.names & {one.name for one in METRICS if one.scope is Scope.ALL}
    assert found.get("podjobs_event_loop_lag_seconds") == 0.001


@pytest.mark.parametrize("name", ['x"y', "x\\y", "x\ny"])
def test_metrics_names_of_queues_cannot_break_the_text(name):
    text, _ = written(standing=Standing(lag_s=0, closed={name: True}))
    assert Samples(text).get("podjobs_queue_closed", queue=name) == 1
