"""Files are fetched whole or not at all, however often their server breaks off or whoever fetches them is stopped."""

import random

import pytest

from podjobs.contract.errors import NotNowError, PermanentError, RetryableError
from podjobs.contract.web_hosts import HostRules
from podjobs.fetching import receiving
from support.media_storages import STORAGES

SOURCE = "runner/job-1/source/a.mp4"
MIB = 1 << 20
EVERYWHERE = pytest.mark.parametrize("media", STORAGES, indirect=True)


def content_of(size_bytes):
    return random.Random(size_bytes).randbytes(size_bytes)


@pytest.fixture(autouse=True)
def _hurry(monkeypatch):
    """Pauses are for servers that need them."""
    monkeypatch.setattr(receiving, "PAUSE_S", 0.0)


def read(media, key=SOURCE):
    with media.open().open(key) as file:
        return file.read()


@pytest.mark.parametrize("size_bytes", [3 * MIB + 17, 0])
@EVERYWHERE
def test_file_is_fetched_whole_and_the_job_goes_on(web, fetch, media, size_bytes):
    url = web.put("/a.mp4", content_of(size_bytes))
    plan = fetch({url: SOURCE})
    assert read(media) == content_of(size_bytes)
    assert [(stage.name, [step.action for step in stage.steps]) for stage in plan.stages] == [("plan", ["plan"])]
    assert plan.log == (f"Fetched: {url}, {size_bytes / 1e6:.1f} MB.",)


@EVERYWHERE
def test_connection_that_breaks_off_is_continued_where_it_ended(web, fetch, media):
    url = web.put("/a.mp4", content_of(5 * MIB), breaks_after=[MIB, 2 * MIB])
    fetch({url: SOURCE})
    assert read(media) == content_of(5 * MIB)
    assert web.starts == [0, MIB, 3 * MIB]


def test_file_that_changes_meanwhile_is_fetched_anew(web, fetch, media):
    url = web.put("/a.mp4", content_of(5 * MIB), breaks_after=[2 * MIB])
    old = web.files["/a.mp4"]

    class Replaced(list):
        def pop(self, _):
            web.put("/a.mp4", content_of(4 * MIB), version='"2"')
            return list.pop(self, 0)

    old.breaks_after = Replaced(old.breaks_after)
    fetch({url: SOURCE})
    assert read(media) == content_of(4 * MIB)
    assert web.starts == [0, 2 * MIB, 0]


@pytest.mark.parametrize("how", [{"ranges": False}, {"version": ""}])
def test_server_that_cannot_continue_is_asked_for_the_whole(web, fetch, media, how):
    url = web.put("/a.mp4", content_of(5 * MIB), breaks_after=[MIB], **how)
    fetch({url: SOURCE})
    assert read(media) == content_of(5 * MIB)


def test_part_that_was_not_asked_for_is_not_taken(web, fetch, media):
    url = web.put("/a.mp4", content_of(3 * MIB), breaks_after=[MIB], sends_another_part=True)
    fetch({url: SOURCE})
    assert read(media) == content_of(3 * MIB)
    assert web.starts == [0, MIB, 0]


def test_server_that_never_begins_at_the_beginning_is_given_up(web, fetch):
    url = web.put("/a.mp4", content_of(MIB), begins_at=5)
    with pytest.raises(NotNowError, match="not sent from its beginning"):
        fetch({url: SOURCE})
    assert web.starts == [0, 0, 0]


def test_length_that_is_marked_instead_of_said_will_do(web, fetch, media):
    url = web.put("/a.mp4", content_of(3 * MIB), length="chunked")
    fetch({url: SOURCE})
    assert read(media) == content_of(3 * MIB)


def test_unknown_length_is_refused(web, fetch, media):
    url = web.put("/a.mp4", content_of(100), length="none")
    with pytest.raises(PermanentError, match="does not say how long"):
        fetch({url: SOURCE})
    assert not media.open().exists(SOURCE)


@pytest.mark.parametrize(
    ("status", "error", "says"),
    [
        (404, PermanentError, "no such file"),
        (410, PermanentError, "no such file"),
        (403, PermanentError, "not given to everybody"),
        (400, PermanentError, "answers 400"),
        (503, NotNowError, "answers 503"),
        (429, NotNowError, "answers 429"),
    ],
)
@pytest.mark.every_case
def test_answer_that_is_no_file_is_explained(web, fetch, media, status, error, says):
    url = web.put("/a.mp4", content_of(10), statuses=[status] * 9)
    with pytest.raises(error, match=says) as raised:
        fetch({url + "?token=hidden": SOURCE})
    assert type(raised.value) is error
    assert "hidden" not in raised.value.detail
    assert not media.open().exists(SOURCE)


def test_server_that_is_down_is_waited_for(fetch, web):
    with pytest.raises(NotNowError, match="cannot be fetched now"):
        fetch({f"http://127.0.0.1:1/{web.port}": SOURCE})


def test_file_that_is_too_large_is_refused_before_it_is_fetched(web, fetch):
    url = web.put("/a.mp4", content_of(3 * MIB))
    with pytest.raises(PermanentError, match=r"larger than the 0\.001 GiB"):
        fetch({url: SOURCE}, podjobs_fetch_max_gb=0.001)
    assert web.starts == [0]


def test_file_that_turns_out_to_be_too_large_is_refused(web, fetch):
    url = web.put("/a.mp4", content_of(3 * MIB), length="chunked")
    with pytest.raises(PermanentError, match=r"larger than the 0\.001 GiB"):
        fetch({url: SOURCE}, podjobs_fetch_max_gb=0.001)


def test_compressed_content_is_refused(web, fetch):
    with pytest.raises(PermanentError, match="compressed"):
        fetch({web.put("/a.mp4", b"\x1f\x8b", encoding="gzip"): SOURCE})


@EVERYWHERE
def test_step_that_runs_out_of_time_goes_on_with_a_further_one(web, fetch, media):
    url = web.put("/a.mp4", content_of(40 * MIB), bytes_per_s=20 * MIB)
    plan = fetch({url: SOURCE}, timeout_s=2)
    (step,) = plan.stages[0].steps
    assert (step.id, step.action, step.params["number"]) == ("fetch-2", "fetch", 2)
    assert not media.open().exists(SOURCE)
    web.files["/a.mp4"].bytes_per_s = 0
    plan = fetch({url: SOURCE}, params=step.params)
    assert plan.stages[0].steps[0].action == "plan"
    assert read(media) == content_of(40 * MIB)
    assert web.starts[-1] >= 8 * MIB  # what had come was not fetched again


def test_fetching_that_takes_too_long_fails(web, fetch):
    url = web.put("/a.mp4", content_of(64 * MIB), bytes_per_s=32 * MIB)
    first = fetch({url: SOURCE}, timeout_s=1)
    spent = first.stages[0].steps[0].params
    with pytest.raises(PermanentError, match="PODJOBS_FETCH_MAX_S"):
        fetch({url: SOURCE}, timeout_s=1, params=spent, podjobs_fetch_max_s=1)


def test_server_that_is_too_slow_is_given_up(web, fetch):
    url = web.put("/a.mp4", content_of(MIB), bytes_per_s=MIB / 10)
    with pytest.raises(RetryableError, match="too slowly"):
        fetch({url: SOURCE}, timeout_s=1)


@EVERYWHERE
def test_nothing_is_left_of_a_job_that_has_ended(web, fetch, media):
    url = web.put("/a.mp4", content_of(3 * MIB))
    with pytest.raises(RetryableError):
        fetch({url: SOURCE}, params={"number": 2})  # its work folder is gone
    assert media.list_everything() == set()


def test_redirects_are_followed_to_hosts_that_are_allowed_only(web, fetch, media):
    web.put("/a.mp4", content_of(100))
    first = web.put("/first", b"", location="/a.mp4")
    fetch({first: SOURCE})
    assert read(media) == content_of(100)
    away = web.put("/away", b"", location=web.url("/a.mp4", host="localhost"))
    rules = HostRules(hosts=("127.0.0.1",), private=("127.0.0.0/8",))
    with pytest.raises(PermanentError, match="PODJOBS_FETCH_HOSTS"):
        fetch({away: "runner/job-1/source/b.mp4"}, rules=rules)
    loop = web.put("/loop", b"", location="/loop")
    with pytest.raises(PermanentError, match="more than 5 times"):
        fetch({loop: "runner/job-1/source/c.mp4"})


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "2130706433", "[::ffff:127.0.0.1]"])
@pytest.mark.every_case
def test_address_that_is_not_public_is_not_connected_to(web, fetch, host):
    web.put("/a.mp4", b"secret")
    with pytest.raises(PermanentError, match="PODJOBS_FETCH_PRIVATE"):
        fetch({web.url("/a.mp4", host=host): SOURCE}, rules=HostRules())
    assert web.requests == []


def test_name_is_allowed_that_stands_for_a_private_address(web, fetch, media):
    web.put("/a.mp4", b"x")
    fetch({web.url("/a.mp4", host="localhost"): SOURCE}, rules=HostRules(private=("localhost",)))
    assert read(media) == b"x"


def test_url_with_a_login_is_refused(fetch):
    with pytest.raises(PermanentError, match="login") as raised:
        fetch({"http://user:password@127.0.0.1/a.mp4": SOURCE})
    assert "password" not in raised.value.detail
