"""What `cost` measures with: a quota that holds, a peak that is seen."""

import subprocess
import sys
import time

import pytest

from benchmarks.measure import run_measured
from benchmarks.memory_watch import watching_peak
from benchmarks.processor_share import NoQuotaError, processor_share

SPIN = "import time; end = time.process_time() + 0.3\nwhile time.process_time() < end: pass"
ALLOCATE = "import time; held = bytearray(150 << 20); held[::4096] = b'x' * len(held[::4096]); time.sleep(0.8)"


def test_processor_share_a_command_gets_no_more_than_its_share():
    try:
        with processor_share(0.25):
            cost = run_measured([sys.executable, "-c", SPIN])
    except NoQuotaError as error:
        pytest.skip(str(error))
    assert cost.cpu_s >= 0.3
    assert cost.cpu_s / cost.wall_s < 0.32


def test_watching_peak_counts_commands_and_files_but_not_what_was_there_before(tmp_path):
    before = subprocess.Popen([sys.executable, "-c", ALLOCATE.replace("0.8", "9")])
    time.sleep(0.5)
    try:
        with watching_peak(tmp_path) as alone:
            pass
        with watching_peak(tmp_path) as peak:
            (tmp_path / "made").write_bytes(bytes(5_000))
            subprocess.run([sys.executable, "-c", ALLOCATE], check=True)
            (tmp_path / "made").unlink()
    finally:
        before.kill()
        before.wait()
    assert 140 << 20 < peak.memory_bytes - alone.memory_bytes < 250 << 20
    assert peak.scratch_bytes == 5_000
