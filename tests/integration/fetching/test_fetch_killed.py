"""Whoever fetches is killed at any moment, again and again: the file is whole in the end, and nothing else is left."""

import json
import random
import subprocess
import sys

import pytest

from podjobs.contract.jobs import EncodingJob, RemoteFile
from podjobs.contract.reply_to import Nobody
from podjobs.contract.steps import Step
from support.media_storages import STORAGES
from support.processes import environment_with

MIB = 1 << 20
SOURCE = "runner/job-1/source/a.mp4"
CONTENT = random.Random(7).randbytes(48 * MIB)
KEPT_MIB = 8
"""Of less than that, nothing is kept."""
PERFORM = """
import sys
from functions.encoding.main import build
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.steps import STEP_EVENT_TYPE
from podjobs.encoding.settings import EncodingSettings
from podjobs.logs import configure_logs
from podjobs.settings import load_settings

configure_logs("encoding", "WARNING")
function, _ = build(load_settings(EncodingSettings))
print("ready", flush=True)
print(function.handle(STEPS.read_request(STEP_EVENT_TYPE, sys.stdin.readline())).model_dump_json(), flush=True)
"""


class KilledFetcher:
    """Performs one step after another, each in a process of its own, of which most are killed."""

    def __init__(self, media, url, seed):
        self._environment = environment_with(
            media.environment | {"PODJOBS_FETCH_PRIVATE": '["127.0.0.0/8"]', "PODJOBS_FETCH_MAX_S": "3600"}
        )
        self._job = EncodingJob(
            id="job-1", target="runner:pod:1", reply_to=Nobody(), fetch=(RemoteFile(url=url, key=SOURCE),),
            source=SOURCE, output_folder="runner/job-1/result",
        )  # fmt: skip
        self._chance = random.Random(seed)
        self.kills = 0

    def perform(self, params, *, may_be_killed):
        """Perform a step. Returns the plan it replies with; None: it was killed, or failed."""
        step = Step(
            job=self._job, function="encoding", step_id="fetch", action="fetch", params=params, accepted_at=0,
            timeout_s=3,
        )  # fmt: skip
        argv = [sys.executable, "-c", PERFORM]
        with subprocess.Popen(
            argv,
            env=self._environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        ) as process:
            assert process.stdout
            assert process.stdout.readline() == "ready\n"
            try:
                after_s = self._chance.uniform(0, 3) if may_be_killed else 60
                said, _ = process.communicate(step.model_dump_json() + "\n", timeout=after_s)
            except subprocess.TimeoutExpired:
                process.kill()
                self.kills += 1
                return None
        return json.loads(said) if said else None


@pytest.mark.slow
@pytest.mark.parametrize("media", STORAGES, indirect=True)
def test_file_is_whole_however_often_its_fetcher_is_killed(web, media):
    url = web.put("/a.mp4", CONTENT, bytes_per_s=12 * MIB)
    fetcher, params = KilledFetcher(media, url, seed=0), {}
    for number in range(60):
        plan = fetcher.perform(params, may_be_killed=number < 12)
        if plan and plan["stages"][0]["name"] == "plan":
            break
        params = plan["stages"][0]["steps"][0]["params"] if plan else params
    else:
        raise AssertionError(f"It was not fetched: {web.starts}")
    with media.open().open(SOURCE) as file:
        assert file.read() == CONTENT
    assert fetcher.kills >= 3
    # what was kept was not fetched again
    assert max(web.starts) >= KEPT_MIB * MIB
    media.open().remove_work("job-1")
    assert {key for key in media.list_everything() if key.rpartition("/")[2].count(".") == 1} == {SOURCE}
    assert media.work_left() == set()
