"""The systemd units, as systemd itself reads and judges them, and the settings that their environment file names."""

import re
import shutil
import subprocess

import pytest

from support.processes import REPOSITORY

UNITS = REPOSITORY / "deploy/systemd"
EXPOSURE_LIMIT = 2.2
"""Of 10, as systemd-analyze security counts; the worker's is 2.0, the adapter's 1.4."""

with_systemd = pytest.mark.skipif(
    shutil.which("systemd-analyze") is None, reason="systemd-analyze is missing: install the package systemd."
)


@pytest.fixture
def root(tmp_path):
    """A file system with what the units name."""
    program = tmp_path / "opt/pod-functions/deploy/podjobs"
    program.parent.mkdir(parents=True)
    shutil.copy(REPOSITORY / "deploy/podjobs", program)
    folder = tmp_path / "etc/systemd/system"
    folder.mkdir(parents=True)
    for unit in UNITS.glob("*.service"):
        shutil.copy(unit, folder)
    for target in ("basic", "multi-user", "network-online", "remote-fs", "shutdown", "sysinit"):
        (folder / f"{target}.target").write_text(f"[Unit]\nDescription={target}\n")
    return tmp_path


def _verify(root, *units):
    argv = ["systemd-analyze", f"--root={root}", "verify", *units]
    return subprocess.run(argv, capture_output=True, text=True, check=False)


@with_systemd
def test_units_are_understood_by_systemd(root):
    done = _verify(root, "podjobs-adapter.service", "podjobs-worker@encoding.service")
    assert (done.returncode, done.stderr) == (0, "")


@with_systemd
def test_unit_with_an_unknown_value_is_noticed(root):
    unit = root / "etc/systemd/system/podjobs-adapter.service"
    unit.write_text(unit.read_text().replace("KillMode=mixed", "KillMode=mixt"))
    assert "Failed to parse kill mode" in _verify(root, "podjobs-adapter.service").stderr


@with_systemd
@pytest.mark.parametrize("unit", ["podjobs-adapter.service", "podjobs-worker@.service"])
def test_unit_exposes_little(unit):
    argv = ["systemd-analyze", "security", "--offline=true", "--no-pager", str(UNITS / unit)]
    said = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
    (exposure,) = re.findall(r"exposure level for \S+: ([\d.]+)", said)
    assert float(exposure) <= EXPOSURE_LIMIT


def test_environment_file_names_settings_that_exist():
    written = (UNITS / "podjobs.env").read_text()
    named = set(re.findall(r"^#?([A-Z][A-Z0-9_]+)=", written, re.MULTILINE))
    documented = (REPOSITORY / "docs/settings.md").read_text()
    later = {"PODJOBS_DELIVERY", "PODJOBS_SHARE"}  # of parts that are joined with this one
    assert len(named) > 8
    assert {name for name in named if f"`{name}`" not in documented} - later == set()
