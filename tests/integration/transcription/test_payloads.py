"""What travels while a sound of ten hours is transcribed: less than what any way to a function carries."""

import pytest

from podjobs.contract.message_contracts import STEPS
from podjobs.entry.endpoint import Endpoint
from podjobs.entry.messages import message_handler
from podjobs.notification.function import NotificationFunction
from podjobs.testing import FakePodApi, JobRun
from support.invocations import PAYLOAD_BYTES, InvokedFunction
from support.media import ffmpeg

HOURS_S = 36_000
LAP_S = 1_800


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_transcription_of_ten_hours_every_request_and_answer_fits_into_a_payload(transcriber, lecture):
    """Half a minute of speech every half an hour."""
    lap = transcriber.folder / "lap.mp3"
    ffmpeg("-i", lecture, "-af", "apad", "-t", LAP_S, "-ar", 16_000, "-b:a", "32k", lap)
    ffmpeg("-stream_loop", -1, "-i", lap, "-t", HOURS_S, "-c", "copy", transcriber.folder / "marathon.mp3")
    served = {
        "transcription": transcriber.function,
        "notification": NotificationFunction(FakePodApi(), transcriber.storage),
    }
    functions = {
        name: InvokedFunction(message_handler(Endpoint(name, STEPS, function, 2), transcriber.settings), STEPS)
        for name, function in served.items()
    }
    job = transcriber.job("marathon.mp3", duration=HOURS_S)
    run = JobRun(job, functions, concurrency=2).run()
    payloads = [payload for function in functions.values() for payload in function.payloads]
    actions = {payload.subject.partition("/")[2].partition("-")[0] for payload in payloads}
    assert actions == {"plan", "part", "captions", "notify"}
    assert len(payloads) >= 120
    assert run.results["captions"][1]["words"] > 500
    largest = max(payloads, key=lambda payload: payload.largest_bytes)
    assert largest.largest_bytes < PAYLOAD_BYTES, largest
