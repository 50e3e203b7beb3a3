"""Clients are told by their tokens, and name the machines of their settings alone."""

import re

import pytest

from adapter.door.runner.clients import API_TOKEN, BEARER, Clients, NewToken, digest_of, is_allowed
from adapter.runner_settings import TOKEN_CHARS, RunnerClient
from support.runner_requests import TOKEN, client_settings

OTHER = "another-token"
CLIENTS = Clients(
    {
        "pod": RunnerClient.model_validate(client_settings()),
        "other": RunnerClient.model_validate(client_settings(token_sha256=[digest_of("old"), digest_of(OTHER)])),
    }
)


@pytest.mark.parametrize(
    ("headers", "name", "header"),
    [
        ({BEARER: f"Bearer {TOKEN}"}, "pod", BEARER),
        ({BEARER: f"bearer  {TOKEN} "}, "pod", BEARER),
        ({API_TOKEN: TOKEN}, "pod", API_TOKEN),
        ({API_TOKEN: OTHER}, "other", API_TOKEN),
        ({API_TOKEN: "old"}, "other", API_TOKEN),
    ],
)
def test_identify_finds_the_client_of_a_token(headers, name, header):
    found = CLIENTS.identify(headers)
    assert (found.name, found.header) == (name, header)
    assert found.token in next(iter(headers.values()))
    assert found.token not in repr(found)


@pytest.mark.parametrize(
    "headers",
    [{}, {BEARER: TOKEN}, {BEARER: f"Basic {TOKEN}"}, {BEARER: "Bearer "}, {BEARER: f"Bearer {TOKEN}x"},
     {API_TOKEN: ""}, {API_TOKEN: digest_of(TOKEN)}, {API_TOKEN: "\udce9"}],
)  # fmt: skip
def test_identify_knows_nobody_without_a_token(headers):
    assert CLIENTS.identify(headers) is None


def test_make_fits_into_pods_column_and_is_known_by_its_digest():
    made = NewToken.make()
    assert re.fullmatch(r"[A-Za-z0-9_-]{40,50}", made.token)
    assert len(made.token) <= TOKEN_CHARS
    assert made.digest == digest_of(made.token)
    assert NewToken.make().token != made.token


@pytest.mark.parametrize(
    ("url", "hosts", "private", "allowed"),
    [
        ("https://pod.example.org/x", ("pod.example.org",), False, True),
        ("https://POD.example.org./x", ("pod.example.org",), False, True),
        ("https://pod.example.org:8443/x", ("pod.example.org",), False, True),
        ("https://pod.example.org/x", ("pod.example.org:443",), False, True),
        ("http://pod.example.org/x", ("pod.example.org:443",), False, False),
        ("https://evil.org/pod.example.org", ("pod.example.org",), False, False),
        ("https://pod.example.org@evil.org/", ("pod.example.org",), False, False),
        ("https://pod.example.org.evil.org/", ("pod.example.org",), False, False),
        ("http://10.0.0.7/x", ("10.0.0.7",), False, False),
        ("http://10.0.0.7/x", ("10.0.0.7",), True, True),
        ("http://[::1]:8000/x", ("[::1]:8000",), True, True),
        ("http://127.0.0.1:8000/x", ("127.0.0.1",), False, False),
        ("http://localhost/x", ("localhost",), False, False),
        ("http://169.254.169.254/latest", ("169.254.169.254",), False, False),
        ("http://[::1/x", ("[::1]",), True, False),
        ("http://pod.example.org:99999/x", ("pod.example.org",), False, False),
    ],
)
def test_is_allowed_takes_the_hosts_of_the_settings_alone(url, hosts, private, allowed):
    assert is_allowed(url, hosts, private=private) is allowed
