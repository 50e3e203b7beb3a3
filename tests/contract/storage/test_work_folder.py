"""A job's work folder from its start to its end; what comes after the end fails and leaves nothing."""

import pytest

from podjobs.contract.errors import InvalidRequestError, PermanentError, RetryableError
from support.late_steps import begin_writing, write_chunk

GONE = r"work folder of 'work/.+' is gone: the job has ended or was superseded"


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


def test_remove_work_twice_or_without_work_does_nothing(storage, media):
    storage.remove_work("never-started")
    storage.start_work("job-1")
    storage.remove_work("job-1")
    storage.remove_work("job-1")
    assert media.work_left() == set()


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
def test_writing_while_the_job_ends_fails_and_leaves_nothing(storage, media, wrote):
    storage.start_work("job-1")
    late = begin_writing(storage, "job-1", ["a"] if "before" in wrote else [])
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
