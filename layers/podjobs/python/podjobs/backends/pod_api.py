"""Pod's REST interface. Implements the `PodApi` port.

Source: docs/contract-pod.md, callbacks.
"""

import json
import time
from contextlib import suppress
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import structlog

from podjobs.backends.http_answers import CONNECT_TIMEOUT_S, UNCHANGED, HttpAnswer, Limits, call, described
from podjobs.backends.pod_topic import find_owner, read_topic
from podjobs.contract.errors import (
    OperatorNeededError,
    PermanentError,
    RetryableError,
    ShutOutError,
    StepError,
    UnavailableError,
)
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.ports.pod import PodAnswer, PodFacts, VideoState, VideoTopic
from podjobs.contract.redaction import CUT, redact
from podjobs.contract.retry_after import read_retry_after

logger = structlog.get_logger(__name__)

QUESTION_TIMEOUT_S = 30.0
"""Questions, unlike callbacks, make Pod do nothing that takes long."""
WAIT_S = 30.0
"""Used when Pod asks to wait without saying how long."""
OPERATOR_RETRY_S = 300.0
"""An operator must act first (401, 403, 3xx): retrying more often changes nothing."""
RESPONSE_LIMIT_BYTES = 4 * 1024 * 1024
"""What Pod says about a video takes a few kilobytes."""
REASON_CHARS = 300
MAX_PAGES = 20
"""Of a list: Pod has a handful of renditions."""
_MISSING = frozenset({HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED})
"""Whoever answers has no such callback, or not what it is about."""
_LOCKED_OUT = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
_UNTRUSTED = "CERTIFICATE_VERIFY_FAILED"
_FROM_A_PROXY = frozenset({HTTPStatus.BAD_GATEWAY, HTTPStatus.GATEWAY_TIMEOUT})
"""Something before Pod got no answer from it in time, or lost it: Pod may still be importing."""


class RestPodApi:
    """Pod over HTTP, with a token."""

    def __init__(self, url: str, token: str, timeout_s: float) -> None:
        """Open a client; nothing is sent yet.

        Args:
            url: POD_API_URL, for instance `https://pod.example.org/rest`.
            token: POD_API_TOKEN of a staff user.
            timeout_s: how long a callback may take, from connecting to the last byte of Pod's answer; Pod imports the
                video inside the request.
        """
        self._url = url.rstrip("/")
        self._token = token
        self._timeout_s = timeout_s
        self._client = httpx.Client(
            headers={**UNCHANGED, "Authorization": f"Token {token}"},
            timeout=httpx.Timeout(timeout_s, connect=min(CONNECT_TIMEOUT_S, timeout_s)),
            # gunicorn closes a connection after 2 s: one that is kept would often be closed as a callback is sent
            limits=httpx.Limits(max_keepalive_connections=0),
        )

    def post_encoded(self, video_id: int, body: dict[str, Any]) -> PodAnswer:
        """Notify Pod that a video is encoded; see the port."""
        path = "/store_remote_encoded_video/"
        answer = self._send("POST", path, {"id": video_id}, body)
        if answer.status == HTTPStatus.BAD_REQUEST:
            return PodAnswer.NOT_IN_PROGRESS
        return self._conclude(video_id, path, answer)

    def post_transcribed(self, video_id: int, body: dict[str, Any]) -> PodAnswer:
        """Notify Pod that a video is transcribed; see the port."""
        path = "/store_remote_transcripted_video/"
        return self._conclude(video_id, path, self._send("POST", path, {"id": video_id}, body))

    def post_composed(self, recording_id: int, body: dict[str, Any]) -> PodAnswer:
        """Notify Pod that a studio recording is composed; see the port."""
        path = "/store_remote_encoded_video_studio/"
        answer = self._send("POST", path, {"recording_id": recording_id}, body)
        if _is_success(answer):
            return PodAnswer.ACCEPTED
        if answer.status not in _MISSING:
            raise self._failure(path, answer)
        # Pod cannot be asked about recordings
        if not _is_rest(answer) and _is_success(self._send("GET", "/renditions/", {}, None)):
            raise _no_callback("Pod answers", path, answer, "3.5.2")
        self._check_is_pods(answer)
        return PodAnswer.UNKNOWN_VIDEO

    def video_state(self, video_id: int) -> VideoState | None:
        """Get Pod's state of a video; see the port."""
        path = f"/videos/{video_id}/"
        answer = self._send("GET", path, {}, None)
        if answer.status == HTTPStatus.NOT_FOUND:
            self._check_is_pods(answer)
            return None
        facts = self._read(path, answer)
        try:
            return VideoState(
                in_progress=bool(facts["encoding_in_progress"]),
                step=str(facts.get("get_encoding_step") or ""),
                encoded=bool(facts.get("encoded")),
                duration_s=int(facts.get("duration") or 0),
                slug=str(facts.get("slug") or ""),
                file_url=str(facts.get("video") or ""),
            )
        except (ValueError, KeyError, TypeError, AttributeError, OverflowError) as error:
            raise _not_pods(path) from error

    def video_topic(self, video_id: int) -> VideoTopic | None:
        """Get what people have written about a video; see the port."""
        path = f"/videos/{video_id}/"
        answer = self._send("GET", path, {}, None)
        if answer.status == HTTPStatus.NOT_FOUND:
            return None
        facts = self._read(path, answer)
        if not isinstance(facts, dict):
            raise _not_pods(path)
        owner, number = None, find_owner(facts)
        if number is not None:
            with suppress(StepError):  # the rest helps without it
                owner = self._read("/users/", self._send("GET", f"/users/{number}/", {}, None))
        return read_topic(facts, owner)

    def renditions(self) -> tuple[str, ...]:
        """List the resolutions of Pod's renditions; see the port."""
        path, params, found = "/renditions/", dict[str, Any](), list[str]()
        for _ in range(MAX_PAGES):
            page = self._read(path, self._send("GET", path, params, None))
            try:
                # a list, or with Django REST framework's pagination a page of one
                rows, following = (page, None) if isinstance(page, list) else (page["results"], page.get("next"))
                found += [str(row["resolution"]) for row in rows]
            except (KeyError, TypeError, AttributeError) as error:
                raise _not_pods(path) from error
            if not following:
                break
            # only the page's number: Pod may believe that its address is another one
            params = dict(parse_qsl(urlsplit(str(following)).query))
        return tuple(found)

    def inquire(self) -> PodFacts:
        """Ask how Pod is; see the port."""
        resolutions = self.renditions()
        # a callback takes no GET: where there is one, the answer is 405; the token was looked at before
        path = "/store_remote_transcripted_video/"
        answer = self._send("GET", path, {}, None)
        if answer.status in _LOCKED_OUT or HTTPStatus.MULTIPLE_CHOICES <= answer.status < HTTPStatus.BAD_REQUEST:
            raise self._failure(path, answer)
        return PodFacts(resolutions, answer.status != HTTPStatus.NOT_FOUND, _lead_s(answer))

    def launch_encode(self, slug: str) -> None:
        """Ask Pod to encode a video again; see the port."""
        path = "/launch_encode_view/"
        answer = self._send("GET", path, {"slug": slug}, None)
        if not _is_success(answer):
            raise self._failure(path, answer)

    def _conclude(self, video_id: int, path: str, answer: HttpAnswer) -> PodAnswer:
        """What the answer to a callback means; its status tells, whatever follows."""
        if _is_success(answer):
            return PodAnswer.ACCEPTED
        if answer.status not in _MISSING:
            raise self._failure(path, answer)
        if self.video_state(video_id) is None:
            return PodAnswer.UNKNOWN_VIDEO
        raise _no_callback(f"Pod knows the video {video_id}", path, answer, "3.5.1")

    def _check_is_pods(self, not_found: HttpAnswer) -> None:
        """Make sure that a «not found» is Pod's own word: any wrong address answers so, too."""
        if _is_rest(not_found) and _is_success(self._send("GET", "/renditions/", {}, None)):
            return
        logger.error("POD_API_URL is not the address of Pod's REST interface; an operator must correct it.")
        raise OperatorNeededError(
            "«Not found» came from something other than Pod's REST interface. POD_API_URL must be its address, such as "
            "https://pod.example.org/rest; correct it.",
            retry_after_s=OPERATOR_RETRY_S,
        )

    def _read(self, path: str, answer: HttpAnswer) -> Any:
        """The JSON in an answer."""
        if not _is_success(answer):
            error = self._failure(path, answer)
            if isinstance(error, PermanentError):  # a question is never wrong by itself
                detail = f"{error.detail} Check POD_API_URL, and that Pod's ALLOWED_HOSTS names its host."
                raise OperatorNeededError(detail, retry_after_s=OPERATOR_RETRY_S)
            raise error
        if answer.shortfall:
            raise RetryableError(f"Pod's answer to {path} {answer.shortfall}.")
        try:
            return json.loads(answer.content)
        except (ValueError, RecursionError) as error:
            raise _not_pods(path) from error

    def _send(self, method: str, path: str, params: dict[str, Any], body: dict[str, Any] | None) -> HttpAnswer:
        whole_s = self._timeout_s if method == "POST" else min(self._timeout_s, QUESTION_TIMEOUT_S)
        limits = Limits(whole_s, RESPONSE_LIMIT_BYTES)
        try:
            return call(self._client, limits, method, self._url + path, params=params, json=body)
        except (httpx.ConnectError, httpx.ConnectTimeout) as error:
            if _UNTRUSTED in str(error):
                raise _untrusted(error) from error
            raise RetryableError(f"Pod cannot be reached for {path}: {described(error)}. Is it running?") from error
        except httpx.TimeoutException as error:
            raise RetryableError(f"Pod took the request {path} but did not respond in time.", ambiguous=True) from error
        except (httpx.HTTPError, httpx.StreamError, httpx.InvalidURL) as error:
            detail = f"The connection to Pod broke during {path}: {described(error)}."
            raise RetryableError(detail, ambiguous=True) from error

    def _failure(self, path: str, answer: HttpAnswer) -> StepError:
        status = answer.status
        if status in _LOCKED_OUT:
            return _refused_token(status)
        if status in {HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}:
            wished_s = read_retry_after(answer.headers.get("retry-after"))
            return UnavailableError(
                f"Pod asks to wait ({status}).", retry_after_s=WAIT_S if wished_s is None else wished_s
            )
        if status in _FROM_A_PROXY:
            detail = (
                f"Something before Pod answered {status} to {path}: Pod did not respond to it in time. Is it running?"
            )
            return RetryableError(detail, ambiguous=True)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            detail = f"Pod answered {status} to {path}. See Pod's own log for the reason."
            return RetryableError(detail, pod_status=status)
        if HTTPStatus.MULTIPLE_CHOICES <= status < HTTPStatus.BAD_REQUEST:
            address = redact(answer.headers.get("location", "?"))
            return OperatorNeededError(
                f"Pod redirects to {address!r}. Set POD_API_URL to the final address.",
                retry_after_s=OPERATOR_RETRY_S,
            )
        reason = answer.excerpt(REASON_CHARS).replace(self._token, CUT)
        return PermanentError(f"Pod answered {status} to {path}: {reason}", kind=FailureKind.SERVICE)


def _untrusted(error: Exception) -> StepError:
    return OperatorNeededError(
        f"Pod's certificate is not trusted here: {described(error)}. Name the file of its authority in SSL_CERT_FILE, "
        "or give Pod a certificate of an authority that is known here.",
        retry_after_s=OPERATOR_RETRY_S,
    )


def _lead_s(answer: HttpAnswer) -> float | None:
    """By how many seconds the clock of whoever answered is ahead of ours; None: it does not say."""
    try:
        # whole seconds, cut off
        return parsedate_to_datetime(answer.headers["date"]).timestamp() + 0.5 - time.time()
    except (KeyError, ValueError, TypeError, OverflowError):
        return None


def _is_success(answer: HttpAnswer) -> bool:
    return HTTPStatus.OK <= answer.status < HTTPStatus.MULTIPLE_CHOICES


def _is_rest(not_found: HttpAnswer) -> bool:
    """Whether a REST interface has looked for something and not found it.

    Source: Django REST framework, whose 404s are JSON with `detail`; Django's own are pages.
    """
    try:
        return not_found.status == HTTPStatus.NOT_FOUND and bool(json.loads(not_found.content)["detail"])
    except (ValueError, KeyError, TypeError, RecursionError):
        return False


def _no_callback(known: str, path: str, answer: HttpAnswer, least: str) -> StepError:
    logger.error("Pod has no such callback; an operator must update Pod.", path=path, status=answer.status)
    return OperatorNeededError(
        f"{known}, but has no {path} ({answer.status}). Pod {least} or newer is needed.",
        retry_after_s=OPERATOR_RETRY_S,
    )


def _refused_token(status: int) -> StepError:
    remedy = (
        "POD_API_TOKEN is missing or wrong"
        if status == HTTPStatus.UNAUTHORIZED
        else "The user of POD_API_TOKEN is not staff"
    )
    logger.error("Pod refused our token; an operator must correct it.", status=status, remedy=remedy)
    return ShutOutError(
        f"Pod refused the token ({status}). {remedy}; correct it in Pod's administration or in POD_API_TOKEN.",
        retry_after_s=OPERATOR_RETRY_S,
    )


def _not_pods(path: str) -> StepError:
    return RetryableError(
        f"Pod's response to {path} cannot be understood. Check that POD_API_URL is Pod's REST address."
    )
