"""KEDA's formula with the numbers of the manifests: when pods come and go."""

import math
import re
from dataclasses import replace

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from support.keda import SYNC_S, Autoscaler, Metric, Operator, Scaling, Trigger
from support.processes import REPOSITORY

FOLDER = REPOSITORY / "knative/functions/keda"
FIRST_POD_S, NO_POD_S = 30, 60
"""By then the first pod serves, and the last one is gone."""
START_S = 20
"""What is left of the first for a pod: an image that is there, a model that loads."""


def read_scaling(function):
    found = yaml.safe_load_all((FOLDER / f"{function}.yaml").read_text(encoding="utf-8"))
    (manifest,) = (one for one in found if one["kind"] == "ScaledObject")
    return Scaling.read(manifest)


ALL = [read_scaling(name) for name in ("encoding", "transcription", "notification", "xapi")]
ENCODING = ALL[0]
ADAPTER = (REPOSITORY / "knative/base/settings/adapter.env").read_text(encoding="utf-8")
BUSY_CAP_S = int(re.findall(r"^PODJOBS_BUSY_CAP_S=(\d+)$", ADAPTER, re.MULTILINE)[0])
"""A step that found no pod is sent again after so long."""


def replay(scaling, pending, seconds, sync_offset_s=0):
    """Pods at each second, with so many entries pending; KEDA polls at 0 s, the autoscaler at its offset."""
    operator, autoscaler, pods, found = Operator(scaling), Autoscaler(scaling), 0, []
    for now_s in range(seconds):
        counts = [pending(now_s) if trigger.metric is Metric.PENDING else 0 for trigger in scaling.triggers]
        if now_s % scaling.polling_s == 0:
            pods = operator.poll(now_s, pods, counts)
        if now_s % SYNC_S == sync_offset_s:
            pods = autoscaler.sync(now_s, pods, counts)
        found.append(pods)
    return found


few = settings(max_examples=40)
each = pytest.mark.parametrize("scaling", ALL, ids=lambda scaling: scaling.name)


@each
@few
@given(sync=st.integers(0, 14), begin=st.integers(1, 20), lasts=st.integers(6, 400), share=st.floats(0.01, 3))
def test_pods_come_with_the_first_entry_suffice_and_are_gone_soon_after_the_last(scaling, sync, begin, lasts, share):
    (kept,) = (trigger for trigger in scaling.triggers if trigger.metric is Metric.PENDING)
    count = max(1, int(share * scaling.most * kept.target))
    end = begin + lasts
    pods = replay(scaling, lambda now_s: count if begin <= now_s < end else 0, end + NO_POD_S + 30, sync)
    assert not any(pods[:begin])
    assert all(pods[begin + scaling.polling_s : end])
    assert max(pods) <= scaling.most
    if lasts >= scaling.polling_s + 3 * SYNC_S:
        assert pods[end - 1] == min(scaling.most, math.ceil(count / kept.target))
    assert not any(pods[end + NO_POD_S :])


@each
def test_first_step_leaves_a_pod_twenty_seconds_to_start(scaling):
    assert scaling.polling_s + BUSY_CAP_S + START_S <= FIRST_POD_S


@few
@given(counts=st.lists(st.integers(0, 40), min_size=5, max_size=60), sync=st.integers(0, 14))
def test_pods_are_not_ended_while_the_last_minute_needed_them(counts, sync):
    pods = replay(ENCODING, lambda now_s: counts[now_s // 10], 10 * len(counts), sync)
    for now_s in range(1, len(pods)):
        if pods[now_s] < pods[now_s - 1]:
            syncs = [second for second in range(now_s + 1) if second % SYNC_S == sync and pods[second - 1]]
            lately = [counts[second // 10] for second in syncs if second > now_s - ENCODING.down_window_s]
            assert pods[now_s] == 0 or pods[now_s] >= min(ENCODING.most, math.ceil(max(lately) / 2))


def test_autoscaler_lets_four_pods_or_twice_as_many_come_at_once():
    scaling = replace(ENCODING, most=100)
    autoscaler, pods, found = Autoscaler(scaling), 1, []
    for number in range(4):
        pods = autoscaler.sync(number * SYNC_S, pods, [0, 60])
        found.append(pods)
    assert found == [5, 10, 20, 30]


@pytest.mark.parametrize(("pods", "count", "wanted"), [(10, 19, 10), (10, 21, 10), (10, 23, 12), (10, 17, 9)])
def test_autoscaler_leaves_what_misses_its_target_by_a_tenth(pods, count, wanted):
    scaling = replace(ENCODING, most=100, down_window_s=0)
    assert Autoscaler(scaling).sync(0, pods, [0, count]) == wanted


@pytest.mark.parametrize("counts", [(None, None), (None, 0)])
def test_pods_stay_as_they_are_while_redis_does_not_answer(counts):
    assert Operator(ENCODING).poll(1000, 3, counts) == 3
    assert Autoscaler(ENCODING).sync(1000, 3, counts) == 3


def test_pods_come_though_one_of_the_triggers_fails():
    assert Operator(ENCODING).poll(0, 0, (None, 1)) == 1
    assert Autoscaler(ENCODING).sync(0, 1, (None, 6)) == 3


@pytest.mark.parametrize("behavior", [{"scaleUp": {"policies": []}}, {"scaleDown": {"tolerance": 0.2}}])
def test_scaling_with_rules_that_are_not_replayed_is_refused(behavior):
    spec = {"triggers": [], "advanced": {"horizontalPodAutoscalerConfig": {"behavior": behavior}}}
    with pytest.raises(ValueError, match="not read"):
        Scaling.read({"metadata": {"name": "encoding"}, "spec": spec})


def test_trigger_with_a_lag_counts_the_lag_and_one_without_pending_entries():
    place = {"stream": "s", "consumerGroup": "g", "databaseIndex": "8"}
    assert Trigger.read(place | {"lagCount": "2", "pendingEntriesCount": "9"}).metric is Metric.LAG
    assert Trigger.read(place | {"pendingEntriesCount": "9"}).metric is Metric.PENDING
