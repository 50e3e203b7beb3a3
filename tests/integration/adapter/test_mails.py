"""Mails to administrators, taken by a real mail server."""

import asyncio
import contextlib
import ssl
import time
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

from adapter.alerts.occurrences import Kind, Occurrence
from adapter.alerts.outbox import Outbox
from adapter.alerts.sender import MailSender
from adapter.alerts.smtp import MailError, send_mail, write_mail
from adapter.cancellation import cancel_and_wait
from adapter.operation_settings.alerts import AlertSettings
from adapter.redis import keys
from local.client import request_encoding
from support.certificates import own_certificate
from support.processes import free_port, wait_for
from support.waiting import wait_until


class Sink:
    """Takes all mails, or none."""

    def __init__(self):
        self.mails, self.is_down = [], False

    async def handle_DATA(self, _server, _session, envelope):  # noqa: N802 - the name is given
        if self.is_down:
            return "451 not now"
        self.mails.append(message_from_bytes(envelope.content, policy=policy.default))
        return "250 taken"


@pytest.fixture
def sink():
    return Sink()


@contextlib.contextmanager
def serving(sink, **options):
    controller = Controller(sink, hostname="127.0.0.1", port=free_port(), **options)
    controller.start()
    try:
        yield controller.port
    finally:
        controller.stop()


@pytest.fixture
def port(sink):
    with serving(sink) as port:
        yield port


@pytest.fixture
def tls(tmp_path):
    made = own_certificate(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(made.file, made.key)
    return context, made.file


def settings_of(port, **more):
    return AlertSettings(admins="anna@example.org, bert@example.org", email_host="127.0.0.1", email_port=port, **more)


def send(settings):
    return send_mail(settings, write_mail(settings, "Étape échouée\r\nBcc: x@example.org", "Une ligne.\n" + "é" * 3000))


def test_mail_has_the_headers_of_an_automatic_one_and_no_others(sink, port):
    assert send(settings_of(port)) == []
    (mail,) = sink.mails
    assert mail["To"] == "anna@example.org, bert@example.org"
    assert mail["Subject"] == "[pod-functions] Étape échouée Bcc: x@example.org"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert mail["Bcc"] is None
    assert mail["Date"]
    assert mail["Message-ID"]
    assert mail.get_content().startswith("Une ligne.\r\n")
    assert max(map(len, mail.as_bytes().splitlines())) < 998


@pytest.mark.parametrize("way", ["starttls", "ssl"])
def test_mail_is_sent_by_tls_if_the_certificate_is_trusted(sink, tls, way, monkeypatch):
    context, certificate = tls
    options = {"ssl_context": context} if way == "ssl" else {"tls_context": context, "require_starttls": True}
    if way == "ssl":
        options |= {"ready_timeout": 5}
    with serving(sink, **options) as port:
        wanted = settings_of(port, email_use_ssl=way == "ssl", email_use_tls=way == "starttls")
        with pytest.raises(MailError, match=r"cannot be reached by TLS: .*certificate"):
            send(wanted)
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert send(wanted) == []
    assert len(sink.mails) == 1


def test_mail_server_that_refuses_the_login_says_which_settings(sink, tls, monkeypatch):
    context, certificate = tls

    def judge(_server, _session, _envelope, _mechanism, data):
        return AuthResult(success=data.password == b"right", handled=False)

    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with serving(sink, tls_context=context, authenticator=judge, auth_required=True) as port:
        login = {"email_use_tls": True, "email_host_user": "podjobs"}
        with pytest.raises(MailError, match="does not accept EMAIL_HOST_USER and EMAIL_HOST_PASSWORD") as refused:
            send(settings_of(port, email_host_password="wrong", **login))  # noqa: S106 - of this test
        assert "wrong" not in str(refused.value)
        assert send(settings_of(port, email_host_password="right", **login)) == []  # noqa: S106 - likewise


def test_mail_server_that_is_not_there_says_which_settings():
    with pytest.raises(MailError, match=r"127.0.0.1:1 cannot be used: .* Look at EMAIL_HOST and EMAIL_PORT."):
        send(settings_of(1))


@pytest.mark.parametrize("host", ["smtp..example.org", f"{'x' * 70}.org"])
def test_mail_server_whose_name_is_none_says_which_setting(host):
    with pytest.raises(MailError, match=r"cannot be the name of a mail server. Correct EMAIL_HOST."):
        send(settings_of(25).model_copy(update={"email_host": host}))


@pytest.fixture
async def sending(jobs_redis):
    """Start senders of several adapters."""
    running = []

    async def start(name, port, **more):
        outbox = Outbox(jobs_redis, name)
        sender = MailSender(settings_of(port, **more), outbox, "https://pod.example.org/podjobs")
        running.append(asyncio.create_task(sender.run()))
        return outbox

    yield start
    await cancel_and_wait(running)


def failed(number):
    return Occurrence(Kind.JOB_FAILED, f"job-{number}", "No video.", 1_700_000_000, {"target": "7", "type": "encoding"})


@pytest.mark.slow
async def test_first_failure_is_told_at_once_and_a_thousand_more_in_one_mail(sink, port, sending, jobs_redis):
    outbox = await sending("one", port)
    await sending("two", port)
    await outbox.put(failed(0))
    await wait_until(lambda: len(sink.mails) == 1)
    assert sink.mails[0]["Subject"] == "[pod-functions] The encoding of the video 7 has failed"
    assert "https://pod.example.org/podjobs/jobs/job-0" in sink.mails[0].get_content()
    for number in range(1, 1001):
        await outbox.put(failed(number))
    await asyncio.sleep(4)
    assert len(sink.mails) == 1
    await jobs_redis.hset(keys.MAIL_WINDOWS, Kind.JOB_FAILED, f"[{time.time()}, 900]")  # the window is over
    await wait_until(lambda: len(sink.mails) == 2)
    told = sink.mails[1].get_content()
    assert sink.mails[1]["Subject"] == "[pod-functions] 1000 jobs have failed"
    assert told.count("job-") == 40
    assert "job-1000" in told
    assert "… and 980 more." in told
    async with asyncio.timeout(5):  # the server has taken the mail a moment before that is noted
        while await jobs_redis.xlen(keys.OCCURRENCES):
            await asyncio.sleep(0.05)


async def test_mail_that_is_not_taken_is_sent_when_the_server_is_well_again(sink, port, sending, jobs_redis):
    sink.is_down = True
    outbox = await sending("one", port, language_code="fr-fr")
    await outbox.put(failed(0))
    await asyncio.sleep(1)
    assert await jobs_redis.xlen(keys.OCCURRENCES) == 1
    sink.is_down = False
    await wait_until(lambda: len(sink.mails) == 1, timeout_s=15)
    assert sink.mails[0]["Subject"] == "[pod-functions] Échec : encodage de la vidéo 7"


async def test_what_only_another_version_can_tell_and_what_is_no_character_keep_no_mail_back(
    sink, port, sending, jobs_redis
):
    outbox = Outbox(jobs_redis, "newer")
    await outbox.put(Occurrence("of_a_newer_version", "about"))
    await outbox.put(replace(failed(0), reason="half a pair: \ud800"))
    await sending("one", port)
    await wait_until(lambda: len(sink.mails) == 1)
    assert "half a pair: \N{REPLACEMENT CHARACTER}" in sink.mails[0].get_content()
    async with asyncio.timeout(5):
        while await jobs_redis.xlen(keys.OCCURRENCES) > 1:
            await asyncio.sleep(0.05)
    ((_, left),) = await jobs_redis.xrange(keys.OCCURRENCES)
    assert Occurrence.of_text(left["occurrence"]).kind == "of_a_newer_version"


@pytest.mark.slow
def test_failed_job_is_told_by_another_adapter_after_the_one_that_saw_it_was_killed(start, client, redis_url, sink):
    sink.is_down = True
    with serving(sink) as port:
        mail = {"ADMINS": "anna@example.org", "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port)}
        first = start(**mail, PODJOBS_BACKLOG_ALERT_S="0").wait()
        job_id = request_encoding(redis_url, 8, "/media/8.mp4", (-1, 0))
        wait_for(lambda: client.xlen(keys.OCCURRENCES) == 1, 20)
        first.kill()
        client.delete(keys.MAIL_SENDER)  # it expires by itself, later
        sink.is_down = False
        start(**mail).wait()
        wait_for(lambda: sink.mails, 20)
    (told,) = sink.mails
    assert told["Subject"] == "[pod-functions] The encoding of the video 8 has failed"
    assert job_id in told.get_content()
    assert f"podjobs show {job_id}" in told.get_content()


def test_mail_test_says_whether_the_server_takes_a_mail(command, environment, sink, port):
    missing = command("mail-test")
    assert (missing.returncode, "ADMINS is not set" in missing.stderr) == (2, True)
    environment |= {"ADMINS": '[["Anna", "anna@example.org"]]', "EMAIL_HOST": "127.0.0.1", "EMAIL_PORT": str(port)}
    done = command("mail-test")
    assert (done.returncode, done.stdout) == (
        0,
        f"The mail server 127.0.0.1:{port} has taken a mail to anna@example.org.\n",
    )
    assert sink.mails[0]["Subject"] == "[pod-functions] Mails arrive"
    environment["EMAIL_PORT"] = "1"
    refused = command("mail-test")
    assert (refused.returncode, "Look at EMAIL_HOST and EMAIL_PORT" in refused.stderr) == (1, True)
