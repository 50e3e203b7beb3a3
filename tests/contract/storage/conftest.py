"""Each test of this folder runs with every backend of the `Storage` port; see support/media_storages.py."""

import pytest

from support.media_storages import STORAGES

USUAL_NAMES = ("plain", "url", "decomposed", "newline")
SLOW_ON_A_SERVER = (
    # every order of the calls of two publications
    *("superseded_at_any_call", "broken_off_at_any_call", "goes_on_while_the_newer_one", "not_yet_discarded"),
    *("half_a_file[s3-move", "half_a_file[s3-write_work", "killed_at_any_system_call"),
)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Where each call is a request, long tests are for the long run, and names are a sample."""
    for item in items:
        if item.path.parent.name != "storage" or getattr(item, "callspec", None) is None:
            continue
        parameters = item.callspec.params
        is_odd = "name" in parameters and not item.name.endswith(tuple(f"-{name}]" for name in USUAL_NAMES))
        is_long = any(part in item.name for part in SLOW_ON_A_SERVER)
        if parameters.get("media") == "s3" and (is_odd or is_long):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=STORAGES)
def media(request, tmp_path):
    """An empty place for media."""
    with STORAGES[request.param](tmp_path) as media:
        yield media


@pytest.fixture
def storage(media):
    return media.open()
