"""The operator's command that examines everything: how it is called, what it prints, how it ends."""

import json
import re
import socket
import time

import pytest

from support.processes import wait_for

SECRET = 32 * "x"
BUSY_S = 4
"""What a busy machine may take longer to start and end a command, which is given 2.5 s in any case."""


@pytest.fixture
def checked(environment, command):
    """Check with settings as they are then. Returns the exit status, and what was printed."""
    environment |= {"PODJOBS_HEALTH_PORT": "0", "PODJOBS_FUNCTION_SECRET": SECRET}

    def run(*options):
        ended = command("check", *options)
        assert "Traceback" not in ended.stderr
        return ended.returncode, ended.stdout

    return run


def test_check_lists_what_was_found_by_subject(checked):
    status, table = checked()
    assert status == 1
    subjects = [line.strip() for line in table.splitlines()[1:] if not line.startswith("  ")]
    assert subjects == ["settings", "Redis", "queues", "adapters", "dead letters", "functions", "clocks"]
    (line,) = [line for line in table.splitlines() if line.startswith("  encoding ") and "reached" in line]
    assert line.split()[1] == "fault"
    assert line.rstrip().endswith("Start it, or correct PODJOBS_FUNCTION_URL_ENCODING.")


def test_check_as_json_says_whether_an_operator_is_needed(checked, environment):
    environment["PODJOBS_FUNCTION_URL_ENCODING"] = "http://me:hunter2@127.0.0.1:1/"
    del environment["PODJOBS_FUNCTION_SECRET"]
    status, text = checked("--json")
    said = json.loads(text)
    assert (status, said["needs_operator"]) == (1, True)
    assert {"subject", "part", "verdict", "said"} == set(said["findings"][0])
    assert "hunter2" not in text


def test_check_of_a_broker_that_never_answers_ends_in_time(checked, environment):
    with socket.create_server(("127.0.0.1", 0)) as listener:
        environment["ENCODING_TRANSCODING_CELERY_BROKER_URL"] = f"redis://127.0.0.1:{listener.getsockname()[1]}/0"
        began_s = time.monotonic()
        status, table = checked()
        assert time.monotonic() - began_s < 5 + BUSY_S
    assert status == 1
    assert "See whether its server runs and can be reached from here." in table


def test_check_settings_that_are_wrong_are_all_named(environment, command):
    environment |= {"PODJOBS_FUNCTION_URL_ENCODING": "ftp://x", "MEDIA_ROOT": "media", "PODJOBS_SHARE": "200"}
    ended = command("check")
    assert ended.returncode == 2
    for name in ("PODJOBS_FUNCTION_URL_ENCODING", "MEDIA_ROOT", "PODJOBS_SHARE"):
        assert f"  {name}: " in ended.stderr


def test_check_says_which_secrets_were_read_and_what_the_environment_overrules(checked, environment, tmp_path):
    file = tmp_path / "secret.json"
    file.write_text(json.dumps({"PODJOBS_FUNCTION_SECRET": SECRET, "PODJOBS_SHARE": 100}))
    del environment["PODJOBS_FUNCTION_SECRET"]
    environment |= {"PODJOBS_SECRETS": f"file://{file}", "PODJOBS_SHARE": "100"}
    status, table = checked()
    assert status == 1
    (line,) = [line for line in table.splitlines() if f"secret file '{file}'" in line]
    assert re.search(r" ok +of 20\d\d-\d\d-\d\d [\d:]{8} UTC, read 20\d\d-\d\d-\d\d [\d:]{8} UTC$", line.rstrip())
    (line,) = [line for line in table.splitlines() if line.split()[:1] == ["secrets"]]
    assert line.rstrip().endswith("Take them out of the environment. They are: PODJOBS_SHARE.")
    assert SECRET not in table


def test_check_adapter_of_this_machine_is_asked_whether_it_is_ready(checked, environment, start):
    adapter = start()
    wait_for(lambda: adapter.get("readyz").is_success, 20)
    environment["PODJOBS_HEALTH_PORT"] = adapter.url.rpartition(":")[2]
    _, table = checked()
    adapters = table[table.index("adapters") : table.index("dead letters")]
    assert "It reads encoding" in adapters
    assert "It is ready." in adapters
    assert "The Celery worker" not in table  # as which adapters answer, too
    assert "fault" not in adapters
