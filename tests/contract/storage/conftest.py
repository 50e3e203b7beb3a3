"""Each test of this folder runs with every backend of the `Storage` port; see support/media_storages.py."""

import pytest

from support.media_storages import STORAGES


@pytest.fixture(params=STORAGES)
def media(request, tmp_path):
    """An empty place for media."""
    with STORAGES[request.param](tmp_path) as media:
        yield media


@pytest.fixture
def storage(media):
    return media.open()
