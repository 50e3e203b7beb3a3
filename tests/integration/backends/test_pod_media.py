"""What a web server shows, from a real one."""

import pytest

from podjobs.backends.pod_media import CONTENT_BYTES, HttpPodMedia
from podjobs.contract.ports.pod import SeenFile, Sight
from support.lagging_web import lagging_web


@pytest.fixture
def web(tmp_path):
    (tmp_path / "media").mkdir()
    with lagging_web(tmp_path / "media", tmp_path / "shown") as web:
        yield web


def test_read_what_is_shown_has_content_and_size(web):
    (web.source / "sous titres é#?.vtt").write_bytes(b"WEBVTT")
    web.catch_up()
    assert HttpPodMedia(web.url + "/").read("sous titres é#?.vtt") == SeenFile(
        Sight.SHOWN, size_bytes=6, content=b"WEBVTT"
    )


def test_look_at_what_is_shown_has_a_size_only(web):
    (web.source / "a.mp4").write_bytes(b"x" * 70_000)
    web.catch_up()
    assert HttpPodMedia(web.url).look("a.mp4") == SeenFile(Sight.SHOWN, size_bytes=70_000)
    assert web.requests == [("HEAD", "/media/a.mp4")]


def test_requests_ask_for_nothing_cached_and_carry_no_token(web):
    HttpPodMedia(web.url).look("a.mp4")
    (headers,) = web.headers
    assert (headers["Cache-Control"], headers["Accept-Encoding"]) == ("no-cache", "identity")
    assert "Authorization" not in headers


@pytest.mark.parametrize(
    ("status", "sight"),
    [(404, Sight.MISSING), (410, Sight.MISSING), (401, Sight.REFUSED), (403, Sight.REFUSED), (405, Sight.REFUSED),
     (501, Sight.REFUSED), (429, Sight.UNKNOWN), (500, Sight.UNKNOWN), (503, Sight.UNKNOWN)],
)  # fmt: skip
def test_look_status_says_whether_to_wait(web, status, sight):
    web.status = status
    assert HttpPodMedia(web.url).look("a.mp4") == SeenFile(sight, f"the answer is {status}")


def test_look_redirected_names_the_address_without_its_login(web):
    web.status, web.location = 301, "https://u:s3cr3t@pod.example.org/media/a.mp4"
    seen = HttpPodMedia(web.url).look("a.mp4")
    assert seen.sight is Sight.REFUSED
    assert "pod.example.org" in seen.reason
    assert "s3cr3t" not in seen.reason


def test_look_nobody_there_is_unknown(web):
    media = HttpPodMedia(web.url)
    web.server.server_close()
    web.server.shutdown()
    seen = media.look("a.mp4")
    assert seen.sight is Sight.UNKNOWN
    assert "cannot be reached" in seen.reason


def test_read_endless_content_is_not_believed(web):
    (web.source / "info_video.json").write_bytes(b" " * (CONTENT_BYTES + 1))
    web.catch_up()
    assert HttpPodMedia(web.url).read("info_video.json").sight is Sight.UNKNOWN
