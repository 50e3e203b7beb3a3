"""A demonstration through Celery's queues and a media root that is shared, as Pod up to 4.1 has its work done."""

import posixpath
import time
from pathlib import Path

from local.client import StandInControl, request_encoding
from local.configuration import Configuration
from local.demonstration import NO_SOUND, Demonstration, Outcome, Place, RunError
from local.media import fetch, fetch_file, fetch_to, place
from local.page import Captions
from local.pod import track_key
from local.ports import POD
from local.recording import Recorded, compose

VIDEO_ID = 1


def process_video(wanted: Demonstration, video: Path, at: Place) -> Outcome:
    """Encode a video, and transcribe it if that is wanted. Raises RunError.

    Args:
        wanted: what.
        video: the file.
        at: where; the stack runs.
    """
    configuration, pod, started = at.stack.configuration, _stand_in(at), time.monotonic()
    source = place(video, configuration)
    pod.announce(VIDEO_ID, wanted.language)
    path = str(at.media / source)
    at.wait_for(request_encoding(configuration.broker_url, VIDEO_ID, path, wanted.cut), video.name)
    took_s = time.monotonic() - started
    if wanted.language:
        _follow_transcription(pod, at)
    folder = fetch(configuration, posixpath.join(posixpath.dirname(source), f"{VIDEO_ID:04d}"), at.media)
    captions = _take_captions(configuration, folder, wanted.language) if wanted.language else None
    return Outcome(video.name, folder, took_s, captions)


def process_recording(recording: Recorded, at: Place) -> Outcome:
    """Have a recording composed, and then encoded, which the stand-in requests once it has it, as Pod does.

    Raises RunError; arguments as of `process_video`.
    """
    configuration, started = at.stack.configuration, time.monotonic()
    composed = compose(recording, configuration, at.media, _stand_in(at), at.wait_for)
    at.wait_for(composed.encoding_job, "encoding")
    took_s = time.monotonic() - started
    folder = posixpath.join(posixpath.dirname(composed.key), f"{composed.video_id:04d}")
    made = tuple(at.media / key for key in (composed.key, composed.log) if fetch_to(configuration, key, at.media))
    title = " + ".join(source.name for source in recording.sources)
    return Outcome(title, fetch(configuration, folder, at.media), took_s, composed=made)


def _stand_in(at: Place) -> StandInControl:
    return StandInControl(at.stack.configuration.ports[POD])


def _follow_transcription(pod: StandInControl, at: Place) -> None:
    """Wait for the transcription, which the stand-in requested when it imported the video, as Pod does."""
    job_id = pod.transcription_of(VIDEO_ID)
    if not job_id:
        raise RunError(NO_SOUND)
    at.wait_for(job_id, "captions")


def _take_captions(configuration: Configuration, folder: Path, language: str) -> Captions | None:
    """Copy the track that the stand-in for Pod received to the media; None if nobody speaks in the video."""
    captions = Captions(f"captions_{language}.vtt", language)
    return captions if fetch_file(configuration, track_key(VIDEO_ID), folder / captions.file) else None
