"""How long to wait before the next attempt, and how many attempts there are."""

import pytest

from adapter.retries import RetryPolicy, busy_wait_s

POLICY = RetryPolicy(base_s=15, factor=2, cap_s=600, limit=5)


@pytest.mark.parametrize(
    ("attempts", "wait_s"),
    [
        (0, 0),
        (1, 15),
        (2, 30),  # 15 × 2
        (6, 480),  # 15 × 2⁵
        (7, 600),  # 15 × 2⁶ = 960, above the cap
        (5000, 600),
    ],
)
def test_wait_grows_to_the_cap(attempts, wait_s):
    assert POLICY.wait_s(attempts) == wait_s


@pytest.mark.parametrize(("attempts", "exhausted"), [(0, False), (4, False), (5, True), (6, True)])
def test_exhausted_at_the_limit(attempts, exhausted):
    assert POLICY.exhausted(attempts) is exhausted


def test_the_default_notification_retries_outlast_a_day():
    # 15 + 30 + 60 + 120 + 240 + 480 = 945 s for six, then 193 × 600 s
    policy = RetryPolicy(base_s=15, factor=2, cap_s=600, limit=200)
    assert sum(policy.wait_s(attempt) for attempt in range(1, 200)) == 945 + 193 * 600 > 24 * 3600


@pytest.mark.parametrize(("times", "wait_s"), [(1, 1), (2, 2), (5, 16), (7, 60), (10_000, 60)])
def test_busy_wait_doubles_to_the_cap(times, wait_s):
    assert busy_wait_s(times, 60) == wait_s
