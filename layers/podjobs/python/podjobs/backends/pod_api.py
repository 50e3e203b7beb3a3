"""Pod's REST interface. Implements the `PodApi` port.

Source: docs/contract-pod.md, callbacks.
"""

from http import HTTPStatus
from typing import Any

import httpx
import structlog

from podjobs.contract.errors import NotNowError, PermanentError, RetryableError
from podjobs.contract.ports import Answer, VideoState
from podjobs.contract.retry_after import read_retry_after

logger = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 10.0
WAIT_S = 30.0
"""When Pod asks to wait and does not say how long."""
OPERATOR_RETRY_S = 300.0
"""An operator must act first (401, 403): asking more often changes nothing."""


class RestPodApi:
    """Pod over HTTP, with a token."""

    def __init__(self, url: str, token: str, read_timeout_s: float) -> None:
        """Open a client; nothing is sent yet.

        Args:
            url: POD_API_URL, for instance `https://pod.example.org/rest`.
            token: POD_API_TOKEN of a staff user.
            read_timeout_s: how long Pod may take to answer; it imports inside the request.
        """
        self._url = url.rstrip("/")
        self._client = httpx.Client(
            headers={"Authorization": f"Token {token}"},
            timeout=httpx.Timeout(read_timeout_s, connect=CONNECT_TIMEOUT_S),
        )

    def post_encoded(self, video_id: int, body: dict[str, Any]) -> Answer:
        """Tell Pod that a video is encoded; see the port."""
        response = self._send("POST", "/store_remote_encoded_video/", {"id": video_id}, body)
        if response.is_success:
            return Answer.ACCEPTED
        if response.status_code == HTTPStatus.BAD_REQUEST:
            return Answer.NOT_IN_PROGRESS
        if response.status_code == HTTPStatus.NOT_FOUND:
            return Answer.UNKNOWN_VIDEO
        raise self._failure(response)

    def post_transcribed(self, video_id: int, body: dict[str, Any]) -> Answer:
        """Tell Pod that a video is transcribed; see the port."""
        response = self._send("POST", "/store_remote_transcripted_video/", {"id": video_id}, body)
        if response.is_success:
            return Answer.ACCEPTED
        if response.status_code == HTTPStatus.NOT_FOUND:
            return Answer.UNKNOWN_VIDEO
        raise self._failure(response)

    def video_state(self, video_id: int) -> VideoState | None:
        """Ask how far Pod is with a video; see the port."""
        response = self._send("GET", f"/videos/{video_id}/", {}, None)
        if response.status_code == HTTPStatus.NOT_FOUND:
            return None
        if not response.is_success:
            raise self._failure(response)
        try:
            facts = response.json()
            return VideoState(
                in_progress=bool(facts["encoding_in_progress"]),
                step=str(facts.get("get_encoding_step") or ""),
            )
        except (ValueError, KeyError, TypeError) as error:
            raise RetryableError(
                f"Pod's answer about video {video_id} is not understood. Check that POD_API_URL is Pod's REST address."
            ) from error

    def _send(self, method: str, path: str, params: dict[str, Any], body: dict[str, Any] | None) -> httpx.Response:
        try:
            return self._client.request(method, self._url + path, params=params, json=body)
        except httpx.ReadTimeout as error:
            raise RetryableError(f"Pod took the request {path} but did not answer in time.", ambiguous=True) from error
        except httpx.ConnectError as error:
            raise RetryableError(f"Pod cannot be reached for {path}: {error}. Is it running?") from error
        except httpx.HTTPError as error:
            raise RetryableError(f"The exchange with Pod about {path} broke off: {error}.", ambiguous=True) from error

    def _failure(self, response: httpx.Response) -> Exception:
        status = response.status_code
        if status in (HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN):
            remedy = (
                "POD_API_TOKEN is missing or wrong"
                if status == HTTPStatus.UNAUTHORIZED
                else "The user of POD_API_TOKEN is not staff"
            )
            logger.error("Pod refuses our token; an operator must correct it.", status=status, remedy=remedy)
            return NotNowError(
                f"Pod refused the token ({status}). {remedy}; correct it in Pod's administration or in POD_API_TOKEN.",
                retry_after_s=OPERATOR_RETRY_S,
            )
        if status in (HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE):
            wished_s = read_retry_after(response.headers.get("retry-after"))
            return NotNowError(f"Pod asks to wait ({status}).", retry_after_s=WAIT_S if wished_s is None else wished_s)
        if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return RetryableError(f"Pod answered {status} to {response.request.url.path}. Its own log tells why.")
        if response.is_redirect:
            return NotNowError(
                f"Pod redirects to {response.headers.get('location', '?')!r}. Set POD_API_URL to the final address.",
                retry_after_s=OPERATOR_RETRY_S,
            )
        return PermanentError(f"Pod answered {status} to {response.request.url.path}: {response.text[:300]}")
