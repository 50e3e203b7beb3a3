"""A job's work folder and its fence: however late a step is, nothing that it writes stays when the job has ended."""

import contextlib
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from os import environ, pathsep

import pytest

from podjobs.contract.errors import InvalidRequestError, PermanentError, RetryableError
from support.system_calls import at_each_system_call, at_system_call

ROUNDS = 300
MOMENTS = 5
"""At least so many system calls there must be, for a test that tries each of them to mean anything."""
GONE = r"work folder of 'work/.+' is gone: the job has ended or was superseded"


def write_chunk(storage, job_id, name="chunk/1"):
    """A step: it writes files into the job's work folder."""
    with storage.writing(storage.work_key(job_id, name)) as folder:
        for file in "abc":
            (folder / file).write_bytes(file.encode() * 1000)


def try_write_chunk(storage, job_id, name="chunk/1"):
    """Whether it was in time; any other error than the documented one is raised."""
    try:
        write_chunk(storage, job_id, name)
    except RetryableError as error:
        if "the job has ended or was superseded" not in error.detail:
            raise
        return False
    return True


def begin_to_write(storage, job_id, names=("a",)):
    """A step that has written files, but not ended; and the folder that it was given."""
    step = storage.writing(storage.work_key(job_id, "chunk"))
    folder = step.__enter__()
    for name in names:
        (folder / name).write_bytes(b"content")
    return step, folder


def finish_to_write(step):
    """Whether it was in time."""
    try:
        step.__exit__(None, None, None)
    except RetryableError as error:
        if "the job has ended or was superseded" not in error.detail:
            raise
        return False
    return True


class BrokenOffError(BaseException):
    """As if the process was killed."""


def break_off():
    raise BrokenOffError


def test_work_folder_from_its_start_to_its_end(storage, media):
    assert not storage.has_work("job-1")
    storage.start_work("job-1")
    assert storage.has_work("job-1")
    with storage.writing(storage.work_key("job-1", "chunk")) as folder:
        assert list(folder.iterdir()) == []
        (folder / "a").write_bytes(b"content")
        assert storage.list_files(storage.work_key("job-1", "chunk")) == ()
    key = storage.work_key("job-1", "chunk/a")
    assert storage.list_files(storage.work_key("job-1", "chunk")) == (key,)
    assert storage.size_bytes(key) == 7
    assert not folder.exists()
    storage.remove_work("job-1")
    assert not storage.has_work("job-1")
    assert not storage.exists(key)
    assert media.work_left() == set()


def test_start_work_twice_keeps_what_is_there(storage):
    storage.start_work("job-1")
    write_chunk(storage, "job-1")
    storage.start_work("job-1")
    assert len(storage.list_files("work/job-1/chunk/1")) == 3


def test_remove_work_twice_or_without_work_is_nothing(storage):
    storage.remove_work("never-started")
    storage.start_work("job-1")
    storage.remove_work("job-1")
    storage.remove_work("job-1")


def test_remove_work_keeps_other_jobs_and_all_media(storage):
    storage.write("videos/talk.mp4", b"content")
    for job_id in ("job", "job-1", "job-1.2", "job-12"):
        storage.start_work(job_id)
        write_chunk(storage, job_id)
    storage.remove_work("job-1")
    assert [storage.has_work(job_id) for job_id in ("job", "job-1", "job-1.2", "job-12")] == [True, False, True, True]
    assert len(storage.list_files("work/job-12/chunk/1")) == 3
    assert storage.exists("videos/talk.mp4")


@pytest.mark.parametrize("name", ["chunk", "chunk/1/2/3", "the café's [1] %20"])
def test_writing_again_replaces_files_and_keeps_others(storage, name):
    storage.start_work("job-1")
    folder_key = storage.work_key("job-1", name)
    for contents in ({"a": b"1", "b": b"1"}, {"b": b"22", "c": b"22"}):
        with storage.writing(folder_key) as folder:
            for file, content in contents.items():
                (folder / file).write_bytes(content)
    sizes = {key: storage.size_bytes(key) for key in storage.list_files(folder_key)}
    assert sizes == {f"{folder_key}/a": 1, f"{folder_key}/b": 2, f"{folder_key}/c": 2}


@pytest.mark.parametrize("folder", ["videos", "videos/work/x", "work", "x"])
def test_writing_elsewhere_is_refused(storage, folder):
    with pytest.raises(InvalidRequestError, match="below the job's work folder"), storage.writing(folder):
        pytest.fail("it was let in")


@pytest.mark.parametrize("error", [PermanentError("Damaged."), ValueError("a bug"), OSError("of its own")])
def test_writing_step_that_fails_leaves_nothing_and_its_error_is_what_it_is(storage, media, error):
    storage.start_work("job-1")
    before = media.work_left()
    with pytest.raises(type(error)) as failed, storage.writing("work/job-1/chunk") as folder:  # noqa: PT012 - the step
        (folder / "a").write_bytes(b"content")
        raise error
    assert failed.value is error
    assert storage.list_files("work/job-1/chunk") == ()
    assert media.work_left() == before


def test_writing_without_a_work_folder_is_refused_before_the_work(storage, media):
    with pytest.raises(RetryableError, match=GONE), storage.writing("work/job-1/chunk"):
        pytest.fail("it was let in")
    assert media.work_left() == set()


@pytest.mark.parametrize("wrote", ["nothing", "before", "before, but the step fails", "nothing, and the step fails"])
def test_writing_while_the_job_ends_is_told_and_leaves_nothing(storage, media, wrote):
    storage.start_work("job-1")
    late, _ = begin_to_write(storage, "job-1", ["a"] if "before" in wrote else [])
    storage.remove_work("job-1")
    error = OSError("as the step meets it") if "step fails" in wrote else None
    with pytest.raises(RetryableError, match=GONE):
        late.__exit__(error and OSError, error, None)
    assert media.work_left() == set()


def test_writing_late_does_not_harm_another_job(storage, media):
    storage.start_work("job-2")
    storage.start_work("job-1")
    with pytest.raises(RetryableError, match=GONE), storage.writing("work/job-1/chunk"):
        storage.remove_work("job-1")
    assert storage.has_work("job-2")
    write_chunk(storage, "job-2")
    assert {key.split("/")[1] for key in media.work_left() if "/" in key} == {"job-2"}


def test_job_that_ends_at_any_system_call_of_a_writer_leaves_nothing(storage, media):
    def end_at(number):
        storage.start_work("job-1")
        with at_system_call(number, lambda: storage.remove_work("job-1")) as calls:
            try_write_chunk(storage, "job-1")
        if number < calls[0]:
            assert media.work_left() == set(), number
        storage.remove_work("job-1")
        return calls[0]

    assert at_each_system_call(end_at) > MOMENTS


def test_writer_at_any_system_call_of_a_job_s_end_leaves_nothing(storage, media):
    """From the moment that the work folder is closed nobody is let in."""
    let_in = []

    def write_at(number):
        storage.start_work("job-1")
        write_chunk(storage, "job-1", "earlier")
        with at_system_call(number, write) as calls:
            storage.remove_work("job-1")
        assert media.work_left() == set(), number
        return calls[0]

    def write():
        is_open = storage.has_work("job-1")
        let_in.append(False)
        try:
            with storage.writing("work/job-1/chunk") as folder:
                let_in[-1] = True
                (folder / "a").write_bytes(b"content")
        except RetryableError:
            assert not let_in[-1]
        assert let_in[-1] is is_open

    assert at_each_system_call(write_at) > MOMENTS
    assert set(let_in) == {True, False}


def test_writer_that_finishes_at_any_system_call_of_a_job_s_end_leaves_nothing(storage, media):
    """It is told whether it was in time."""
    outcomes = []

    def finish_at(number):
        storage.start_work("job-1")
        late, _ = begin_to_write(storage, "job-1")
        with at_system_call(number, lambda: finish(late)) as calls:
            storage.remove_work("job-1")
        if number >= calls[0]:
            finish(late)
        assert media.work_left() == set(), number
        return calls[0]

    def finish(late):
        is_open = storage.has_work("job-1")
        outcomes.append(finish_to_write(late))
        assert outcomes[-1] is is_open

    assert at_each_system_call(finish_at) > MOMENTS
    assert set(outcomes) == {True, False}


def test_writer_that_finishes_after_a_job_s_end_was_broken_off_removes_its_files(storage, media):
    """Its process was killed at any system call; the rest goes when the end is tried again."""
    closed = []

    def break_off_at(number):
        storage.start_work("job-1")
        late, _ = begin_to_write(storage, "job-1")
        with contextlib.suppress(BrokenOffError), at_system_call(number, break_off) as calls:
            storage.remove_work("job-1")
        closed.append(not storage.has_work("job-1"))
        assert finish_to_write(late) is not closed[-1]
        assert storage.list_files("work/job-1/chunk") == (() if closed[-1] else ("work/job-1/chunk/a",))
        storage.remove_work("job-1")
        assert media.work_left() == set(), number
        return calls[0]

    assert at_each_system_call(break_off_at) > MOMENTS
    assert set(closed) == {True, False}


@pytest.mark.parametrize("has_work", [True, False])
def test_job_that_starts_while_another_ends_at_any_system_call_has_its_work_folder(storage, media, has_work):
    """The last job's end removes the folder that holds all jobs' folders."""

    def end_at(number):
        if has_work:
            storage.start_work("job-1")
        with at_system_call(number, lambda: storage.remove_work("job-1")) as calls:
            storage.start_work("job-2")
        assert storage.has_work("job-2")
        write_chunk(storage, "job-2")
        storage.remove_work("job-1")
        storage.remove_work("job-2")
        assert media.work_left() == set(), number
        return calls[0]

    assert at_each_system_call(end_at) > 0


def random_delay_s(media):
    """From nothing to somewhat longer than a step takes."""
    storage = media.open()
    storage.start_work("first")
    begun = time.perf_counter()
    write_chunk(storage, "first")
    longest_s = 1.5 * (time.perf_counter() - begun)
    storage.remove_work("first")
    return lambda: random.uniform(0, longest_s)


def test_writers_and_remover_at_once_leave_nothing(media):
    storage, delay_s = media.open(), random_delay_s(media)
    outcomes = []
    with ThreadPoolExecutor(3) as pool:
        for number in range(ROUNDS):
            job_id = f"job-{number}"
            storage.start_work(job_id)
            begin = threading.Barrier(3)

            def write(name, job_id=job_id, begin=begin):
                begin.wait()
                return try_write_chunk(media.open(), job_id, name)

            def remove(job_id=job_id, begin=begin):
                begin.wait()
                time.sleep(delay_s())
                storage.remove_work(job_id)

            # two attempts at the same step, as a duplicate delivery makes them
            late = [pool.submit(write, "chunk/1"), pool.submit(write, "chunk/1")]
            pool.submit(remove).result()
            outcomes += [future.result() for future in late]
            assert media.work_left() == set(), number
    assert set(outcomes) == {True, False}


def test_jobs_that_start_while_others_end_keep_their_work_folders(media):
    """The folder that holds all jobs' folders comes and goes with them."""

    def begin_and_end(worker):
        storage = media.open()
        for number in range(ROUNDS):
            job_id = f"job-{worker}-{number}"
            storage.start_work(job_id)
            write_chunk(storage, job_id)
            assert len(storage.list_files(storage.work_key(job_id, "chunk/1"))) == 3
            storage.remove_work(job_id)

    with ThreadPoolExecutor(3) as pool:
        list(pool.map(begin_and_end, range(3)))
    assert media.work_left() == set()


LATE_WRITER = """
import sys
from podjobs.backends.storage import open_storage
from podjobs.contract.errors import RetryableError
from podjobs.settings import MediaSettings, load_settings
storage = open_storage(load_settings(MediaSettings))
for line in sys.stdin:
    print("begun", flush=True)
    try:
        with storage.writing(storage.work_key(line.strip(), "chunk/1")) as folder:
            for name in "abc":
                (folder / name).write_bytes(b"x" * 1000)
    except RetryableError as error:
        print(error, flush=True)
    else:
        print("written", flush=True)
"""


def test_writer_in_another_process_leaves_nothing(media):
    storage, delay_s = media.open(), random_delay_s(media)
    environment = environ | media.environment | {"PYTHONPATH": pathsep.join(sys.path)}
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    outcomes = set()
    with subprocess.Popen([sys.executable, "-c", LATE_WRITER], env=environment, **pipes) as writer:
        for number in range(ROUNDS):
            storage.start_work(f"job-{number}")
            print(f"job-{number}", file=writer.stdin)
            assert writer.stdout.readline() == "begun\n"
            time.sleep(delay_s())
            storage.remove_work(f"job-{number}")
            outcome = writer.stdout.readline().strip()
            outcomes.add(outcome if outcome == "written" else outcome.partition("gone: ")[2])
            assert media.work_left() == set(), number
        writer.stdin.close()
    assert outcomes == {"written", "the job has ended or was superseded."}
