import tomllib

import podjobs
from support.processes import REPOSITORY


def test_version_of_the_library_is_that_of_the_project():
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert podjobs.__version__ == project["version"]
