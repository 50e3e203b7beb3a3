"""A late step of a superseded job changes nothing of what a newer job has published, whatever the moment it comes at.

Every order of events is tried, storage call by storage call: while the older job A publishes, its end (discard) and
the publication of the newer job B. An earlier encode has left files, of which A would remove some that B makes.
"""

import contextlib
import json
import threading
from pathlib import Path

import pytest

from podjobs.contract.errors import FileChangedError, RetryableError
from support.publications import FOLDER, SOURCE, make_ready
from support.storage_calls import EventfulStorage
from support.system_calls import at_each_system_call

SUPERSEDED = "the job has ended or was superseded"
MOMENTS = 30
"""At least so many calls there must be, for a test that tries each of them to mean anything."""
NEVER = 10_000
AT_ONCE = 3
"""Groups of files that are moved at the same time: a rendition each, the sound, the pictures."""


class BrokenOffError(BaseException):
    """As if the process was killed."""


def break_off():
    raise BrokenOffError


@pytest.fixture(scope="module")
def jobs(tmp_path_factory):
    """Three encodes of a video, in this order: before the settings were changed, after that, and after they were
    changed back."""
    folder, changed = tmp_path_factory.mktemp("ready"), ("320x180", "640x360")
    sizes = {"earlier": ("320x180", "480x270"), "a": changed, "b": ("320x180", "480x270")}
    return {name: make_ready(folder / name, sizes[name], 1000.0 * number) for number, name in enumerate(sizes)}


class Scene:
    """A video that was encoded before, and two more encodes of it."""

    def __init__(self, jobs, storage, media):
        self.a, self.b = jobs["a"], jobs["b"]
        self.storage, self.media = storage, media
        for key in storage.list_files(FOLDER):
            storage.delete(key)
        for job in jobs.values():
            storage.remove_work(job.job.id)
        storage.write(SOURCE, b"the source")
        for name, content in jobs["earlier"].published.items():
            storage.write(f"{FOLDER}/{name}", content)
        storage.write(f"{FOLDER}/livestream.m3u8", b"an old playlist")
        storage.write(f"{FOLDER}/info_video.json", b"{}")
        self.a.prepare(storage)
        self.b.prepare(storage)

    def perform(self, step, events):
        """Perform a step of A; returns why it failed, and how many calls it made."""
        eventful, error = EventfulStorage(self.storage, events), ""
        try:
            step(eventful)
        except RetryableError as failure:
            error = str(failure)
        except BrokenOffError:
            error = "broken off"
        calls = eventful.calls
        with contextlib.suppress(BrokenOffError):
            eventful.finish()
        return error, calls

    def discard_a(self):
        self.a.discard(self.storage)

    def publish_b(self):
        self.b.publish_as_adapter(self.storage)

    def read(self, name):
        with self.storage.open(f"{FOLDER}/{name}") as file:
            return file.read()

    def check_published(self, job):
        """What is published is all of one job, and nothing else."""
        names = {Path(key).name for key in self.storage.list_files(FOLDER)}
        assert names == {*job.published, "livestream.m3u8", "info_video.json"}
        assert {name: self.read(name) for name in job.published} == job.published
        assert json.loads(self.read("info_video.json"))["job_id"] == job.job.id
        heights_px = json.loads(self.read("info_video.json"))["list_hls_files"]
        playlist = self.read("livestream.m3u8").decode()
        assert [f"{height_px}p.m3u8" for height_px in heights_px] == [
            line for line in playlist.splitlines() if not line.startswith("#")
        ]


@pytest.fixture
def scene(jobs, storage, media):
    return lambda: Scene(jobs, storage, media)


def test_publish_alone_replaces_the_earlier_encode(scene):
    now = scene()
    error, calls = now.perform(now.a.publish, {})
    assert (error, calls > MOMENTS) == ("", True)
    now.check_published(now.a)


@pytest.mark.parametrize("later", [0, *(pytest.param(later, marks=pytest.mark.slow) for later in (1, 2, 5)), NEVER])
def test_publish_of_a_job_that_is_superseded_at_any_call_changes_nothing_of_the_newer_one(scene, later):
    """A is discarded before one of its calls, and B publishes before that one, a later one, or when A has ended."""
    errors = []

    def supersede_at(number):
        now = scene()
        at_once = {number: lambda: (now.discard_a(), now.publish_b())}
        error, calls = now.perform(
            now.a.publish, {number: now.discard_a, number + later: now.publish_b} if later else at_once
        )
        errors.append(error)
        now.check_published(now.b)
        assert now.media.work_left() == set()
        return calls

    assert at_each_system_call(supersede_at) > MOMENTS
    # before its last two calls A has published: an old file is deleted, then its work files
    assert [error for error in errors[:-3] if SUPERSEDED not in error] == []


@pytest.mark.slow
@pytest.mark.parametrize("resumed", [12, *(pytest.param(call, marks=pytest.mark.slow) for call in (1, 23, 34, 45))])
def test_publish_of_a_superseded_job_that_goes_on_while_the_newer_one_publishes_changes_nothing(scene, resumed):
    """A is paused before one of its calls, discarded, and goes on before one of B's."""

    def pause_at(paused):
        now = scene()
        reached, go_on, ended = threading.Event(), threading.Event(), []

        def pause():
            reached.set()
            go_on.wait(60)

        def publish_a():
            ended.append(now.perform(now.a.publish, {paused: pause}))

        late = threading.Thread(target=publish_a)
        late.start()
        reached.wait(60)
        now.discard_a()
        eventful = EventfulStorage(now.storage, {resumed: lambda: (go_on.set(), late.join())})
        now.b.publish_as_adapter(eventful)
        eventful.finish()
        now.check_published(now.b)
        assert now.media.work_left() == set()
        ((error, calls),) = ended
        assert SUPERSEDED in error or paused >= calls - 1
        return calls

    assert at_each_system_call(pause_at, step=3) > MOMENTS


def test_publish_that_is_broken_off_at_any_call_is_finished_by_the_next_attempt(scene):
    def break_off_at(number):
        now = scene()
        error, calls = now.perform(now.a.publish, {number: break_off})
        assert error == ("broken off" if number < calls else "")
        now.a.publish(now.storage)
        now.check_published(now.a)
        assert not now.storage.has_work(now.a.job.id)
        return calls

    assert at_each_system_call(break_off_at) > MOMENTS


@pytest.mark.slow
def test_publish_of_a_job_that_is_not_yet_discarded_stops_as_soon_as_a_newer_one_has_published(scene):
    """What is being moved at that moment may take a place; what Pod reads is B's. See the decision."""
    stopped = []

    def publish_b_at(number):
        now = scene()
        error, calls = now.perform(now.a.publish, {number: now.publish_b})
        if error:
            stopped.append(number)
            assert "was changed by somebody else" in error
            assert json.loads(now.read("info_video.json"))["job_id"] == now.b.job.id
            assert sum(now.read(name) != content for name, content in now.b.published.items()) <= AT_ONCE
        return calls

    assert at_each_system_call(publish_b_at) > MOMENTS
    assert len(stopped) > MOMENTS - 10


@pytest.mark.parametrize("has_work", [True, False])
def test_report_of_a_superseded_job_at_any_call_does_not_replace_the_newer_result(scene, has_work):
    """A job that fails at its first step has no work folder that tells whether it was superseded."""
    errors = set()

    def supersede_at(number):
        now = scene()
        if not has_work:
            now.discard_a()
        error, calls = now.perform(now.a.report, {number: lambda: (now.discard_a(), now.publish_b())})
        errors.add(error)
        now.check_published(now.b)
        assert now.media.work_left() == set()
        return calls

    assert at_each_system_call(supersede_at) > 2
    assert len(errors) == 2


def test_report_that_finds_an_older_result_replaces_it(scene, jobs):
    now = scene()
    jobs["earlier"].prepare(now.storage)
    jobs["earlier"].publish(now.storage)
    now.a.report(now.storage)
    report = json.loads(now.read("info_video.json"))
    assert (report["job_id"], report["error_encoding"]) == (now.a.job.id, True)


def test_report_that_somebody_else_writes_meanwhile_is_tried_again_and_not_left_elsewhere(scene):
    now = scene()
    key = f"{FOLDER}/info_video.json"

    class Eventful(EventfulStorage):
        def replace(self, *arguments):
            self._storage.write(key, b'{"written by": "somebody else"}')
            self._storage.replace(*arguments)

    with pytest.raises(FileChangedError):
        now.a.report(Eventful(now.storage, {}))
    assert json.loads(now.read("info_video.json")) == {"written by": "somebody else"}
    assert now.storage.list_files(f"temp/encoding_{now.a.job.id}/0007") == ()


def test_withdrawal_of_a_superseded_job_leaves_the_newer_result(scene):
    now = scene()
    now.discard_a()
    now.publish_b()
    now.a.withdraw(now.storage)
    now.check_published(now.b)


def test_move_of_a_missing_file_is_told_from_other_failures(storage):
    """So that one call suffices to learn that an earlier attempt has moved it."""
    with pytest.raises(RetryableError, match="is not there"):
        storage.move("work/job-1/x", "videos/x")
    assert not storage.exists("videos/x")


def test_delete_of_a_version_leaves_a_file_that_has_another(storage):
    storage.write("videos/x", b"old")
    seen = storage.version("videos/x")
    storage.write("videos/x", b"newer")
    storage.delete("videos/x", seen)
    assert storage.exists("videos/x")
    storage.delete("videos/x", storage.version("videos/x"))
    assert not storage.exists("videos/x")
    storage.delete("videos/x", seen)
