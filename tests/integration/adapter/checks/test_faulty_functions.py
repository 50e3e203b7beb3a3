"""Functions that were started with faults: each has several, and each of these is said by a sentence of its own."""

import asyncio
import os

import pytest
from aiohttp import web

from podjobs.contract.examinations import Verdict
from support.certificates import own_certificate
from support.parts import NOWHERE, new_function, running_functions
from support.processes import REPOSITORY
from support.scripted_pod import ScriptedPod
from support.serving import serving
from support.shifted_clock import OBSTACLE, ShiftedClock

pytestmark = pytest.mark.slow

FFMPEG = """#!/bin/sh
case "$*" in
  *-encoders*) echo " V....D h264_other  An encoder"; exit 0;;
  *-decoders*) echo " V....D h264  A decoder"; exit 0;;
  *) echo "ffmpeg version 7.1 made for a test";;
esac
"""


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    return own_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture(scope="module")
def faulty(function_settings, certificate, tmp_path_factory):
    """Functions with faults. Returns their programs by name."""
    folder = tmp_path_factory.mktemp("faulty")
    (folder / "other").mkdir()
    ffmpeg = folder / "ffmpeg"
    ffmpeg.write_text(FFMPEG)
    ffmpeg.chmod(0o755)
    clock = None if OBSTACLE else ShiftedClock.made_in(folder)
    if clock:
        clock.set_by(45)
    shown = web.Application()
    shown.router.add_static("/media", folder / "other")
    with ScriptedPod() as pod, serving(shown) as other:
        pod.use_tls(*certificate)
        changes = {
            "encoding": {
                "MEDIA_URL": f"file://{folder / 'other'}",
                "FFMPEG_CMD": str(ffmpeg),
                "FFPROBE_CMD": "no-such-ffprobe",
                "PODJOBS_SANDBOX": "off",
                "PODJOBS_DISK_FREE_GB": "1000000",
                **(clock.settings if clock else {}),
            },
            "notification": {"POD_API_URL": pod.url, "POD_MEDIA_URL": f"{other}/media"},
        }
        given = {name: function_settings | change for name, change in changes.items()}
        given["encoding"].pop("PODJOBS_FUNCTION_SECRET")
        with running_functions(given, folder) as programs:
            yield programs


@pytest.fixture
def lines(faulty, settings, look, adapter_lives):
    settings |= {f"PODJOBS_FUNCTION_URL_{name.upper()}": program.page for name, program in faulty.items()}
    return look()


@pytest.mark.parametrize(
    ("subject", "said"),
    [
        ("tools/encoding: ffmpeg", "lacks the encoders libx264, aac, libmp3lame, png, webvtt. Install an ffmpeg that"),
        ("tools/encoding: ffprobe", "FFPROBE_CMD: the command 'no-such-ffprobe' is not found. Install it, or name its"),
        ("tools/encoding: sandbox", "Media commands are not confined: PODJOBS_SANDBOX is off. Set it to auto or"),
        ("media/encoding: disk of the media root", "Make room, or lower PODJOBS_DISK_FREE_GB, 1e+06."),
        ("media/mounts", "Mount Pod's media folder there, or correct MEDIA_URL there."),
        ("functions/encoding: secret", "PODJOBS_FUNCTION_SECRET is not set: whoever reaches this function"),
        ("Pod/notification: REST interface", "Name the file of its authority in SSL_CERT_FILE, or give Pod a"),
        ("Pod/notification: view of the media", "MEDIA_URL must name the same folder as Pod's MEDIA_ROOT, and POD_"),
        pytest.param(
            "clocks/the function encoding",
            "The clock of the function encoding is 45 s ahead of that of Redis",
            marks=pytest.mark.skipif(bool(OBSTACLE), reason=OBSTACLE),
        ),
    ],
)
def test_fault_of_a_function_is_said(lines, subject, said):
    found = [line for line in lines if line.startswith(f"{subject}: ")]
    assert len(found) == 1, lines
    assert said in found[0]


def test_media_root_that_is_not_there_is_said(function_settings, settings, look, adapter_lives, tmp_path):
    missing = {"MEDIA_URL": f"file://{tmp_path}/nowhere", "XAPI_LRS_URL": NOWHERE}
    with running_functions({"encoding": function_settings | missing}, tmp_path) as programs:
        settings["PODJOBS_FUNCTION_URL_ENCODING"] = programs["encoding"].page
        lines = [line for line in look() if line.startswith("media/encoding: media root")]
    assert lines == [
        f"media/encoding: media root: The media root '{tmp_path}/nowhere' is not there. Mount it, or correct MEDIA_URL."
    ]


@pytest.mark.skipif(bool(os.geteuid()), reason="only root may become another user")
def test_media_root_in_which_pod_could_not_delete_is_said(function_settings, settings, look, adapter_lives, tmp_path):
    root = tmp_path / "media"
    root.mkdir(mode=0o755)
    os.chown(root, 1233, 1233)
    tmp_path.chmod(0o755)
    main = REPOSITORY / "functions" / "encoding" / "main.py"
    given = function_settings | {"MEDIA_URL": f"file://{root}", "HOME": str(tmp_path)}
    program = new_function("encoding", main, given, tmp_path)
    # a user without rights of its own, but for what this process can read
    program.argv = ["setpriv", "--bounding-set=-dac_override,-chown,-fowner", "--inh-caps=-all", *program.argv]
    program.start()
    try:
        settings["PODJOBS_FUNCTION_URL_ENCODING"] = program.wait().page
        (line,) = [line for line in look() if line.startswith("media/encoding: media root")]
    finally:
        program.kill()
    assert "cannot write into the media root" in line
    assert "Give the user access to it, or run this as a user who has access." in line


def test_speech_model_that_is_missing_is_said(function_settings, settings, look, adapter_lives, tmp_path):
    models = {"TRANSCRIPTION_MODEL_PARAM": f'{{"WHISPER": {{"fr": {{"model": "{tmp_path}/nowhere"}}}}}}'}
    with running_functions({"transcription": function_settings | models}, tmp_path) as programs:
        settings["PODJOBS_FUNCTION_URL_TRANSCRIPTION"] = programs["transcription"].page
        (line,) = [line for line in look(20) if line.startswith("functions/transcription: speech models")]
    assert f"TRANSCRIPTION_MODEL_PARAM names the folder '{tmp_path}/nowhere', which does not exist." in line


def test_function_that_hangs_is_said_in_time_and_all_else_is_known(faulty, settings, look, adapter_lives):
    silent = web.Application()

    async def hang(request):
        await request.read()
        await request.app["ended"].wait()

    silent["ended"] = asyncio.Event()
    silent.router.add_post("/", hang)
    with serving(silent) as url:
        settings |= {"PODJOBS_FUNCTION_URL_ENCODING": url, "PODJOBS_FUNCTION_URL_NOTIFICATION": NOWHERE}
        lines = look(1.5)
        well = look(1.5, Verdict.OK)
    (line,) = [line for line in lines if line.startswith("functions/encoding")]
    assert line.startswith(
        "functions/encoding: It does not answer within 1.5 s. If it is scaled to zero and starts first,"
    )
    (line,) = [line for line in lines if line.startswith("functions/notification")]
    assert "cannot be reached" in line
    assert line.endswith("Start it, or correct PODJOBS_FUNCTION_URL_NOTIFICATION.")
    assert any(line.startswith("adapters/") for line in well)


def test_something_else_at_the_address_of_a_function_is_said(settings, look, adapter_lives):
    async def welcome(_request):
        return web.Response(text="<h1>Welcome to nginx!</h1>")

    page = web.Application()
    page.router.add_get("/", welcome)
    with serving(page) as url:
        settings["PODJOBS_FUNCTION_URL_ENCODING"] = url
        (line,) = [line for line in look() if line.startswith("functions/encoding")]
    assert line.startswith("functions/encoding: The function answered with status 405")
    assert line.endswith("It is not deployed (yet), or PODJOBS_FUNCTION_URL_ENCODING is wrong.")
