"""A media root with the studio's function on it, and a folder for the recordings that tests share."""

import pytest

from support.studio_workbench import StudioWorkbench


@pytest.fixture(scope="session")
def takes(tmp_path_factory):
    return tmp_path_factory.mktemp("takes")


@pytest.fixture
def workbench(tmp_path):
    return StudioWorkbench(tmp_path / "media")
