"""A deployable is made when an entry point is asked for by its name, and not before."""

import logging

import flask
import pytest
import structlog
from werkzeug.test import EnvironBuilder

from podjobs.contract.message_contracts import STEPS
from podjobs.contract.plans import Result
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.settings import EndpointSettings


class NeedySettings(EndpointSettings):
    media_root: str


class Idle:
    def handle(self, _step):
        return Result()


@pytest.fixture(autouse=True)
def logs():
    """The logs' configuration belongs to the whole process, which has other tests to run."""
    root, ours = logging.getLogger(), structlog.get_config()
    handlers, level = root.handlers, root.level
    root.setLevel("CRITICAL")
    yield root
    root.handlers = handlers
    root.setLevel(level)
    structlog.configure(**ours)


@pytest.fixture
def built():
    return []


@pytest.fixture
def entry_point(built):
    def build(settings):
        built.append(settings.media_root)
        return Idle(), 1

    return entry_points(FunctionDefinition("idle", STEPS, NeedySettings, build))


def test_entry_point_is_made_once_when_it_is_first_asked_for(entry_point, built, logs, monkeypatch):
    assert (built, logs.level) == ([], logging.CRITICAL)
    monkeypatch.setenv("MEDIA_ROOT", "/media")
    monkeypatch.setenv("PODJOBS_LOG_LEVEL", "ERROR")
    handle = entry_point("handle")
    assert entry_point("handle") is handle
    assert (built, logs.level) == (["/media"], logging.ERROR)


def test_entry_point_of_another_name_is_an_attribute_the_module_lacks(entry_point, built):
    with pytest.raises(AttributeError, match="'idle' has no entry point '__path__'"):
        entry_point("__path__")
    assert built == []


def test_entry_point_wrong_settings_end_the_process_with_all_faults(entry_point, built, monkeypatch):
    monkeypatch.delenv("MEDIA_ROOT", raising=False)
    monkeypatch.setenv("PODJOBS_LOG_LEVEL", "LOUD")
    with pytest.raises(SystemExit) as ended:
        entry_point("handle")
    assert str(ended.value).startswith("The function 'idle' cannot start.")
    assert "MEDIA_ROOT" in str(ended.value)
    assert "PODJOBS_LOG_LEVEL" in str(ended.value)
    assert built == []


def test_entry_point_fault_while_it_is_made_is_not_taken_for_a_missing_attribute(monkeypatch):
    def build(_settings):
        return None.nothing

    monkeypatch.setenv("MEDIA_ROOT", "/media")
    with pytest.raises(RuntimeError, match="'idle' cannot start: 'NoneType' object has no attribute 'nothing'"):
        entry_points(FunctionDefinition("idle", STEPS, NeedySettings, build))("handle")


def test_entry_point_that_an_operator_should_look_at_says_so_when_asked_for_its_health(monkeypatch, logs, capsys):
    """It works all the same."""
    monkeypatch.setenv("MEDIA_ROOT", "/media")
    monkeypatch.setenv("PODJOBS_FUNCTION_SECRET", "s3cret-s3cret-s3cret")

    def check(settings):
        return f"Give the user access to {settings.media_root}."

    definition = FunctionDefinition("idle", STEPS, NeedySettings, lambda _settings: (Idle(), 1), check)
    handle = entry_points(definition)("handle")
    response = handle(
        flask.Request(EnvironBuilder(headers={"Authorization": "Bearer s3cret-s3cret-s3cret"}).get_environ())
    )
    assert (response.status_code, response.get_data(as_text=True)) == (200, "ok\nGive the user access to /media.\n")
    assert "Give the user access to /media." in capsys.readouterr().err
