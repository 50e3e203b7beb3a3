"""Whom a function answers, over sockets, under the server that functions-framework brings."""

import json
import re
import socket
from pathlib import Path

import pytest

from podjobs.contract.bounds import REQUEST_BYTES
from podjobs.contract.statements import BATCH_EVENT_TYPE
from support.lrs import LOGIN, PASSWORD
from support.parts import new_function
from support.processes import REPOSITORY

SECRET = "s3cret-s3cret-s3cret"  # noqa: S105 - made for these tests
SETTINGS = {
    "XAPI_LRS_URL": "http://127.0.0.1:1/statements",
    "XAPI_LRS_LOGIN": LOGIN,
    "XAPI_LRS_PWD": PASSWORD,
    "PODJOBS_FUNCTION_SECRET": SECRET,
    "THREADS": "8",
}
BATCH = {
    "ce-specversion": "1.0",
    "ce-type": BATCH_EVENT_TYPE,
    "ce-source": "/test",
    "ce-id": "1",
    "Content-Type": "application/json",
}
RIGHT = {"Authorization": f"Bearer {SECRET}"}
STRUCTURED = RIGHT | {"Content-Type": "application/cloudevents+json"}
REFUSABLE = b'{"batch_id": "b", "entries": [{"entry_id": "1-0", "statement": {"id": "x"}}]}'
"""A batch for which the LRS is not asked."""
HUGE_BYTES = 256 << 20
ROOM_KIB = (REQUEST_BYTES >> 10) * 4
"""What reading the longest request that is taken may need."""


@pytest.fixture(scope="module")
def function(tmp_path_factory):
    folder = tmp_path_factory.mktemp("function")
    program = new_function("xapi", REPOSITORY / "functions/xapi/main.py", SETTINGS, folder)
    program.start()
    yield program.wait()
    program.kill()


def ask(function, method="POST", path="/", headers=BATCH | RIGHT, body=REFUSABLE):
    """Send a request as it is written. Returns status, headers and body of the response."""
    headers = {"Host": "function", "Content-Length": str(len(body)), "Connection": "close"} | headers
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items() if value is not None)
    return send(function, f"{method} {path} HTTP/1.1\r\n{head}\r\n".encode("latin-1") + body)


def send(function, request):
    with connected(function) as sock:
        sock.sendall(request)
        return read_response(sock)


def connected(function):
    port = int(function.page.rstrip("/").rpartition(":")[2])
    return socket.create_connection(("127.0.0.1", port), timeout=20)


def read_response(sock):
    received = b""
    while block := sock.recv(65536):
        received += block
    head, _, body = received.partition(b"\r\n\r\n")
    return int(head.split()[1]), head.decode("latin-1"), body


def test_request_with_the_secret_is_answered_and_nobody_elses(function):
    assert ask(function)[0] == 200
    status, head, body = ask(function, headers=BATCH)
    assert (status, json.loads(body)["status"]) == (401, 401)
    assert "www-authenticate: bearer" in head.lower()
    assert ask(function, headers=BATCH | {"Authorization": "Bearer wrong"})[0] == 401


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        (BATCH | RIGHT | {"Origin": "http://127.0.0.1:8000"}, 403),
        (BATCH | RIGHT | {"Origin": "null"}, 403),
        (RIGHT | {"Content-Type": "text/plain"}, 415),
        (RIGHT | {"Content-Type": "application/x-www-form-urlencoded"}, 415),
        (BATCH | RIGHT | {"Content-Type": None}, 415),
        (BATCH | RIGHT | {"Content-Length": str(REQUEST_BYTES + 1)}, 413),
        (BATCH | RIGHT | {"Content-Length": "-1"}, 400),
        (BATCH | RIGHT | {"Content-Length": "many"}, 400),
        (BATCH | RIGHT | {"ce-type": "t\xff"}, 400),
        (BATCH | RIGHT | {"ce-extensions": "x", "ce-other": "y", "ce-type": "t"}, 400),
    ],
)
def test_request_that_is_not_the_adapters_is_refused(function, headers, status):
    assert ask(function, headers=headers)[0] == status


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\x00",
        b"\xff\xfe",
        b"[" * 200_000,
        b"9" * 9000,
        b'{"specversion":["1.0"]}',
        b'{"specversion":["1.0"],"type":"t","source":"/s","id":"1"}',
        b'{"specversion":"1.0","type":{},"source":[],"id":7}',
        b'{"specversion":"1.0","type":"\\ud800","source":"/s","id":"1","data":"\\udfff"}',
        b'{"specversion":"1.0","type":"t","source":"/s","id":"1","data_base64":{}}',
        b'{"specversion":"1.0","type":"t","source":"/s","id":"1","extensions":[[[],1]],"other":1}',
    ],
)
def test_request_of_any_other_shape_is_a_fault_of_its_sender(function, body):
    status, head, answer = ask(function, headers=STRUCTURED, body=body)
    assert status == 400
    assert "application/problem+json" in head
    assert json.loads(answer)["detail"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "OPTIONS", "PATCH"])
def test_request_with_another_method_is_refused(function, method):
    status, head, _ = ask(function, method)
    assert (status, "allow: get, head, post" in head.lower()) == (405, True)


def test_question_is_answered_without_the_secret(function):
    assert ask(function, "GET", headers={}, body=b"")[::2] == (200, b"ok\n")
    assert ask(function, "HEAD", headers={}, body=b"")[::2] == (200, b"")
    assert ask(function, "GET", headers={}, body=b"x")[0] == 400
    assert ask(function, "GET", headers={"Origin": "http://example.org"}, body=b"")[0] == 403


@pytest.mark.parametrize("path", ["/", "/robots.txt", "/favicon.ico", "/any/other"])
@pytest.mark.parametrize("chunked", [True, False])
@pytest.mark.parametrize("secret", [RIGHT, {}])
def test_request_that_never_ends_is_not_kept_in_memory(function, path, chunked, secret):
    """functions-framework itself reads what comes with a request for some paths, or that it answers at once."""
    before_kib = most_memory_kib(function)
    length = {"Transfer-Encoding": "chunked"} if chunked else {"Content-Length": str(HUGE_BYTES)}
    headers = BATCH | secret | length | {"Host": "function"}
    head = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    with connected(function) as sock:
        sent_bytes = pour(sock, f"POST {path} HTTP/1.1\r\n{head}\r\n".encode(), chunked=chunked)
    assert most_memory_kib(function) - before_kib < ROOM_KIB
    assert sent_bytes < HUGE_BYTES
    assert ask(function)[0] == 200


def pour(sock, head, *, chunked):
    """Send a body until nobody takes any more. Returns its size."""
    block = bytes(1 << 20)
    sent_bytes = 0
    try:
        sock.sendall(head)
        while sent_bytes < HUGE_BYTES:
            sock.sendall(b"%x\r\n%s\r\n" % (len(block), block) if chunked else block)
            sent_bytes += len(block)
    except OSError:
        pass
    return sent_bytes


def most_memory_kib(function):
    """The most that a process of the function ever had."""
    statuses = [Path(f"/proc/{process.pid}/status").read_text() for process in function.family()]
    return max(int(re.search(r"VmHWM:\s+(\d+)", status)[1]) for status in statuses)
