"""What the steps of a real encoding say that they have used, against what the kernel counts for all of it."""

import json
import subprocess
import sys

import pytest

ENCODING = """
import json, resource, subprocess, sys
from pathlib import Path
from benchmarks.encoding_job import OUTPUT, SOURCE, local_settings
from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.plans import Plan
from podjobs.contract.reply_to import Nobody
from podjobs.encoding.function import EncodingFunction
from podjobs.metering import measuring
from podjobs.testing import JobRun

folder, at_once = Path(sys.argv[1]), int(sys.argv[2])
source = folder / "media" / SOURCE
source.parent.mkdir(parents=True)
picture, sound = "testsrc2=size=640x360:rate=25:duration=20", "sine=frequency=440:duration=20"
made = ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", picture, "-f", "lavfi", "-i", sound, "-preset", "ultrafast"]
subprocess.run([*made, str(source)], check=True)

class Measured:
    def __init__(self, function):
        self.function, self.used, self.plan = function, [], None

    def handle(self, step):
        with measuring() as meter:
            reply = self.function.handle(step)
        self.used.append(meter.usage)
        self.plan = reply if isinstance(reply, Plan) else self.plan
        return reply

def counted():
    both = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in both)

settings = local_settings(folder / "media")
measured = Measured(EncodingFunction(ProcessTools(8 << 30), open_storage(settings), settings))
job = EncodingJob(id="job-1", target="1", source=SOURCE, output_folder=OUTPUT, reply_to=Nobody())
before_s = counted()
JobRun(job, {"encoding": measured}, concurrency=at_once).run()
print(json.dumps({
    "counted_s": counted() - before_s,
    "measured_s": sum(used.cpu_s for used in measured.used),
    "steps": len(measured.used),
    "memory_mb": max(used.memory_bytes for used in measured.used) >> 20,
    "read_bytes": sum(used.read_bytes for used in measured.used),
    "written_bytes": sum(used.written_bytes for used in measured.used),
    "media_s": measured.plan.media_s,
    "source_bytes": measured.plan.source_bytes,
    "size": source.stat().st_size,
}))
"""


@pytest.mark.slow
@pytest.mark.parametrize("at_once", [1, 2])
def test_steps_of_an_encoding_account_for_all_processor_time_but_a_fiftieth(tmp_path, at_once):
    argv = [sys.executable, "-c", ENCODING, str(tmp_path), str(at_once)]
    told = subprocess.run(argv, check=True, capture_output=True, text=True).stdout
    found = json.loads(told.splitlines()[-1])
    assert found["measured_s"] == pytest.approx(found["counted_s"], rel=0.02)
    assert (found["media_s"], found["source_bytes"]) == (pytest.approx(20, abs=0.1), found["size"])
    assert found["read_bytes"] > found["size"]
    assert found["memory_mb"] > 50
