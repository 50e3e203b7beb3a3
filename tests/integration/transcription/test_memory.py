"""A function's memory does not grow with the sound: parts are read by seek."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from support.media import ffmpeg
from support.transcriber import make_settings

LIMIT_BYTES = 1_200_000_000
TWO_HOURS_S = 7200
TESTS = Path(__file__).resolve().parents[2]
PROGRAM = """
import json, sys
sys.path[:0] = sys.argv[3:]
from pathlib import Path
from support.captions import cues_of
from support.transcriber import Transcriber, WhisperModels, WhisperOptions, make_settings
media = Path(sys.argv[1])
model = WhisperModels(WhisperOptions(device="cpu", slots=2, threads=1))
transcriber = Transcriber(media, make_settings(media), model)
if sys.argv[2] == "plan":
    _, plan = transcriber.plan("two-hours.mp3")
    facts = {"parts": len(plan.stages[0].steps), "plan_s": transcriber.steps[0][2]}
else:
    facts = {"cues": len(cues_of(transcriber.transcribe("two-hours.mp3")))}
status = Path("/proc/self/status").read_text()  # getrusage's number is inherited from who started us
print(json.dumps(facts | {"bytes": int(status.partition("VmHWM:")[2].split()[0]) * 1024}))
"""


@pytest.fixture
def two_hours(tmp_path, lecture):
    folder = tmp_path / "media" / "videos" / "abc" / "0007"
    folder.mkdir(parents=True)
    ffmpeg("-stream_loop", -1, "-i", lecture, "-c", "copy", "-t", TWO_HOURS_S, folder / "two-hours.mp3")
    return tmp_path / "media"


def measure(media, what):
    paths = [str(TESTS), str(TESTS.parent), str(TESTS.parent / "layers" / "podjobs" / "python")]
    argv = [sys.executable, "-c", PROGRAM, str(media), what, *paths]
    result = subprocess.run(argv, capture_output=True, text=True, check=True)
    return json.loads(result.stdout.splitlines()[-1])


@pytest.mark.slow
def test_plan_of_two_hours_takes_little_memory(two_hours):
    facts = measure(two_hours, "plan")
    assert facts["parts"] == make_settings("/media").podjobs_parts_per_sound
    assert facts["bytes"] < LIMIT_BYTES / 2


@pytest.mark.slow
@pytest.mark.timeout(1800)
def test_transcribe_two_hours_takes_little_memory(two_hours):
    facts = measure(two_hours, "transcribe")
    assert facts["cues"] > 1000
    assert facts["bytes"] < LIMIT_BYTES
