"""Who may see the page, and from where it may be changed."""

import time

import pytest

from adapter.page.access import FAILURES, Access, Caller, LoginNeededError, RefusedError

TOKEN = "a-token-of-the-tests"  # noqa: S105 - not a real secret
HERE = {"Host": "127.0.0.1:8090"}


@pytest.fixture
def open_access():
    return Access(None)


@pytest.fixture
def access():
    return Access(TOKEN)


def caller(peer="127.0.0.1", cookie="", **headers):
    return Caller(peer, HERE | {name.replace("_", "-"): value for name, value in headers.items()}, cookie)


@pytest.mark.parametrize("peer", ["127.0.0.1", "127.9.9.9", "::1"])
@pytest.mark.parametrize("host", ["127.0.0.1:8090", "localhost", "podjobs.localhost:1", "[::1]:8090"])
def test_without_a_token_who_is_on_this_machine_may_see_it(open_access, peer, host):
    assert open_access.admit(caller(peer, Host=host)) == "local"


@pytest.mark.parametrize("peer", ["192.0.2.7", "10.0.0.1", "::ffff:192.0.2.7", "", "unix"])
def test_without_a_token_nobody_else_may(open_access, peer):
    with pytest.raises(RefusedError, match="set PODJOBS_PAGE_TOKEN") as refused:
        open_access.admit(caller(peer))
    assert refused.value.status == 403


@pytest.mark.parametrize("host", ["evil.example", "pod.example.org:8090", "", "127.0.0.1.evil.example", "192.0.2.7"])
def test_without_a_token_a_name_that_was_pointed_at_this_machine_does_not_help(open_access, host):
    with pytest.raises(RefusedError):
        open_access.admit(caller(Host=host))


@pytest.mark.parametrize("name", ["X_Forwarded_For", "X_Real_IP", "Forwarded", "X_Forwarded_Host", "Via"])
def test_without_a_token_what_a_proxy_passes_on_is_from_elsewhere(open_access, name):
    with pytest.raises(RefusedError):
        open_access.admit(caller(**{name: "127.0.0.1"}))


def test_with_a_token_the_cookie_of_a_login_or_the_header_is_needed_wherever_it_comes_from(access):
    with pytest.raises(LoginNeededError):
        access.admit(caller())
    cookie = access.log_in(caller("192.0.2.7"), TOKEN)
    assert access.admit(caller("192.0.2.7", cookie)) == cookie
    assert access.admit(caller("192.0.2.7", Authorization=f"Bearer {TOKEN}")) == "bearer"
    assert TOKEN not in cookie


def test_a_cookie_that_was_changed_is_of_another_token_or_is_over_is_none(access, monkeypatch):
    cookie = access.log_in(caller(), TOKEN)
    ends, nonce, signature = cookie.split(".")
    now_s = time.time()
    forged = (f"{int(ends) + 9}.{nonce}.{signature}", f"{ends}.{nonce}.", "", "..", "\udcff.x.y", cookie[:-1])
    for wrong in forged:
        with pytest.raises(LoginNeededError):
            access.admit(caller(cookie=wrong))
    with pytest.raises(LoginNeededError):
        Access("another-token-of-the-tests").admit(caller(cookie=cookie))
    monkeypatch.setattr(time, "time", lambda: now_s + 13 * 3600)
    with pytest.raises(LoginNeededError):
        access.admit(caller(cookie=cookie))


def test_a_form_of_the_page_may_change_something_and_nothing_else_may(access):
    cookie = access.log_in(caller(), TOKEN)
    key = access.form_key(cookie)
    own = {"Origin": "http://127.0.0.1:8090", "Sec_Fetch_Site": "same-origin"}
    assert access.admit_change(caller(cookie=cookie, **own), key) == cookie
    assert access.admit_change(caller(cookie=cookie, Origin="null"), key) == cookie
    assert access.admit_change(caller(Authorization=f"Bearer {TOKEN}"), "") == "bearer"
    for headers, shown in (
        ({"Sec_Fetch_Site": "cross-site"}, key),
        ({"Sec_Fetch_Site": "same-site"}, key),
        ({"Origin": "https://evil.example"}, key),
        (own, ""),
        (own, access.form_key("another session")),
        (own, cookie),
    ):
        with pytest.raises(RefusedError, match="does not come from the page"):
            access.admit_change(caller(cookie=cookie, **headers), shown)


def test_forms_of_different_logins_have_different_keys(access):
    cookies = {access.log_in(caller(), TOKEN) for _ in range(3)}
    assert len({access.form_key(cookie) for cookie in cookies}) == 3


def test_after_many_wrong_tokens_even_the_right_one_is_refused_for_a_while(access, monkeypatch):
    now_s = time.monotonic()
    for _ in range(FAILURES):
        with pytest.raises(LoginNeededError):
            access.log_in(caller(), "wrong")
    with pytest.raises(RefusedError, match="Wait a minute") as refused:
        access.admit(caller(Authorization=f"Bearer {TOKEN}"))
    assert refused.value.status == 429
    monkeypatch.setattr(time, "monotonic", lambda: now_s + 61)
    assert access.log_in(caller(), TOKEN)


def test_a_token_with_bytes_that_are_no_text_is_a_wrong_one(access):
    with pytest.raises(LoginNeededError):
        access.admit(caller(Authorization="Bearer \udcff\udcfe"))
