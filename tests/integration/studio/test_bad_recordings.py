"""Recordings that cannot be composed are refused by name, in the job and in the log file that Pod is told of."""

import pytest

from support.media_storages import POD_ROOT
from support.studio_sources import CAMERA, SCREEN, break_off, record, record_nothing
from support.studio_workbench import FOLDER


def spoil(kind, takes, folder):
    """A recording that is not one."""
    file = folder / "spoilt.webm"
    if kind == "empty":
        file.write_bytes(b"")
    elif kind == "broken off":
        break_off(record(takes, CAMERA), file)
    elif kind == "text":
        file.write_text("<html>502 Bad Gateway</html>\n" * 100)
    elif kind == "no packets":
        record_nothing(folder).rename(file)
    return file


@pytest.mark.parametrize("place", ["presentation", pytest.param("presenter", marks=pytest.mark.slow)])
@pytest.mark.parametrize("kind", ["missing", "empty", "broken off", "text", "no packets"])
def test_compose_bad_source_is_named(takes, workbench, place, kind):
    good = record(takes, SCREEN)
    sources = {"presentation": good, "presenter": good} | {place: spoil(kind, takes, workbench.folder)}
    error = workbench.fail(**sources, layout="pipb")
    assert f"{POD_ROOT}/{FOLDER}/spoilt.webm" in error.detail
    assert error.detail in workbench.log
    assert not list(workbench.folder.glob("*.mp4"))
    assert not list((workbench.root / "work").glob("*"))


def test_compose_nothing_at_all_is_refused(workbench):
    error = workbench.fail(layout="mid")
    assert error.detail in workbench.log


def test_compose_cut_that_leaves_nothing_is_refused(takes, workbench):
    error = workbench.fail(record(takes, SCREEN), record(takes, CAMERA), layout="mid", cut={"start_s": 60, "end_s": 70})
    assert "60" in error.detail
    assert error.detail in workbench.log
