"""Media in a bucket when something is odd: names, settings, what answers in the server's place, very many objects."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from aiohttp import web

from podjobs.backends.storage import open_storage
from podjobs.contract.errors import InvalidRequestError, MissingFileError, OperatorNeededError
from podjobs.settings import MediaSettings
from support.media_storages import STORAGES
from support.s3_server import shared_server
from support.serving import serving

MANY = 2500
"""More than two pages of a list, and more than are deleted by two requests."""


@pytest.fixture
def media(tmp_path):
    with STORAGES["s3"](tmp_path) as media:
        yield media


@pytest.fixture
def prefix(media):
    return media.environment["MEDIA_URL"].removeprefix("s3://media/").replace("%20", " ")


def open_with(media, **settings):
    values = {name.lower(): value for name, value in media.environment.items()}
    known = {name: value for name, value in (values | settings).items() if name in MediaSettings.model_fields}
    return open_storage(MediaSettings.model_validate(known))


def each(act):
    """Do something very often, many at once."""
    with ThreadPoolExecutor(16) as pool:
        return list(pool.map(act, range(MANY)))


@pytest.mark.slow
def test_very_many_work_files_are_listed_and_removed(media, prefix):
    storage, client = media.open(), shared_server().client()
    storage.start_work("job")
    each(lambda number: client.put_object(Bucket="media", Key=f"{prefix}/work/job/chunk/{number:04d}", Body=b"1"))
    keys = storage.list_files("work/job/chunk")
    assert (len(keys), keys[-1]) == (MANY, f"work/job/chunk/{MANY - 1:04d}")
    storage.remove_work("job")
    assert media.work_left() == set()


@pytest.mark.slow
def test_very_many_unfinished_uploads_are_removed(media, prefix):
    """Two for each file, whose names are no plain text."""
    storage, client = media.open(), shared_server().client()
    each(lambda number: client.create_multipart_upload(Bucket="media", Key=f"{prefix}/é &?{number // 2:04d}\n.mp4"))
    assert storage.remove_unfinished(0, dry_run=True) == MANY
    assert storage.remove_unfinished(0) == MANY
    assert media.list_unfinished() == set()


def test_move_to_the_same_place_keeps_the_file(media):
    storage = media.open()
    storage.write("videos/x", b"content")
    storage.move("videos/x", "videos/x")
    with storage.open("videos/x") as file:
        assert file.read() == b"content"
    with pytest.raises(MissingFileError):
        storage.move("videos/y", "videos/y")


def test_name_that_is_not_utf8_is_refused(media):
    """Python's name of a file whose bytes are not."""
    with pytest.raises(InvalidRequestError, match="is not UTF-8"):
        media.open().exists("videos/\udce9.mp4")


@pytest.mark.parametrize(
    ("settings", "remedy"),
    [
        ({"podjobs_s3_endpoint": "http://minio_1:9000"}, "Invalid endpoint: .* Correct PODJOBS_S3_ENDPOINT"),
        ({"podjobs_s3_region": "not a region"}, "Correct PODJOBS_S3_ENDPOINT and PODJOBS_S3_REGION"),
        ({"podjobs_s3_ca": "/nothing.pem"}, r"There is no '/nothing\.pem'\. Correct PODJOBS_S3_CA"),
    ],
)
def test_setting_that_the_sdk_refuses_waits_for_an_operator(media, settings, remedy):
    storage = open_with(media, **settings)
    for act in (lambda: storage.exists("x"), lambda: storage.list_files("x"), lambda: storage.start_work("job")):
        with pytest.raises(OperatorNeededError, match=remedy):
            act()


def test_profile_that_is_missing_is_said_wherever_it_is_noticed(media, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nothing")
    storage = media.open()
    for act in (lambda: storage.exists("x"), lambda: storage.list_files("x"), lambda: storage.remove_unfinished(0)):
        with pytest.raises(OperatorNeededError, match=r"The config profile \(nothing\) could not be found"):
            act()


@pytest.fixture
def web_page():
    """A server that answers everything with a page: a proxy's, or one for administrators."""

    async def show(_request):
        return web.Response(text="<html><body>Welcome!</body></html>", content_type="text/html")

    application = web.Application()
    application.router.add_route("*", "/{path:.*}", show)
    with serving(application) as url:
        yield url


def test_web_page_in_the_server_s_place_is_no_storage(media, web_page):
    """Otherwise all files would seem to be there, and all that is written would seem to have arrived."""
    storage = open_with(media, podjobs_s3_endpoint=web_page)
    for act in (
        lambda: storage.exists("x"),
        lambda: storage.version("x"),
        lambda: storage.list_files("x"),
        storage.list_work,
        lambda: storage.has_work("job"),
        lambda: storage.start_work("job"),
        lambda: storage.write("x", b"content"),
        lambda: storage.replace("x", b"content", None),
        lambda: storage.move("x", "y"),
        lambda: storage.remove_work("job"),
        lambda: storage.remove_unfinished(0),
        lambda: storage.writing("work/job/x").__enter__(),
    ):
        with pytest.raises(OperatorNeededError, match=r"is no S3 server: .* Correct PODJOBS_S3_ENDPOINT"):
            act()
    assert "is no S3 server" in storage.find_obstacle()


@pytest.fixture
def server_without_ranges():
    """A server that gives the whole when it is asked for a part, and breaks off in the middle of it."""
    content = bytes(1 << 20)

    async def give(request):
        response = web.StreamResponse(headers={"ETag": '"1"'})
        response.content_length = len(content)
        await response.prepare(request)
        if request.method == "GET":
            await response.write(content[: len(content) // 2])
            request.transport.close()
        return response

    application = web.Application()
    application.router.add_get("/{path:.*}", give)
    with serving(application) as url:
        yield url


def test_server_that_gives_no_parts_is_not_believed_to_go_on(media, server_without_ranges):
    """What it gives begins at the beginning again."""
    with (
        open_with(media, podjobs_s3_endpoint=server_without_ranges).open("x") as file,
        pytest.raises(OperatorNeededError, match="does not give parts of files"),
    ):
        file.read()


def test_process_forked_while_another_thread_connects_does_not_wait_for_it(media):
    """A lock that the other thread has held is never given back in the child."""
    storage = media.open()
    threads = [threading.Thread(target=media.open().exists, args=("x",)) for _ in range(4)]
    threads.append(threading.Thread(target=storage.exists, args=("x",)))
    for thread in threads:
        thread.start()
    if not (child := os.fork()):
        storage.exists("x")
        os._exit(0)
    for thread in threads:
        thread.join()
    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
