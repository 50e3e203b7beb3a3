"""Programs that check files of ours, as requirements-dev.txt installs them."""

import shutil
import sys
from pathlib import Path

import pytest


def find_checker(name: str) -> str:
    """Find a program; the test is skipped, with the reason, where it is not published for the machine.

    Args:
        name: of the program.
    """
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.is_file() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not installed: pip install -r requirements-dev.txt")
    return found
