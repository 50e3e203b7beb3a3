"""No secret of a URL gets out, in whatever form the URL stands in the text; and nothing else is cut."""

import time
from urllib.parse import quote

import pytest

from podjobs.contract.redaction import redact

SIGNATURE = "5f3c0ffee5EcReT"
AWS = (
    "https://media.s3.eu-west-3.amazonaws.com/pod/videos/a%20b.mp4?X-Amz-Algorithm=AWS4-HMAC-SHA256"
    "&X-Amz-Credential=AKIA5EcReT%2F20260801%2Feu-west-3%2Fs3%2Faws4_request&X-Amz-Date=20260801T000000Z"
    "&X-Amz-Expires=3600&X-Amz-SignedHeaders=host&X-Amz-Security-Token=IQoJ5EcReT%2F%2F%3D"
    f"&X-Amz-Signature={SIGNATURE}"
)
AWS_SHOWN = "https://media.s3.eu-west-3.amazonaws.com/pod/videos/a%20b.mp4?…"
TWICE_SHOWN = "https%253A%252F%252Fmedia.s3.eu-west-3.amazonaws.com%252Fpod%252Fvideos%252Fa%252520b.mp4?…"
NESTED = f"https://proxy.example/{quote(AWS, safe='')}"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        (AWS, AWS_SHOWN),
        (f"{AWS}: Server returned 403 Forbidden", f"{AWS_SHOWN}: Server returned 403 Forbidden"),
        (f"[https @ 0x55] Opening '{AWS}' for reading", f"[https @ 0x55] Opening '{AWS_SHOWN}' for reading"),
        (f"Redirected from {AWS} to {AWS}.", f"Redirected from {AWS_SHOWN} to {AWS_SHOWN}."),
        (f"({AWS}), again", f"({AWS_SHOWN}), again"),
        # one that ffmpeg's own line length cut off, with the next line behind it
        (f"{AWS[:-8]}[https @ 0x55] HTTP error 403", f"{AWS_SHOWN} @ 0x55] HTTP error 403"),
        # percent-encoded, once and again, as a redirect's target or a proxy's path
        (quote(AWS, safe=""), "https%3A%2F%2Fmedia.s3.eu-west-3.amazonaws.com%2Fpod%2Fvideos%2Fa%2520b.mp4?…"),
        (quote(quote(AWS, safe=""), safe=""), TWICE_SHOWN),
        (NESTED, "https://proxy.example/https%3A%2F%2Fmedia.s3.eu-west-3.amazonaws.com%2Fpod%2Fvideos%2Fa%2520b.mp4?…"),
        (f"https://login.example/?next={AWS}&token=5EcReT", "https://login.example/?…"),
        # within ffmpeg's own protocols and filters
        (f"subfile,,start,0,end,9,,:{AWS}", f"subfile,,start,0,end,9,,:{AWS_SHOWN}"),
        (f"crypto+{AWS}", f"crypto+{AWS_SHOWN}"),
        ("concat:http://a.example/1|http://me:5EcReT@b.example/2", "concat:http://a.example/1|http://…@b.example/2"),
        (r"movie=https\://a.example/1?sig=5EcReT,scale=2:2", r"movie=https\://a.example/1?…"),
        # user info, also of those who do not escape what is in it
        ("https://me:5EcReT@host:8443/key", "https://…@host:8443/key"),
        ("https://5EcReT@host/key?a=5EcReT", "https://…@host/key?…"),
        ("https://me:5Ec@ReT@host/key", "https://…@host/key"),
        ("https://me:5Ec%40ReT@host/key", "https://…@host/key"),
        ("https%3A%2F%2Fme%3A5EcReT%40host%2Fkey", "https%3A%2F%2F…@host%2Fkey"),
        ("https://me:5Ec/ReT@host/key", "https://…"),
        ("https://me:x?5EcReT@host/key", "https://…"),
        ("https://me:5EcReT", "https://…"),
        ("https://[2001:db8::1]:8443/key#5EcReT", "https://[2001:db8::1]:8443/key?…"),
        ("HTTPS://host/key?5EcReT", "HTTPS://host/key?…"),
        ("s3://me:5EcReT@bucket/key", "s3://…@bucket/key"),
        # what is left where the URL itself is not there
        (f"GET /key?X-Amz-Signature={SIGNATURE}&a=b HTTP/1.1", "GET /key?X-Amz-Signature=…&a=b HTTP/1.1"),
        ("name.mp4&AWSAccessKeyId=AKIA5EcReT&Signature=5EcReT%3D", "name.mp4&AWSAccessKeyId=…&Signature=…"),
        ("X-Goog-Signature%3D5EcReT", "X-Goog-Signature%3D…"),
        ("sv=2024&sig=5EcReT&se=1", "sv=2024&sig=…&se=1"),
        ("temp_url_sig=5EcReT&temp_url_expires=1", "temp_url_sig=…&temp_url_expires=1"),
        ("Authorization: Basic 5EcReT==", "Authorization: …"),
        ("-headers Cookie:a=5EcReT", "-headers Cookie:…"),
    ],
)  # fmt: skip
def test_redact_keeps_what_is_meant_and_nothing_secret(text, shown):
    assert redact(text) == shown
    assert "5EcReT" not in redact(text)
    assert redact(redact(text)) == redact(text)


@pytest.mark.parametrize("encoded", [AWS, quote(AWS, safe=""), NESTED])
def test_redact_wherever_a_url_is_cut_off_its_secrets_are_cut(encoded):
    for length in range(len(encoded) + 1):
        shown = redact(encoded[:length])
        assert "5EcReT" not in shown
        assert "AKIA" not in shown
        assert "IQoJ" not in shown


@pytest.mark.parametrize(
    "text",
    [
        "",
        "/srv/médias/what? #1 100%.mp4",
        "/media/videos/me@example.org/a:b.mp4: Invalid data found when processing input",
        "[mov,mp4 @ 0x55d1] moov atom not found",
        "[0:v]fps=25,split=2[a][b];[a]scale=w='min(640,iw)':h=-2[c]",
        "keyint=50:min-keyint=50:sigma=2:signal=1",
        "https://pod.example.org/media/videos/talk.mp4",
        "http://127.0.0.1:8080: Connection refused",
        "Protocol 'https' not on whitelist 'file'!",
        "pipe:0",
        "file:///srv/media/talk.mp4",
        "12:34:56 // a comment, 50% of it",
    ],
)
def test_redact_text_without_secrets_stays_as_it_is(text):
    assert redact(text) == text


@pytest.mark.parametrize("part", ["a", "http://", "%25", "a://b@", "sig=", "'", "\\"])
def test_redact_takes_a_time_that_grows_with_the_text_only(part):
    begun = time.monotonic()
    redact(part * 50_000)
    redact(f"http://h/{part * 50_000}")
    assert time.monotonic() - begun < 5
