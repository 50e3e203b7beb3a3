"""Pod's REST interface. Implements the `PodApi` port.

Source: docs/contract-pod.md, callbacks.
"""

from http import HTTPStatus
from typing import Any

import httpx
import structlog

from podjobs.contract.errors import OperatorNeededError, PermanentError, RetryableError, UnavailableError
from podjobs.contract.ports import PodAnswer, VideoState
from podjobs.contract.redaction import redact
from podjobs.contract.retry_after import read_retry_after

logger = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 10.0
WAIT_S = 30.0
"""Used when Pod asks to wait without saying how long."""
OPERATOR_RETRY_S = 300.0
"""An operator must act first (401, 403, 3xx): retrying more often changes nothing."""


class RestPodApi:
    """Pod over HTTP, with a token."""

    def __init__(self, url: str, token: str, read_timeout_s: float) -> None:
        """Open a client; nothing is sent yet.

        Args:
            url: POD_API_URL, for instance `https://pod.example.org/rest`.
            token: POD_API_TOKEN of a staff user.
            read_timeout_s: how long Pod may take to respond; it imports the video inside the request.
        """
        self._url = url.rstrip("/")
        self._client = httpx.Client(
            headers={"Authorization": f"Token {token}"},
            timeout=httpx.Timeout(read_timeout_s, connect=CONNECT_TIMEOUT_S),
        )

    def post_encoded(self, video_id: int, body: dict[str, Any]) -> PodAnswer:
        """Notify Pod that a video is encoded; see the port."""
        response = self._send("POST", "/store_remote_encoded_video/", {"id": video_id}, body)
        if response.is_success:
            return PodAnswer.ACCEPTED
        if response.status_code == HTTPStatus.BAD_REQUEST:
            return PodAnswer.NOT_IN_PROGRESS
        if response.status_code == HTTPStatus.NOT_FOUND:
            return self._missing(video_id, response)
        raise self._failure(response)

    def post_transcribed(self, video_id: int, body: dict[str, Any]) -> PodAnswer:
        """Notify Pod that a video is transcribed; see the port."""
        response = self._send("POST", "/store_remote_transcripted_video/", {"id": video_id}, body)
        if response.is_success:
            return PodAnswer.ACCEPTED
        if response.status_code == HTTPStatus.NOT_FOUND:
            return self._missing(video_id, response)
        raise self._failure(response)

    def video_state(self, video_id: int) -> VideoState | None:
        """Get Pod's state of a video; see the port."""
        response = self._send("GET", f"/videos/{video_id}/", {}, None)
        if response.status_code == HTTPStatus.NOT_FOUND:
            self._check_is_pods(response)
            return None
        if not response.is_success:
            raise self._failure(response)
        try:
            facts = response.json()
            return VideoState(
                in_progress=bool(facts["encoding_in_progress"]),
                step=str(facts.get("get_encoding_step") or ""),
                encoded=bool(facts.get("encoded")),
                duration_s=int(facts.get("duration") or 0),
                slug=str(facts.get("slug") or ""),
                file_url=str(facts.get("video") or ""),
            )
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise RetryableError(
                f"Pod's response about video {video_id} cannot be understood. "
                "Check that POD_API_URL is Pod's REST address."
            ) from error

    def _check_is_pods(self, not_found: httpx.Response) -> None:
        """Make sure that a «not found» is Pod's own word: any wrong address answers so, too.

        Source: Django REST framework, whose 404s are JSON with `detail`; Django's own are pages.
        """
        try:
            is_rest = bool(not_found.json()["detail"])
        except (ValueError, KeyError, TypeError):
            is_rest = False
        if is_rest and self._send("GET", "/renditions/", {}, None).is_success:
            return
        logger.error("POD_API_URL is not the address of Pod's REST interface; an operator must correct it.")
        raise OperatorNeededError(
            "«Not found» came from something other than Pod's REST interface. POD_API_URL must be its address, such as "
            "https://pod.example.org/rest; correct it.",
            retry_after_s=OPERATOR_RETRY_S,
        )

    def _missing(self, video_id: int, response: httpx.Response) -> PodAnswer:
        """A callback was answered with 404: the video, or the page? Returns UNKNOWN_VIDEO, or raises."""
        if self.video_state(video_id) is None:
            return PodAnswer.UNKNOWN_VIDEO
        path = response.request.url.path
        logger.error("Pod has no such callback; an operator must update Pod.", path=path)
        raise OperatorNeededError(
            f"Pod knows the video {video_id}, but has no {path}. Pod 3.5.1 or newer is needed.",
            retry_after_s=OPERATOR_RETRY_S,
        )

    def _send(self, method: str, path: str, params: dict[str, Any], body: dict[str, Any] | None) -> httpx.Response:
        try:
            return self._client.request(method, self._url + path, params=params, json=body)
        except httpx.ReadTimeout as error:
            raise RetryableError(f"Pod took the request {path} but did not respond in time.", ambiguous=True) from error
        except httpx.ConnectError as error:
            raise RetryableError(f"Pod cannot be reached for {path}: {error}. Is it running?") from error
        except httpx.HTTPError as error:
            raise RetryableError(f"The connection to Pod broke during {path}: {error}.", ambiguous=True) from error

    def _failure(self, response: httpx.Response) -> Exception:
        status = response.status_code
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            remedy = (
                "POD_API_TOKEN is missing or wrong"
                if status == HTTPStatus.UNAUTHORIZED
                else "The user of POD_API_TOKEN is not staff"
            )
            logger.error("Pod refused our token; an operator must correct it.", status=status, remedy=remedy)
            return OperatorNeededError(
                f"Pod refused the token ({status}). {remedy}; correct it in Pod's administration or in POD_API_TOKEN.",
                retry_after_s=OPERATOR_RETRY_S,
            )
        if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            wished_s = read_retry_after(response.headers.get("retry-after"))
            return UnavailableError(
                f"Pod asks to wait ({status}).", retry_after_s=WAIT_S if wished_s is None else wished_s
            )
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return RetryableError(
                f"Pod answered {status} to {response.request.url.path}. See Pod's own log for the reason."
            )
        if response.is_redirect:
            address = redact(response.headers.get("location", "?"))
            return OperatorNeededError(
                f"Pod redirects to {address!r}. Set POD_API_URL to the final address.",
                retry_after_s=OPERATOR_RETRY_S,
            )
        return PermanentError(f"Pod answered {status} to {response.request.url.path}: {redact(response.text[:300])}")
