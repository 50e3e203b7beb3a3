"""What lost jobs have left is named, and removed once nobody can be working on it; nothing else is touched."""

import time

import pytest

from podjobs.contract.jobs import RecoveryJob
from podjobs.contract.reply_to import Nobody
from podjobs.media.abandoned_work import ABANDONED_S, remove_abandoned
from support.late_steps import write_chunk
from support.system_calls import at_each_system_call, at_system_call


def recovery(*known, after_s, dry_run=False):
    """A recovery job that begins so long from now."""
    known_at = time.time() + after_s
    return RecoveryJob(id="r", target="work", known=known, known_at=known_at, dry_run=dry_run, reply_to=Nobody())


def test_list_work_tells_each_job_what_it_is_about_and_when_a_step_last_wrote(storage):
    assert storage.list_work() == []
    begun = time.time()
    storage.start_work("job-1", "encoding of 17")
    storage.start_work("job-2")
    write_chunk(storage, "job-1")
    works = storage.list_work()
    assert [(work.job_id, work.about) for work in works] == [("job-1", "encoding of 17"), ("job-2", "")]
    assert all(begun - 2 <= work.changed_at <= time.time() + 2 for work in works)
    storage.remove_work("job-1")
    assert [work.job_id for work in storage.list_work()] == ["job-2"]


def test_list_work_while_a_job_ends_at_any_system_call_tells_of_the_others(storage, media):
    storage.start_work("other", "encoding of 18")

    def end_at(number):
        storage.start_work("job", "encoding of 17")
        write_chunk(storage, "job")
        with at_system_call(number, lambda: storage.remove_work("job"), media.moments) as calls:
            works = storage.list_work()
        assert {work.job_id for work in works} in ({"other"}, {"job", "other"}), number
        return calls[0]

    assert at_each_system_call(end_at) > 2


def test_remove_abandoned_day_old_work_of_an_unknown_job_is_removed_and_the_job_is_named(storage, media):
    storage.write("videos/talk.mp4", b"content")
    storage.start_work("lost", "encoding of 17")
    storage.start_work("known", "encoding of 18")
    write_chunk(storage, "lost")
    (sentence,) = remove_abandoned(recovery("known", after_s=ABANDONED_S + 60), storage).log
    assert "The job lost (encoding of 17)" in sentence
    assert "request it again" in sentence
    assert "was removed" in sentence
    assert (storage.has_work("lost"), storage.has_work("known")) == (False, True)
    assert not any("lost" in key for key in media.work_left())
    assert "work/known/.open" in media.work_left()
    assert storage.exists("videos/talk.mp4")


@pytest.mark.parametrize(("after_s", "is_named"), [(ABANDONED_S - 60, True), (300, True), (0, False), (-3600, False)])
def test_remove_abandoned_work_that_may_be_somebodys_stays(storage, after_s, is_named):
    """Of a job that was accepted after the list was made, or of another installation with the same media root."""
    storage.start_work("unknown", "encoding of 17")
    log = remove_abandoned(recovery(after_s=after_s), storage).log
    assert storage.has_work("unknown")
    assert any("unknown" in sentence and "encoding of 17" in sentence for sentence in log) == is_named


def test_remove_abandoned_dry_run_says_what_would_go_and_removes_nothing(storage, media):
    storage.start_work("lost", "encoding of 17")
    write_chunk(storage, "lost")
    media.leave_unfinished("videos/talk.mp4")
    before = media.list_everything(), media.list_unfinished()
    (sentence,) = remove_abandoned(recovery(after_s=ABANDONED_S + 60, dry_run=True), storage).log
    assert "The job lost (encoding of 17)" in sentence
    assert sentence.endswith("The folder would be removed.")
    assert (media.list_everything(), media.list_unfinished()) == before


def test_remove_unfinished_leaves_nothing_of_writers_that_were_killed(storage, media):
    """Where another backend finds them only when their file is written again, that does it."""
    storage.write("videos/other.mp4", b"content")
    media.leave_unfinished("videos/talk.mp4")
    media.leave_unfinished("videos/talk.mp4")
    assert len(media.list_unfinished()) >= 1
    assert not storage.exists("videos/talk.mp4")
    assert storage.list_files("videos") == ("videos/other.mp4",)
    count = storage.remove_unfinished(0, dry_run=True)
    assert count in {0, 2}
    assert len(media.list_unfinished()) >= 1
    assert storage.remove_unfinished(0) == count
    assert storage.remove_unfinished(0) == 0
    storage.write("videos/talk.mp4", b"content")
    assert media.list_unfinished() == set()
    assert storage.list_files("videos") == ("videos/other.mp4", "videos/talk.mp4")


def test_remove_unfinished_leaves_alone_what_may_be_under_way(storage, media):
    media.leave_unfinished("videos/talk.mp4")
    before = media.list_unfinished()
    assert storage.remove_unfinished(3600) == 0
    assert media.list_unfinished() == before
