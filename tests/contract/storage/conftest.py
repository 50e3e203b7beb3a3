"""Each test of this folder runs with every backend of the `Storage` port; see support/media_storages.py."""

import pytest

from support.media_storages import STORAGES


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items):
    """Every order of the calls of two publications takes minutes where each of them is a request."""
    for item in items:
        if item.path.name != "test_publication.py" or item.callspec.params.get("media") != "s3":
            continue
        if "any_call" in item.name or "newer_one" in item.name:
            item.add_marker(pytest.mark.slow)


@pytest.fixture(params=STORAGES)
def media(request, tmp_path):
    """An empty place for media."""
    with STORAGES[request.param](tmp_path) as media:
        yield media


@pytest.fixture
def storage(media):
    return media.open()
