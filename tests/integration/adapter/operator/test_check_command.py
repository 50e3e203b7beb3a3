"""The operator's command that asks every part how it is."""

import json
import re

import pytest
from aiohttp import web

from podjobs.contract.errors import Problem
from support.processes import wait_for
from support.serving import serving

ADVICE = "Media commands are not fully confined. What is missing: files: this kernel has no Landlock."


SECRET = 32 * "x"


@pytest.fixture
def function():
    """A function whose page says what the test wants, but only `ok` to those without its secret."""
    page = {"text": "ok\n", "status": 200}

    async def show(request):
        is_trusted = request.headers.get("Authorization") == f"Bearer {SECRET}"
        if "Authorization" in request.headers and not is_trusted:
            problem = Problem(title="Refused.", status=401, detail="The request carries another secret.")
            return web.Response(status=401, text=problem.model_dump_json())
        return web.Response(**page) if is_trusted else web.Response(text="ok\n")

    application = web.Application()
    application.router.add_get("/", show)
    with serving(application) as url:
        page["url"] = url
        yield page


@pytest.fixture
def check(environment, command, function):
    """Check an adapter whose functions both are this one. Returns the exit status, and each part's state."""
    url = function.pop("url")
    environment |= {"PODJOBS_FUNCTION_URL_ENCODING": url, "PODJOBS_FUNCTION_URL_NOTIFICATION": url}
    environment |= {"PODJOBS_HEALTH_PORT": "0", "PODJOBS_FUNCTION_SECRET": SECRET}

    def run():
        ended = command("check")
        assert "Traceback" not in ended.stderr
        return ended.returncode, ended.stdout

    return run


@pytest.fixture
def keeping(client):
    """The server, which writes down what it accepts."""
    client.config_set("appendonly", "yes")
    yield client
    client.config_set("appendonly", "no")


def test_check_everything_is_well(check, keeping):
    status, table = check()
    assert status == 0, table
    assert [line.split()[-1] for line in table.splitlines()[1:]] == ["ok", "ok", "ok"]
    for part in ("Redis: Pod's queues", "function encoding", "function notification"):
        assert part in table


def test_check_redis_that_may_drop_jobs_needs_an_operator(check, client):
    status, table = check()
    assert status == 0
    assert "ok; what it accepted last is lost if it crashes, for its appendonly is no" in table
    client.config_set("maxmemory-policy", "allkeys-lru")
    client.config_set("maxmemory", "1gb")
    try:
        status, table = check()
    finally:
        client.config_set("maxmemory", 0)
        client.config_set("maxmemory-policy", "noeviction")
    assert status == 1
    assert "may drop jobs when its memory is full: set its maxmemory-policy, allkeys-lru, to noeviction." in table


def test_check_advice_of_a_function_needs_an_operator(check, function):
    function["text"] = f"ok\n{ADVICE}\n"
    status, table = check()
    assert status == 1
    assert ADVICE in table
    assert SECRET not in table


@pytest.mark.parametrize(("code", "text"), [(503, "The function cannot start."), (200, "<h1>Welcome to nginx!</h1>")])
def test_check_page_of_something_else_needs_an_operator(check, function, code, text):
    function |= {"status": code, "text": text}
    status, table = check()
    assert status == 1
    assert f"answers with status {code}: {text}" in table


def test_check_function_that_is_not_there_is_named_with_its_setting(check, environment):
    environment["PODJOBS_FUNCTION_URL_ENCODING"] = "http://me:hunter2@127.0.0.1:1/"
    del environment["PODJOBS_FUNCTION_SECRET"]
    status, table = check()
    assert status == 1
    (line,) = [line for line in table.splitlines() if "function encoding" in line]
    assert "cannot be asked" in line
    assert line.rstrip().endswith("Start it, or correct PODJOBS_FUNCTION_URL_ENCODING.")
    assert "hunter2" not in table


def test_check_function_with_another_secret_needs_an_operator(check, environment):
    environment["PODJOBS_FUNCTION_SECRET"] = 32 * "y"
    status, table = check()
    assert status == 1
    assert "answers with status 401: The request carries another secret." in table


def test_check_function_with_a_secret_that_the_adapter_has_not_needs_an_operator(check, environment):
    """Its page says `ok` to everybody, but it will refuse every step."""
    del environment["PODJOBS_FUNCTION_SECRET"]
    status, table = check()
    assert status == 1
    assert "has a secret, and the adapter has none" in table


def test_check_redis_that_is_not_there_is_named_with_its_setting(check, environment):
    environment["PODJOBS_REDIS_URL"] = "redis://:hunter2@127.0.0.1:1/0"
    status, table = check()
    assert status == 1
    (line,) = [line for line in table.splitlines() if "Redis: jobs" in line]
    assert "does not answer" in line
    assert "correct PODJOBS_REDIS_URL" in line
    assert "hunter2" not in table


def test_check_adapter_that_runs_is_ready_and_one_that_does_not_is_said(check, environment, start):
    adapter = start()
    wait_for(lambda: adapter.get("readyz").is_success, 20)
    environment["PODJOBS_HEALTH_PORT"] = adapter.url.rpartition(":")[2]
    status, table = check()
    assert (status, [line.split() for line in table.splitlines() if "adapter" in line]) == (0, [["adapter", "ok"]])
    adapter.kill()
    status, table = check()
    assert status == 1
    assert "Start it, or correct PODJOBS_HEALTH_HOST and PODJOBS_HEALTH_PORT." in table


def test_check_settings_that_are_wrong_are_all_named(environment, command):
    environment["PODJOBS_FUNCTION_URL_ENCODING"] = "ftp://x"
    ended = command("check")
    assert ended.returncode == 2
    assert "PODJOBS_FUNCTION_URL_ENCODING" in ended.stderr


def test_check_function_without_rq_workers_names_the_command_that_starts_them(environment, command):
    environment["PODJOBS_FUNCTION_URL_ENCODING"] = "rq:encoding"
    ended = command("check")
    assert ended.returncode == 1
    assert "has no workers: its steps wait. Start them on a server: scripts/podjobs worker encoding." in ended.stdout


def test_check_says_which_secrets_were_read_and_what_the_environment_overrules(check, environment, tmp_path):
    file = tmp_path / "secret.json"
    file.write_text(json.dumps({"PODJOBS_FUNCTION_SECRET": SECRET, "PODJOBS_SHARE": 100}))
    del environment["PODJOBS_FUNCTION_SECRET"]
    environment |= {"PODJOBS_SECRETS": f"file://{file}", "PODJOBS_SHARE": "100"}
    status, table = check()
    assert status == 1
    (line,) = [line for line in table.splitlines() if f"secret file '{file}'" in line]
    assert re.search(r"  ok, of 20\d\d-\d\d-\d\d [\d:]{8} UTC, read 20\d\d-\d\d-\d\d [\d:]{8} UTC$", line.rstrip())
    (line,) = [line for line in table.splitlines() if line.split()[:1] == ["secrets"]]
    assert line.rstrip().endswith("Take them out of the environment. They are: PODJOBS_SHARE.")
    assert SECRET not in table
