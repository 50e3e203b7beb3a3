"""A demonstration through the runner API, as Pod from 4.2 on has its work done: nothing is shared but HTTP."""

import json
import shutil
import time
from pathlib import Path
from typing import Any

from local.demonstration import NO_SOUND, Demonstration, Outcome, Place, RunError
from local.page import Captions
from local.runner_client import RunnerDemonstration, as_clock, import_result

RESULT, CAPTIONS = "result", "captions"
"""Where the client puts what it has fetched."""


def process_over_http(client: RunnerDemonstration, wanted: Demonstration, video: Path, at: Place) -> Outcome:
    """Encode a video, and transcribe it if that is wanted; the result is what the client has fetched.

    Args:
        client: whose settings the stack has.
        wanted: what.
        video: the file.
        at: where; the stack runs.

    Raises:
        RunError: a job has failed, or its result did not arrive.
    """
    folder, captions = at.output / RESULT, None

    def have_done(type_: str, source: Path, target: Path, name: str, **parameters: Any) -> None:
        task_id = client.request(type_, source, target, **parameters)
        at.wait_for(task_id, name)
        if reason := client.outcome(task_id):
            raise RunError(reason)

    with client.serving():
        started = time.monotonic()
        have_done("encoding", video, folder, video.name, **_cut(wanted))
        import_result(folder)
        took_s = time.monotonic() - started
        if wanted.language:
            sound = next(folder.glob("audio_*.mp3"), None)
            if sound is None:
                raise RunError(NO_SOUND)
            have_done("transcription", sound, at.output / CAPTIONS, "captions", language=wanted.language)
            name = f"captions_{wanted.language}.vtt"
            for track in (at.output / CAPTIONS).glob("*.vtt"):
                shutil.copyfile(track, folder / name)
                captions = Captions(name, wanted.language)
    return Outcome(video.name, folder, took_s, captions)


def _cut(wanted: Demonstration) -> dict[str, str]:
    """The parameter of a cut, as Pod writes it."""
    start_s, end_s = wanted.cut
    return {"cut": json.dumps({"start": as_clock(start_s), "end": as_clock(end_s)})} if start_s or end_s else {}
