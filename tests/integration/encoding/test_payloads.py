"""What travels while a video of ten hours is encoded: less than what any way to a function carries."""

import pytest

from podjobs.backends.storage import open_storage
from podjobs.contract.message_contracts import STEPS
from podjobs.entry.endpoint import Endpoint
from podjobs.entry.messages import message_handler
from podjobs.notification.function import NotificationFunction
from podjobs.testing import FakePodApi, JobRun
from support.invocations import PAYLOAD_BYTES, InvokedFunction
from support.media import ffmpeg

HOURS_S = 36_000
LAP_S = 31
CHAPTERS = 150
"""As many as are kept."""


def make_marathon(file):
    """Ten hours of a tiny picture, the same lap again and again, and chapters with long titles.

    Without sound: what is said of it does not depend on its length, which would only take its time.
    """
    lap, chapters = file.with_name("lap.mp4"), file.with_name("chapters.txt")
    ffmpeg("-f", "lavfi", "-i", "testsrc=s=64x36:r=1", "-t", LAP_S, "-c:v", "libx264", "-g", LAP_S, lap)
    length_s = HOURS_S // CHAPTERS
    texts = [
        f"[CHAPTER]\nTIMEBASE=1/1\nSTART={number * length_s}\nEND={(number + 1) * length_s}\n"
        f'title=« Chapitre n° {number} » : l’été à "Besançon" et ce que l’on y a mesuré\n'
        for number in range(CHAPTERS)
    ]
    chapters.write_text("".join((";FFMETADATA1\n", *texts)), encoding="utf-8")
    ffmpeg("-stream_loop", -1, "-i", lap, "-i", chapters, "-map_chapters", 1, "-t", HOURS_S, "-c", "copy", file)


def invoked(name, function, settings):
    return InvokedFunction(message_handler(Endpoint(name, STEPS, function, 2), settings), STEPS)


@pytest.fixture
def functions(workbench):
    notification = NotificationFunction(FakePodApi(), open_storage(workbench.settings))
    return {
        "encoding": invoked("encoding", workbench.function, workbench.settings),
        "notification": invoked("notification", notification, workbench.settings),
    }


@pytest.fixture
def run(workbench, functions):
    make_marathon(workbench.folder / "marathon.mp4")
    return JobRun(workbench.job("marathon.mp4"), functions, concurrency=2)


def test_plan_of_ten_hours_fits_into_a_payload(run, functions):
    run.perform(next(run.stages()))
    assert len(run.shared["starts_s"]) >= 590
    assert len(run.shared["facts"]["chapters"]) == CHAPTERS
    (plan,) = functions["encoding"].payloads
    assert 100_000 < plan.answer_bytes < PAYLOAD_BYTES


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_job_of_ten_hours_every_request_and_answer_fits_into_a_payload(run, functions):
    run.run()
    payloads = [payload for function in functions.values() for payload in function.payloads]
    actions = {payload.subject.partition("/")[2].partition("-")[0] for payload in payloads}
    assert actions == {"plan", "chunk", "package", "images", "publish", "notify"}
    assert len(payloads) >= 595
    largest = max(payloads, key=lambda payload: payload.largest_bytes)
    assert largest.largest_bytes < PAYLOAD_BYTES, largest
