"""In place of Pod's REST interface where POD_API_URL is `none`. Implements the `PodApi` port."""

from typing import Any, NoReturn

from podjobs.contract.errors import OperatorNeededError
from podjobs.contract.ports.pod import PodAnswer, VideoState

RETRY_S = 300.0


class NoPodApi:
    """There is none: every question, and every call, waits for an operator."""

    def post_encoded(self, video_id: int, body: dict[str, Any]) -> PodAnswer:  # noqa: ARG002 - whatever is said
        """Wait for an operator; see the port."""
        _wait()

    def post_transcribed(self, video_id: int, body: dict[str, Any]) -> PodAnswer:  # noqa: ARG002 - likewise
        """Wait for an operator; see the port."""
        _wait()

    def post_composed(self, recording_id: int, body: dict[str, Any]) -> PodAnswer:  # noqa: ARG002 - likewise
        """Wait for an operator; see the port."""
        _wait()

    def video_state(self, video_id: int) -> VideoState | None:  # noqa: ARG002 - likewise
        """Wait for an operator; see the port."""
        _wait()

    def renditions(self) -> tuple[str, ...]:
        """Wait for an operator; see the port."""
        _wait()

    def launch_encode(self, slug: str) -> None:  # noqa: ARG002 - likewise
        """Wait for an operator; see the port."""
        _wait()


def _wait() -> NoReturn:
    raise OperatorNeededError(
        "The job came through Celery, but POD_API_URL is `none`: nobody can be told of its end. Set POD_API_URL and "
        "POD_API_TOKEN for the function notification.",
        retry_after_s=RETRY_S,
    )
