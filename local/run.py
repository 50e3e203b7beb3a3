"""`scripts/run`: requests the encoding and transcription of one video as Pod would, and shows the result.

Or, of a recording of Pod's studio, its composition; then the encoding of what was composed.
"""

import json
import os
import posixpath
import shutil
import signal
import sys
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any, NoReturn

from aiohttp import web
from rich.console import Console

from local.client import Progress, StandInControl, request_encoding
from local.configuration import MODELS, Configuration, configure
from local.environments import AWS_PREFIXES
from local.following import follow
from local.lambda_service.emulator import emulator_binary
from local.media import fetch, fetch_file, fetch_to, place
from local.models import ModelError, installed_models
from local.object_store import server_binary
from local.page import Captions, application, listen, write_page
from local.pod import track_key
from local.ports import POD, RUNNER, choose_ports
from local.recording import NotTakenError, Recorded, compose
from local.report import duration_of, list_made_files, table_of
from local.runner_client import RunnerDemonstration, as_clock, import_result, list_by_kind
from local.sample import SampleError, make_sample
from local.stack import Stack, StackError, hold_state
from local.transports import DELIVERY, Transport
from podjobs.contract.errors import StepError
from podjobs.contract.job_states import JobState
from podjobs.settings import SettingsError

VIDEO_ID = 1
READY_S = 90.0
LOG_LINES_SHOWN = 15
RESULT, CAPTIONS = "result", "captions"
"""Where a client of the runner API puts what it has fetched."""
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
OF_A_REAL_STORAGE = (*AWS_PREFIXES, "PODJOBS_S3_")
"""How the names of settings begin that concern an installation's object storage."""


class RunError(Exception):
    """The demonstration cannot continue; the message says why and what to do."""


@dataclass(frozen=True)
class Demonstration:
    """What the person at the terminal wants."""

    video: Path | None
    """None: a sample is made, unless there is a recording."""
    cut: tuple[float, float]
    """Seconds; 0, 0: the whole video."""
    output: Path | None
    """None: demo/<name> in the current folder."""
    shows_page: bool
    language: str = ""
    """The language to transcribe it in; empty: not at all."""
    on_s3: bool = False
    """Whether the media are kept on an S3 server of its own, not in a folder."""
    transport: Transport = Transport.HTTP
    """How the adapter reaches the functions."""
    recording: Recorded | None = None
    """What is composed first."""
    through_runner: bool = False
    """Whether it is requested through the runner API, as Pod from 4.2 on does, and not by Celery messages."""

    @property
    def sources(self) -> tuple[Path, ...]:
        """The files that were named."""
        if self.recording:
            return self.recording.sources
        return (self.video,) if self.video else ()


@dataclass(frozen=True)
class Outcome:
    """The result of an encoding that succeeded."""

    title: str
    folder: Path
    """Where the files are."""
    took_s: float
    captions: Captions | None = None
    """Its captions, in the same folder; None: it was not transcribed, or nobody speaks in it."""
    composed: tuple[Path, ...] = ()
    """What was composed, and its log; empty: nothing."""


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
        if value and name not in OF_A_REAL_POD and not name.startswith(OF_A_REAL_STORAGE)
    }
    given[DELIVERY] = wanted.transport
    if not wanted.language:
        given.pop(MODELS, None)
    elif MODELS not in given:
        given[MODELS] = installed_models(wanted.language)
    return given


def _process(wanted: Demonstration, video: Path, output: Path, given: dict[str, str], console: Console) -> Outcome:
    """Start the stack, encode and transcribe the video, stop the stack."""
    media_dir = output / "media"
    media_dir.mkdir()
    state_dir = output / "stack"
    with hold_state(state_dir):
        ports = choose_ports({}, with_object_store=wanted.on_s3, with_runner=wanted.through_runner)
        client = RunnerDemonstration(ports[RUNNER]) if wanted.through_runner else None
        given = given | {"MEDIA_ROOT": str(media_dir)} | (client.settings if client else {})
        configuration = configure(state_dir, given, ports)
        with _running(configuration, output / "stack.log", console) as stack:
            if client:
                return _process_through_runner(client, wanted, video, stack, output, console)
            pod, started = StandInControl(ports[POD]), time.monotonic()
            if wanted.recording:
                return _process_recording(wanted.recording, stack, pod, output, console)
            source = place(video, configuration)
            pod.announce(VIDEO_ID, wanted.language)
            job_id = request_encoding(configuration.broker_url, VIDEO_ID, str(media_dir / source), wanted.cut)
            _expect_done(follow(stack, job_id, video.name, console), output)
            took_s = time.monotonic() - started
            if wanted.language:
                _follow_transcription(stack, pod, output, console)
            folder = fetch(configuration, posixpath.join(posixpath.dirname(source), f"{VIDEO_ID:04d}"), media_dir)
            captions = _take_captions(configuration, folder, wanted.language) if wanted.language else None
    return Outcome(video.name, folder, took_s, captions)


def _process_through_runner(  # noqa: PLR0913, PLR0917 - what `_process` has gathered
    client: RunnerDemonstration, wanted: Demonstration, video: Path, stack: Stack, output: Path, console: Console
) -> Outcome:
    """Encode and transcribe the video as Pod from 4.2 on has it done; the result is what the client has fetched."""
    folder, captions, (start_s, end_s) = output / RESULT, None, wanted.cut
    cut = {"cut": json.dumps({"start": as_clock(start_s), "end": as_clock(end_s)})} if start_s or end_s else {}

    def have_done(type_: str, source: Path, target: Path, name: str, **parameters: Any) -> None:
        task_id = client.request(type_, source, target, **parameters)
        _expect_done(follow(stack, task_id, name, console), output)
        if reason := client.outcome(task_id):
            raise RunError(reason)

    with client.serving():
        started = time.monotonic()
        have_done("encoding", video, folder, video.name, **cut)
        import_result(folder)
        took_s = time.monotonic() - started
        if wanted.language:
            sound = next(folder.glob("audio_*.mp3"), None)
            if sound is None:
                raise RunError("The video has no sound: there is nothing to transcribe. Run it without --transcribe.")
            have_done("transcription", sound, output / CAPTIONS, "captions", language=wanted.language)
            name = f"captions_{wanted.language}.vtt"
            for track in (output / CAPTIONS).glob("*.vtt"):
                shutil.copyfile(track, folder / name)
                captions = Captions(name, wanted.language)
    return Outcome(video.name, folder, took_s, captions)


def _process_recording(
    recording: Recorded, stack: Stack, pod: StandInControl, output: Path, console: Console
) -> Outcome:
    """Have a recording composed, and then encoded, which the stand-in requests once it has it, as Pod does."""
    configuration, started = stack.configuration, time.monotonic()

    def wait_for(job_id: str, name: str) -> None:
        _expect_done(follow(stack, job_id, name, console), output)

    media_dir = output / "media"
    composed = compose(recording, configuration, media_dir, pod, wait_for)
    wait_for(composed.encoding_job, "encoding")
    took_s = time.monotonic() - started
    folder = posixpath.join(posixpath.dirname(composed.key), f"{composed.video_id:04d}")
    made = tuple(media_dir / key for key in (composed.key, composed.log) if fetch_to(configuration, key, media_dir))
    title = " + ".join(source.name for source in recording.sources)
    return Outcome(title, fetch(configuration, folder, media_dir), took_s, composed=made)


def _follow_transcription(stack: Stack, pod: StandInControl, output: Path, console: Console) -> None:
    """Wait for the transcription, which the stand-in requested when it imported the video, as Pod does."""
    job_id = pod.transcription_of(VIDEO_ID)
    if not job_id:
        raise RunError("The video has no sound: there is nothing to transcribe. Run it without --transcribe.")
    _expect_done(follow(stack, job_id, "captions", console), output)


def _expect_done(end: Progress, output: Path) -> None:
    if end.state != JobState.DONE:
        raise RunError(f"The job ended as {end.state!r}. {end.error or f'{output}/stack.log says more.'}")


def _take_captions(configuration: Configuration, folder: Path, language: str) -> Captions | None:
    """Copy the track that the stand-in for Pod received to the media; None if nobody speaks in the video."""
    captions = Captions(f"captions_{language}.vtt", language)
    return captions if fetch_file(configuration, track_key(VIDEO_ID), folder / captions.file) else None


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
