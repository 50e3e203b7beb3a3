"""What is measured of a step: its thread, its commands, and its share of the rest of the process."""

import os
import sys
import threading
import time

import pytest

from podjobs.backends.process import CommandError, ProcessTools
from podjobs.backends.sandbox_choice import choose_sandbox
from podjobs.contract.commands import Access
from podjobs.metering import measuring

PYTHON = os.path.realpath(sys.executable)
TOOLS = ProcessTools(8 << 30, choose_sandbox("auto", (PYTHON,)))
NOTHING = Access()
BURN = "import time\nwhile time.process_time() < {}: pass\n"


def burn(seconds):
    """Use processor time of this thread."""
    end_s = time.thread_time() + seconds
    while time.thread_time() < end_s:
        pass


def run(script, access=NOTHING):
    return TOOLS.run([PYTHON, "-I", "-S", "-c", script], timeout_s=30, access=access)


def test_processor_time_of_the_thread_and_of_its_commands_is_the_steps():
    with measuring() as meter:
        burn(0.1)
        run(BURN.format(0.3))
    assert 0.4 <= meter.usage.cpu_s < 0.6


def test_a_command_that_fails_is_counted():
    with measuring() as meter, pytest.raises(CommandError):
        run(BURN.format(0.2) + "raise SystemExit(1)")
    assert 0.2 <= meter.usage.cpu_s < 0.4


def test_memory_of_a_command_comes_on_top_of_the_process():
    with measuring() as meter:
        run("x = bytearray(700 << 20)")
    with measuring() as idle:
        pass
    assert 700 << 20 < meter.usage.memory_bytes - idle.usage.memory_bytes < 800 << 20
    assert idle.usage.memory_bytes > 20 << 20


def test_bytes_that_a_command_reads_and_writes_are_counted(tmp_path):
    source = tmp_path / "source"
    source.write_bytes(bytes(3 << 20))
    script = (
        f"content = open({str(source)!r}, 'rb').read()\nopen({str(tmp_path / 'copy')!r}, 'wb').write(content[:1 << 20])"
    )
    with measuring() as meter:
        run(script, Access((source,), tmp_path))
    assert 3 << 20 <= meter.usage.read_bytes < 4 << 20
    assert 1 << 20 <= meter.usage.written_bytes < 2 << 20


def test_what_runs_outside_of_a_step_is_nobodys():
    run(BURN.format(0.2))
    burn(0.1)
    with measuring() as meter:
        pass
    assert meter.usage.cpu_s < 0.05


def test_other_threads_are_those_of_the_only_step():
    with measuring() as meter:
        model = threading.Thread(target=burn, args=(0.3,))
        model.start()
        model.join()
    assert 0.3 <= meter.usage.cpu_s < 0.45


def test_two_steps_keep_their_own_and_share_the_rest_so_that_the_sum_is_right():
    used, both = {}, threading.Barrier(3)

    def step(name, own_s):
        with measuring() as meter:
            both.wait()
            burn(own_s)
            both.wait()
        used[name] = meter.usage.cpu_s

    threads = [threading.Thread(target=step, args=given) for given in (("small", 0.1), ("large", 0.4))]
    before_s = time.process_time()
    for thread in threads:
        thread.start()
    both.wait()
    burn(0.2)  # neither's
    both.wait()
    for thread in threads:
        thread.join()
    total_s = time.process_time() - before_s
    assert 0.2 <= used["small"] < 0.27
    assert 0.5 <= used["large"] < 0.57
    assert sum(used.values()) == pytest.approx(total_s, abs=0.05)


def test_memory_of_the_process_is_divided_among_the_steps_in_work():
    alone, shared = [], []
    both = threading.Barrier(2)

    def step():
        with measuring() as meter:
            both.wait()
            time.sleep(0.2)
            both.wait()
        shared.append(meter.usage.memory_bytes)

    with measuring() as meter:
        time.sleep(0.2)
    alone.append(meter.usage.memory_bytes)
    threads = [threading.Thread(target=step) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(shared) == pytest.approx(alone[0], rel=0.2)
