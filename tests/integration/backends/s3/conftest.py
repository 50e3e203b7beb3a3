"""A gateway whose storage is a folder, and may fail."""

from contextlib import closing

import pytest

from podjobs.backends.s3.gateway import RangeGateway
from support.gateway_storage import FaultyFetch


@pytest.fixture
def fetch(tmp_path):
    return FaultyFetch(tmp_path)


@pytest.fixture
def gateway(fetch):
    with closing(RangeGateway(fetch, 16 << 20)) as gateway:
        yield gateway
