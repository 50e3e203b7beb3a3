"""Adapter, function and LRS are killed again and again: each statement is in the LRS exactly once."""

import pytest

from benchmarks.xapi_kills import SETTINGS, survive
from benchmarks.xapi_stack import running_stack

LATENCY_MS = 100
"""So that a kill often meets a request on its way."""


@pytest.mark.parametrize(
    ("count", "portions", "seed"),
    [(6_000, 6, 1), pytest.param(100_000, 40, 2, marks=pytest.mark.slow)],
    ids=["6000", "100000"],
)
def test_killed_processes_lose_and_duplicate_no_statement(tmp_path, count, portions, seed):
    with running_stack(tmp_path, latency_ms=LATENCY_MS, settings=SETTINGS) as stack:
        aftermath = survive(stack, count, seed, portions=portions, pause_s=(0.1, 1.0))
    assert aftermath.is_clean, aftermath
    assert set(aftermath.kills) == {"adapter", "function", "lrs"}
