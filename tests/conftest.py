"""For all tests: logs stay out of the way unless a test fails to explain itself, and every run is short."""

import logging
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.WARNING))

# no deadline for an example: what else this machine is doing is not a fault of what is tested
settings.register_profile("unhurried", deadline=None)
settings.load_profile("unhurried")

TESTS = Path(__file__).parent
ONE_CASE_OF_EACH_LAW = (
    *("conformance", "contract/storage", "integration/adapter", "integration/backends", "integration/encoding"),
    *("integration/functions", "integration/studio", "integration/transcription"),
)
"""Where cases take so long that every run has the first one of each law only; `scripts/test --all` has the others, too.
A law that says `every_case` is not shortened."""


@pytest.hookimpl(tryfirst=True)  # before slow ones are left out
def pytest_collection_modifyitems(items):
    seen = set()
    for item in items:
        folder = item.path.parent.relative_to(TESTS).as_posix()
        is_long = folder.startswith(ONE_CASE_OF_EACH_LAW) and hasattr(item, "callspec")
        if not is_long or item.get_closest_marker("slow") or item.get_closest_marker("every_case"):
            continue
        # files and objects of a bucket are two laws
        law = (item.path, item.originalname, "s3" in item.callspec.id)
        if law in seen:
            item.add_marker(pytest.mark.slow)
        seen.add(law)
