"""What only becomes visible side by side."""

import pytest

from adapter.checks.comparison import Clock, compare_clocks, compare_media, compare_versions
from podjobs.contract.examinations import Verdict

REDIS = Clock("Redis (jobs)", -100.0)
"""Behind this machine by 100 s."""


def said(findings):
    return [(finding.verdict, finding.said) for finding in findings]


def test_clocks_that_agree_are_counted():
    reference, other = Clock("Redis (jobs)", 1.0), Clock("the function encoding", 5.9)
    expected = (Verdict.OK, "2 clocks were compared with that of Redis (jobs).")
    assert said(compare_clocks(reference, [other])) == [expected]


@pytest.mark.parametrize(("lead_s", "is_wrong"), [(-95.0, False), (-94.9, True), (-105.0, False), (-105.1, True)])
def test_clock_may_differ_from_that_of_redis_by_five_seconds(lead_s, is_wrong):
    wrong = [one.part for one in compare_clocks(REDIS, [Clock("Pod", lead_s)]) if one.part == "Pod"]
    assert wrong == ["Pod"] * is_wrong


def test_only_the_clock_that_differs_is_named_if_redis_is_the_odd_one():
    findings = said(compare_clocks(REDIS, [Clock("Pod", 0.0)]))
    assert findings == [
        (Verdict.FAULT, "The clock of this machine is 100 s ahead of that of Redis (jobs). Set both by NTP."),
        (Verdict.FAULT, "The clock of Pod is 100 s ahead of that of Redis (jobs). Set both by NTP."),
    ]


def test_clocks_are_compared_with_ours_if_redis_does_not_answer():
    assert said(compare_clocks(None, [Clock("Pod", -7.0)])) == [
        (Verdict.FAULT, "The clock of Pod is 7 s behind that of this machine. Set both by NTP.")
    ]
    assert list(compare_clocks(None, [])) == []


def test_versions_that_differ_are_named():
    findings = list(compare_versions("0.2.0", {"adapter on a": "0.2.0", "function xapi": "0.1.0"}))
    assert said(findings) == [
        (
            Verdict.FAULT,
            (
                "The function xapi is of version 0.1.0, this command of version 0.2.0. Install the same version "
                "everywhere."
            ),
        )
    ]
    assert [one.verdict for one in compare_versions("0.2.0", {"adapter on a": "0.2.0"})] == [Verdict.OK]


def test_media_roots_that_differ_are_told_by_the_majority():
    ids = {"encoding": "a", "notification": "b", "transcription": "b"}
    assert said(compare_media(ids)) == [
        (
            Verdict.FAULT,
            (
                "The function encoding does not see the media root of the functions notification and transcription. "
                "Mount Pod's media folder there, or correct MEDIA_URL there."
            ),
        )
    ]
    assert [one.verdict for one in compare_media({"encoding": "a", "notification": "a"})] == [Verdict.OK]
    assert list(compare_media({"encoding": "a"})) == []
