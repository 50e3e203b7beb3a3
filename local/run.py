"""`scripts/run`: requests the encoding and transcription of one video as Pod would, and shows the result.

Or, of a recording of Pod's studio, its composition; then the encoding of what was composed.
"""

import json
import os
import shutil
import signal
import sys
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from aiohttp import web
from rich.console import Console

from local.celery_way import process_recording, process_video
from local.configuration import MODELS, Configuration, configure
from local.demonstration import Demonstration, Outcome, Place, RunError
from local.environments import AWS_PREFIXES
from local.lambda_service.emulator import emulator_binary
from local.models import ModelError, installed_models
from local.object_store import server_binary
from local.page import application, listen, write_page
from local.ports import RUNNER, choose_ports
from local.recording import NotTakenError
from local.report import duration_of, list_made_files, table_of
from local.runner_client import RunnerDemonstration, list_by_kind
from local.runner_way import CAPTIONS, RESULT, process_over_http
from local.sample import SampleError, make_sample
from local.stack import Stack, StackError, hold_state
from local.transports import DELIVERY, Transport
from podjobs.contract.errors import StepError
from podjobs.settings import SettingsError

READY_S = 90.0
LOG_LINES_SHOWN = 15
MARKER = ".made-by-pod-functions"
"""Marks a folder that may be emptied: we made everything in it."""
EXIT_FAILURE, EXIT_USAGE, EXIT_INTERRUPTED = 1, 2, 130
OF_A_REAL_POD = (
    "ENCODING_TRANSCODING_CELERY_BROKER_URL",
    "PODJOBS_REDIS_URL",
    "PODJOBS_RQ_URL",
    "PODJOBS_SETTINGS_FILE",
    "POD_API_URL",
    "POD_API_TOKEN",
    "POD_MEDIA_URL",
    "MEDIA_URL",
    "XAPI_LRS_URL",
    "XAPI_CELERY_BROKER_URL",
)
"""Settings that would let a demonstration touch a real Pod."""
OF_AN_INSTALLATION = (*AWS_PREFIXES, "PODJOBS_S3_", "PODJOBS_RUNNER_", "PODJOBS_FETCH_")
"""How the names of settings begin that concern an installation's object storage, or its clients."""


def run(wanted: Demonstration) -> int:
    """Encode one video and show the result.

    Returns:
        The exit status.
    """
    console = Console(highlight=False)
    signal.signal(signal.SIGTERM, _interrupt)
    try:
        given = _settings_of(wanted)
        video, output = _prepare(wanted, console)
        outcome = _process(wanted, video, output, given, console)
        summary = _report(outcome, console)
        if wanted.shows_page:
            _serve_page(outcome, summary, console)
    except (RunError, ModelError, NotTakenError, SampleError, StackError, StepError, OSError) as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return EXIT_FAILURE
    except SettingsError as error:
        Console(stderr=True).print(str(error), style="red", markup=False, highlight=False, soft_wrap=True)
        return EXIT_USAGE
    except KeyboardInterrupt:
        console.print("Stopped.")
        return EXIT_INTERRUPTED
    return 0


def _interrupt(_signal: int, _frame: FrameType | None) -> NoReturn:
    raise KeyboardInterrupt


def _prepare(wanted: Demonstration, console: Console) -> tuple[Path, Path]:
    """Check the videos, or make one, and empty the output folder. Returns the first video and that folder."""
    if wanted.on_s3 and not server_binary().exists():
        raise RunError("The S3 server is not installed. Run scripts/setup --s3, or leave --s3 out.")
    if wanted.transport is Transport.LAMBDA and not emulator_binary().exists():
        raise RunError("Lambda's emulator is not installed. Run scripts/setup --lambda, or choose another --delivery.")
    start, end = wanted.cut
    if (start or end) and not 0 <= start < end:
        raise RunError(f"A cut from {start:g} s to {end:g} s leaves nothing. Give a start that is less than the end.")
    video = wanted.sources[0] if wanted.sources else None
    output = (wanted.output or Path("demo") / (video.stem if video else "sample")).resolve()
    _check_sources(wanted, output)
    if output.exists() and not (output / MARKER).exists() and (not output.is_dir() or any(output.iterdir())):
        raise RunError(f"{str(output)!r} holds something else. Name an empty or new folder with --output.")
    with hold_state(output / "stack"):
        for old in ("media", RESULT, CAPTIONS, "stack/redis", "stack/objects", "stack.log"):
            path = output / old
            shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    (output / MARKER).touch()
    if not video:
        video = output / "sample.mp4"
        if not video.exists():
            with console.status("Making a sample video …"):
                make_sample(video)
    return video, output


def _check_sources(wanted: Demonstration, output: Path) -> None:
    """Raise RunError unless all that was named can be read, and stays when the output folder is emptied."""
    for named in wanted.sources:
        if not named.is_file():
            what = "is not a regular file" if named.exists() else "does not exist"
            raise RunError(f"The video {str(named)!r} {what}. Name a video file, or none to use a sample.")
        if output in named.resolve().parents:
            raise RunError(f"The video is in the output folder {str(output)!r}. Name another folder with --output.")


def _settings_of(wanted: Demonstration) -> dict[str, str]:
    """The environment, without what would touch a real Pod, and with a model only if one is needed."""
    given = {
        name: value
        for name, value in os.environ.items()
        if value and name not in OF_A_REAL_POD and not name.startswith(OF_AN_INSTALLATION)
    }
    given[DELIVERY] = wanted.transport
    if not wanted.language:
        given.pop(MODELS, None)
    elif MODELS not in given:
        given[MODELS] = installed_models(wanted.language)
    return given


def _process(wanted: Demonstration, video: Path, output: Path, given: dict[str, str], console: Console) -> Outcome:
    """Start the stack, have everything done, stop the stack."""
    media_dir = output / "media"
    media_dir.mkdir()
    state_dir = output / "stack"
    with hold_state(state_dir):
        ports = choose_ports({}, with_object_store=wanted.on_s3, with_runner=wanted.through_runner)
        client = RunnerDemonstration(ports[RUNNER]) if wanted.through_runner else None
        given = given | {"MEDIA_ROOT": str(media_dir)} | (client.settings if client else {})
        configuration = configure(state_dir, given, ports)
        with _running(configuration, output / "stack.log", console) as stack:
            place = Place(stack, output, console)
            if client:
                return process_over_http(client, wanted, video, place)
            return (
                process_recording(wanted.recording, place) if wanted.recording else process_video(wanted, video, place)
            )


@contextmanager
def _running(configuration: Configuration, log: Path, console: Console) -> Iterator[Stack]:
    with log.open("w", buffering=1, encoding="utf-8") as log_file:
        stack = Stack(configuration, lambda line: print(line.decode("utf-8", "replace"), end="", file=log_file))
        try:
            with console.status("Starting Redis, the functions and the adapter …"):
                stack.start()
                stack.wait_until_ready(READY_S)
            yield stack
        except StackError as error:
            tail = log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:]
            raise StackError("\n".join([str(error), f"The end of {log}:", *tail])) from error
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # an impatient second Ctrl-C must not leave anything behind
            stack.stop()
            signal.signal(signal.SIGINT, signal.default_int_handler)


def _report(outcome: Outcome, console: Console) -> str:
    """Print the table and the speed.

    Returns:
        The line about the speed.
    """
    info = _read_info(outcome)
    console.print(table_of(list_made_files(outcome.folder)))
    duration_s = _encoded_s(outcome, info)
    what = "composed and encoded" if outcome.composed else "encoded"
    summary = (
        f"{duration_s:.1f} s of video {what} in {outcome.took_s:.1f} s: {duration_s / outcome.took_s:.2f} × real time."
    )
    console.print(summary)
    for path in outcome.composed:
        what = "How it was composed" if path.suffix == ".log" else "The composed recording"
        console.print(f"{what}: {path}", soft_wrap=True, markup=False)
    if outcome.captions:
        console.print(f"Captions: {outcome.captions.file}", markup=False)
    console.print(f"The files are in {outcome.folder}", soft_wrap=True, markup=False)
    return summary


def _read_info(outcome: Outcome) -> dict[str, Any]:
    return list_by_kind(json.loads((outcome.folder / "info_video.json").read_text(encoding="utf-8")))


def _encoded_s(outcome: Outcome, info: dict[str, Any]) -> float:
    """Length of the result; info_video.json only has whole seconds."""
    for path in (*info["list_mp4_files"].values(), *info["list_m4a_files"].values()):
        if duration_s := duration_of(outcome.folder / Path(path).name):
            return duration_s
    return float(info["duration"])


def _serve_page(outcome: Outcome, summary: str, console: Console) -> None:
    """Serve the player until Ctrl-C."""
    page = write_page(outcome.title, _read_info(outcome), summary, outcome.captions)
    with listen() as sock:
        sock.listen()
        url = f"http://127.0.0.1:{sock.getsockname()[1]}/"
        console.print(f"Watch it at {url} (Ctrl-C stops this).")
        if os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY") or sys.platform == "darwin":
            webbrowser.open(url)
        web.run_app(application(page, outcome.folder), sock=sock, print=None, access_log=None, shutdown_timeout=1)
