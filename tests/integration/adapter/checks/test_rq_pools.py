"""Functions that are RQ workers: their servers tell how they are."""

import pytest

from podjobs.contract.examinations import Verdict
from support.parts import new_worker_pool
from support.processes import REPOSITORY


def test_function_without_workers_is_said_with_the_command_that_starts_them(settings, look, adapter_lives):
    settings["PODJOBS_FUNCTION_URL_ENCODING"] = "rq:encoding"
    (line,) = [line for line in look() if line.startswith("functions/encoding")]
    assert line.startswith("functions/encoding: It has no workers: its steps wait. ")
    assert line.endswith("Start them on a server: scripts/podjobs worker encoding.")


@pytest.mark.slow
def test_servers_of_workers_examine_their_function_when_asked(
    function_settings, settings, look, adapter_lives, redis_url, tmp_path, lrs
):
    main = REPOSITORY / "functions" / "xapi" / "main.py"
    pool = new_worker_pool("xapi", main, function_settings, tmp_path, redis_url, 1)
    pool.start()
    try:
        pool.wait()
        settings["PODJOBS_FUNCTION_URL_XAPI"] = "rq:xapi"
        well = look(30, Verdict.OK)
        assert "functions/xapi: It has 1 worker." in well
        assert any(line.startswith("LRS/xapi at ") for line in well), well
        lrs.answers.append(401)
        (line,) = [line for line in look(30) if line.startswith("LRS/")]
        assert "XAPI_LRS_LOGIN or XAPI_LRS_PWD is wrong; correct it." in line
        assert function_settings["XAPI_LRS_PWD"] not in line
    finally:
        assert pool.stop() == 0
