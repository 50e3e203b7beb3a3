"""For all tests: how they are spread over processors; logs of the code under test stay out of the way."""

import logging
from pathlib import Path

import pytest
import structlog

END_TO_END = Path(__file__).parent / "e2e"

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))


def pytest_collection_modifyitems(items):
    """End-to-end tests run whole stacks and watch the clock: one after another, while other workers do the rest."""
    for item in items:
        if END_TO_END in item.path.parents:
            item.add_marker(pytest.mark.xdist_group("e2e"))
