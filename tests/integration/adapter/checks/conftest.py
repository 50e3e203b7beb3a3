"""Real functions, well and with faults, for a Pod and an LRS that do what a test says; and an adapter that lives."""

import asyncio
import json
from types import SimpleNamespace

import pytest
from aiohttp import web

from adapter.checks.examination import examine
from adapter.redis.connections import open_redis
from adapter.redis.heartbeat import Heartbeat
from adapter.redis.streams import Streams
from adapter.settings import adapter_settings
from local.secret_settings import as_environment
from podjobs.contract.examinations import Verdict
from podjobs.settings import load_settings
from support.fault_lrs import FaultLrs
from support.parts import adapter_settings as basic_settings
from support.parts import running_functions
from support.processes import environment_with
from support.scripted_pod import ScriptedPod
from support.serving import serving

SECRET = "s3cret-s3cret-s3cret"  # noqa: S105 - made for these tests
TOKEN = "t0ken-of-a-staff-user"  # noqa: S105 - likewise
LOGIN, PASSWORD = "writer", "wr1ter"
RENDITIONS = [{"resolution": f"{width}x{height}"} for width, height in ((640, 360), (1280, 720), (1920, 1080))]
WELL = {
    "/rest/renditions/": (200, json.dumps(RENDITIONS)),
    "/rest/store_remote_transcripted_video/": (405, '{"detail": "Method GET is not allowed."}'),
}
LIMIT_S = 4.0


@pytest.fixture(scope="session")
def pod():
    with ScriptedPod() as scripted:
        yield scripted


@pytest.fixture(scope="session")
def lrs():
    store = FaultLrs()
    yield store
    store.close()


@pytest.fixture(scope="session")
def media_root(tmp_path_factory):
    """Pod's media root, and where Pod's web server shows it."""
    root = tmp_path_factory.mktemp("media")
    (root / "videos" / "abc").mkdir(parents=True)
    (root / "videos" / "abc" / "lecture.mp4").write_bytes(b"upload")
    application = web.Application()
    application.router.add_static("/media", root)
    with serving(application) as url:
        yield SimpleNamespace(folder=root, url=f"{url}/media")


@pytest.fixture(scope="session")
def function_settings(pod, lrs, media_root):
    """What functions need to be well."""
    return {
        "MEDIA_ROOT": str(media_root.folder),
        "POD_API_URL": pod.url,
        "POD_API_TOKEN": TOKEN,
        "POD_MEDIA_URL": media_root.url,
        "XAPI_LRS_URL": lrs.url,
        "XAPI_LRS_LOGIN": LOGIN,
        "XAPI_LRS_PWD": PASSWORD,
        "PODJOBS_FUNCTION_SECRET": SECRET,
        "PODJOBS_DISK_FREE_GB": "0.001",
        "THREADS": "8",
    }


@pytest.fixture(scope="session")
def functions(function_settings, tmp_path_factory):
    """Functions that are well. Returns their programs by name."""
    given = dict.fromkeys(("encoding", "notification", "xapi"), function_settings)
    with running_functions(given, tmp_path_factory.mktemp("functions")) as programs:
        yield programs


@pytest.fixture
def urls(functions):
    """The settings that name the functions."""
    return {f"PODJOBS_FUNCTION_URL_{name.upper()}": program.page for name, program in functions.items()}


@pytest.fixture
def well(pod, lrs):
    """Pod and the LRS are well, whatever a test before has said."""
    pod.pages, pod.headers, pod.lead_s, pod.hang_s = dict(WELL), {}, 0.0, 0.0
    lrs.answers.clear()
    lrs.judge = lambda _: None


@pytest.fixture
def settings(redis_url, media_root, well):
    """The adapter's; a test may change them. Its functions are nowhere, unless `urls` are added."""
    given = {"MEDIA_ROOT": str(media_root.folder), "PODJOBS_FUNCTION_SECRET": SECRET, "PODJOBS_HEALTH_PORT": "0"}
    return basic_settings(redis_url) | given


@pytest.fixture
def adapter_lives(redis_url):
    """An adapter's heart has just beaten."""

    async def beat():
        client = open_redis(redis_url, text=True)
        heartbeat = Heartbeat(client, Streams(client, "adapter-1"), (), 15)
        heartbeat.about.queues = ["encoding"]
        await heartbeat.beat()
        await client.aclose()

    asyncio.run(beat())


@pytest.fixture
def look(settings):
    """Examine everything, with settings as they are then. Returns what was found, as lines `subject/part: said`."""

    def run(limit_s=LIMIT_S, verdict=Verdict.FAULT):
        with as_environment(environment_with(settings)):
            loaded = load_settings(adapter_settings())
        loop = asyncio.new_event_loop()
        found = loop.run_until_complete(examine(loaded, limit_s))
        loop.close()
        return [f"{one.subject}/{one.part}: {one.said}" for one in found if one.verdict is verdict]

    return run
