"""Campaigns: long runs of random events. `--seed` repeats one or begins another, `--events` says how long it is.

    scripts/test --all tests/campaign --seed 7 --events 50000

A failure names its seed: with the same seed and as many events, what is decided by chance is decided the same way.
"""

import pytest


def pytest_addoption(parser):
    campaigns = parser.getgroup("campaigns", "of tests/campaign, if that folder or a file in it is named")
    campaigns.addoption("--seed", type=int, help="Seed of what a campaign decides by chance. Default: 1.")
    campaigns.addoption("--events", type=int, help="How many events a campaign has. Default: each campaign's own.")


@pytest.fixture
def seed(request):
    """What a campaign's random numbers begin with."""
    chosen = request.config.getoption("seed", None)
    return 1 if chosen is None else chosen


@pytest.fixture
def events(request):
    """How many events a campaign has; None: as many as it finds right."""
    return request.config.getoption("events", None)
