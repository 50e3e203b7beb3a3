"""Who may read through the gateway, and what: its own commands, what they were given."""

import base64
import http.client
import os
import socket
import subprocess
import sys
from contextlib import closing
from urllib.parse import urlsplit

import pytest
import structlog

from podjobs.backends.process import CommandError, ProcessTools
from podjobs.backends.s3.capabilities import MOST_CAPABILITIES
from podjobs.backends.sandbox_choice import choose_sandbox
from podjobs.contract.commands import Access
from podjobs.contract.errors import (
    Problem,
)
from support.gateway_storage import opened, request
from support.media import make_video

OPEN = ProcessTools(8 << 30, choose_sandbox("off"))


@pytest.fixture
def text(gateway, tmp_path):
    file = tmp_path / "a.mp4"
    file.write_bytes(bytes(range(256)) * 1000)
    return opened(gateway, file)


def test_range_is_sent_with_what_clients_need(text):
    status, headers, content = request(text, Range="bytes=100-199")
    assert (status, content) == (206, bytes(range(100, 200)))
    assert headers["Content-Range"] == "bytes 100-199/256000"
    assert request(text)[::2] == (200, bytes(range(256)) * 1000)
    status, headers, content = request(text, method="HEAD", Range="bytes=100-")
    assert (status, headers["Content-Length"], content) == (206, "255900", b"")
    status, headers, content = request(text, Range="bytes=256000-")
    assert (status, headers["Content-Range"], content) == (416, "bytes */256000", b"")


def test_connection_serves_one_range_after_another(text):
    proxy = urlsplit(text.proxy)
    password = base64.b64encode(f"{proxy.username}:{proxy.password}".encode()).decode()
    with closing(http.client.HTTPConnection("127.0.0.1", proxy.port, timeout=20)) as connection:
        for first in (0, 1000, 100):
            headers = {"Proxy-Authorization": f"Basic {password}", "Range": f"bytes={first}-{first + 9}"}
            connection.request("GET", text.url, headers=headers)
            assert connection.getresponse().read() == bytes(byte % 256 for byte in range(first, first + 10))


@pytest.mark.parametrize("password", ["", ":", "podjobs:", "podjobs:wrong", "someone:else", "pödjobs:é"])
def test_nobody_reads_without_the_password(text, password):
    """Other users of the machine see the URLs in the list of processes."""
    status, headers, content = request(text, password=password)
    assert (status, content) == (407, b"")
    assert headers["Proxy-Authenticate"].startswith("Basic")


@pytest.mark.parametrize(
    ("target", "method", "status"),
    [
        ("http://media.invalid/", "GET", 404),
        ("http://media.invalid", "GET", 404),
        ("http://media.invalid/../x", "GET", 404),
        ("http://media.invalid/{other}/a.mp4", "GET", 404),
        ("http://169.254.169.254/latest/meta-data/", "GET", 403),
        ("http://media.invalid.example/{own}/a.mp4", "GET", 403),
        ("https://media.invalid/{own}/a.mp4", "GET", 403),
        ("/{own}/a.mp4", "GET", 403),
        ("example.org:443", "CONNECT", 501),
        ("http://media.invalid/{own}/a.mp4", "PUT", 501),
        ("http://media.invalid/{own}/a.mp4", "DELETE", 501),
    ],
)
def test_command_gets_nothing_but_its_inputs(text, target, method, status):
    """Whatever a file makes it ask for."""
    own = text.url.split("/")[3]
    with structlog.testing.capture_logs() as logs:
        for _ in range(3):
            assert request(text, target.format(own=own, other="x" * len(own)), method)[::2] == (status, b"")
    assert [log["log_level"] for log in logs] == ["warning"]
    assert own not in str(logs)


def test_noise_instead_of_a_request_ends_its_connection_alone(text):
    with socket.create_connection(("127.0.0.1", urlsplit(text.proxy).port), 20) as connection:
        connection.sendall(b"\x16\x03\x01" + os.urandom(100) + b"\r\n\r\n")
        assert connection.recv(1000) == b""
    assert request(text, Range="bytes=0-1")[0] == 206


def test_version_has_one_url_and_another_version_another(gateway, tmp_path):
    file = tmp_path / "a.mp4"
    file.write_bytes(b"content")
    first = opened(gateway, file)
    assert opened(gateway, file) == first
    assert opened(gateway, file, "2").url != first.url


def test_urls_are_forgotten_when_there_are_too_many(gateway, tmp_path):
    """The ones used least recently."""
    (file := tmp_path / "a.mp4").write_bytes(b"content")
    used, unused = opened(gateway, file, "used"), opened(gateway, file, "unused")
    for number in range(MOST_CAPABILITIES - 1):
        opened(gateway, file, f"{number}")
        opened(gateway, file, "used")
    assert request(used)[0] == 200
    assert request(unused)[0] == 404


def test_password_is_in_the_environment_of_the_command_and_nowhere_else(gateway, tmp_path):
    source = opened(gateway, make_video(tmp_path / "a.mp4", duration_s=1))
    password = urlsplit(source.proxy).password
    assert password not in repr(source) + repr(Access((source,)))
    look = "tr '\\0' '\\n' < /proc/self/environ; echo; tr '\\0' ' ' < /proc/$$/cmdline"
    with structlog.testing.capture_logs() as logs:
        said = OPEN.run(["sh", "-c", look], timeout_s=20, access=Access((source,))).decode()
        with pytest.raises(CommandError) as failed:
            OPEN.run(["sh", "-c", "echo $http_proxy >&2; exit 1"], timeout_s=20, access=Access((source,)))
    environment, _, command_line = said.rpartition("\n")
    assert f"http_proxy={source.proxy}" in environment
    assert password not in command_line + str(logs) + Problem.of(failed.value).model_dump_json()


FORKING = """
import os, subprocess, sys
from podjobs.backends.process import ProcessTools
from podjobs.backends.s3.gateway import RangeGateway
from podjobs.contract.commands import Access

path = sys.argv[1]

def fetch(key, etag, first, last):
    with open(path, "rb") as file:
        file.seek(first)
        return file.read(last - first + 1)

gateway, tools = RangeGateway(fetch, 16 << 20), ProcessTools(8 << 30)

def read():
    source = gateway.input_of("a.mp4", "1", os.path.getsize(path), "/media/a.mp4")
    argv = ["ffmpeg", "-v", "error", "-nostdin", "-i", source.url, "-c", "copy", "-f", "md5", "-"]
    return source.proxy, tools.run(argv, timeout_s=60, access=Access((source,)))

before = read()
reading, writing = os.pipe()
if not os.fork():
    os.write(writing, repr(read()).encode())
    os._exit(0)
child = eval(os.read(reading, 10_000))
assert child[1] == before[1] == read()[1]
assert child[0] != before[0] == read()[0]
"""


def test_process_that_was_forked_has_a_gateway_of_its_own(tmp_path):
    """As the jobs of RQ are: the threads of the one before have stayed behind."""
    file = make_video(tmp_path / "a.mp4", duration_s=1)
    subprocess.run([sys.executable, "-c", FORKING, str(file)], check=True, timeout=120)
