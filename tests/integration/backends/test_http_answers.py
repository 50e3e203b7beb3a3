"""No answer of Pod's is endless, in bytes or in time: a real connection, and a server that does not behave."""

import socket
import threading
import time
import zlib
from contextlib import contextmanager

import pytest

from podjobs.backends.pod_api import RESPONSE_LIMIT_BYTES, RestPodApi
from podjobs.contract.errors import OperatorNeededError, PermanentError, RetryableError
from podjobs.contract.ports.pod import PodAnswer

BLOCK = b" " * 65536
TIMEOUT_S = 1.0
TRICKLE_S = 0.05
"""Between two bytes, well below what httpx waits for one."""


def sending(content):
    return lambda connection: connection.sendall(content)


@contextmanager
def answering(head, body=lambda _: None):
    """A server that sends the head, then whatever `body` writes; counts the connections."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        taken = []

        def serve():
            while True:
                try:
                    connection, _ = listener.accept()
                except OSError:
                    return
                taken.append(connection)
                threading.Thread(target=answer, args=(connection,), daemon=True).start()

        def answer(connection):
            with connection:
                try:
                    connection.recv(65536)
                    head(connection) if callable(head) else connection.sendall(head)
                    body(connection)
                except OSError:
                    pass

        threading.Thread(target=serve, daemon=True).start()
        api = RestPodApi(f"http://127.0.0.1:{listener.getsockname()[1]}/rest", "t0ken", TIMEOUT_S)
        api.connections = taken
        yield api
        listener.shutdown(socket.SHUT_RDWR)


def head_of(status, *headers):
    return "\r\n".join([f"HTTP/1.1 {status} Whatever", *headers, "", ""]).encode()


def endless(connection):
    while True:
        connection.sendall(BLOCK)


def trickle(connection):
    while True:
        connection.sendall(b"x")
        time.sleep(TRICKLE_S)


def break_off(connection):
    connection.sendall(b"{")


def ok_and_stay(connection):
    connection.sendall(b"OK")
    connection.recv(1)


def took_s(begun_s):
    return time.monotonic() - begun_s


@pytest.mark.parametrize("body", [endless, trickle, break_off])
@pytest.mark.parametrize(("status", "meaning"), [(200, PodAnswer.ACCEPTED), (400, PodAnswer.NOT_IN_PROGRESS)])
def test_post_status_counts_whatever_follows_it(body, status, meaning):
    """Pod has acted before it answers."""
    begun_s = time.monotonic()
    with answering(head_of(status, "Content-Length: 734003200"), body) as api:
        assert api.post_encoded(18, {}) is meaning
    assert took_s(begun_s) < 5


@pytest.mark.parametrize(
    ("body", "status", "error"),
    [(trickle, 500, RetryableError), (endless, 413, PermanentError), (endless, 302, OperatorNeededError)],
)
def test_post_error_whose_body_never_ends_is_the_error_of_its_status(body, status, error):
    begun_s = time.monotonic()
    with answering(head_of(status), body) as api, pytest.raises(error) as failed:
        api.post_encoded(18, {})
    assert len(failed.value.detail) < 600
    assert took_s(begun_s) < 5


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (endless, f"is longer than {RESPONSE_LIMIT_BYTES} bytes"),
        (trickle, "took longer than 1 s"),
        (break_off, "broke off: peer closed"),
    ],
)
def test_video_state_that_never_ends_is_not_read(body, said):
    with answering(head_of(200, "Content-Length: 734003200"), body) as api, pytest.raises(RetryableError, match=said):
        api.video_state(18)


def test_video_state_cut_off_by_us_is_not_taken_for_the_whole():
    """Without a length, a body ends with its connection, which we shut when the time is over."""
    with answering(head_of(200), trickle) as api, pytest.raises(RetryableError, match="took longer than"):
        api.video_state(18)


def test_post_head_that_trickles_is_abandoned_in_time_and_may_have_had_its_effect():
    """httpx waits for every byte anew."""
    begun_s = time.monotonic()
    with answering(trickle) as api, pytest.raises(RetryableError, match="did not respond in time") as failed:
        api.post_encoded(18, {})
    assert failed.value.context["ambiguous"]
    assert took_s(begun_s) < 5


def test_video_state_that_is_compressed_though_nobody_asked_is_not_unpacked():
    bomb = zlib.compress(b"[" * (32 << 20), 9)
    head = head_of(200, "Content-Encoding: deflate", f"Content-Length: {len(bomb)}")
    with answering(head, sending(bomb)) as api, pytest.raises(RetryableError, match="cannot be understood"):
        api.video_state(18)


def test_post_excerpt_of_an_answer_holds_no_token():
    body = b"Authorization: Token t0ken\nt0ken https://user:secret@pod.example.org/?key=secret"
    head = head_of(413, f"Content-Length: {len(body)}")
    with answering(head, sending(body)) as api, pytest.raises(PermanentError) as failed:
        api.post_encoded(18, {})
    assert "t0ken" not in failed.value.detail
    assert "secret" not in failed.value.detail


def test_calls_keep_no_connection():
    """Pod's gunicorn closes an idle one after 2 s: perhaps just as a callback is sent."""
    with answering(
        head_of(200, "Content-Length: 2"), lambda connection: (connection.sendall(b"OK"), time.sleep(1))
    ) as api:
        for _ in range(3):
            api.post_encoded(18, {})
        assert len(api.connections) == 3
