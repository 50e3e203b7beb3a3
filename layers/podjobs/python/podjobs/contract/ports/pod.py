"""Pod: its REST interface, and what its web server shows of the media."""

from dataclasses import dataclass
from enum import Enum
from typing import Any, Protocol

from podjobs.contract.media_paths import Key


class PodAnswer(Enum):
    """Pod's response to a callback."""

    ACCEPTED = "accepted"
    NOT_IN_PROGRESS = "not in progress"
    """Pod waits for no result: it was sent before and the response was lost, or Pod has imported another one."""
    UNKNOWN_VIDEO = "unknown video"
    """The video, or the recording, was deleted meanwhile."""


@dataclass(frozen=True)
class VideoState:
    """Pod's state of a video."""

    in_progress: bool
    step: str
    """Pod's words, `<number> : <description>`."""
    encoded: bool = False
    """Whether Pod has anything to play."""
    duration_s: int = 0
    """As imported with the last encode; whole seconds."""
    slug: str = ""
    """Pod's name of the video in URLs."""
    file_url: str = ""
    """Where Pod serves the uploaded file: its path ends as the file's path does; empty: there is none."""


@dataclass(frozen=True)
class VideoTopic:
    """What people have written about a video, without markup; empty where they have not."""

    title: str = ""
    description: str = ""
    owner: str = ""
    """The name of whoever owns it, who is often the one who speaks."""
    keywords: tuple[str, ...] = ()


class PodApi(Protocol):
    """Pod's REST interface."""

    def post_encoded(self, video_id: int, body: dict[str, Any]) -> PodAnswer:
        """Notify Pod that a video is encoded.

        Raises RetryableError (with `ambiguous` in its context if Pod may have acted on it, with `pod_status` if it
        answered by a server error), NotNowError if an operator must act, PermanentError if a retry cannot help.
        """

    def post_transcribed(self, video_id: int, body: dict[str, Any]) -> PodAnswer:
        """Notify Pod that a video's captions can be imported, or why not. Raises like `post_encoded`."""

    def post_composed(self, recording_id: int, body: dict[str, Any]) -> PodAnswer:
        """Notify Pod that a studio recording is composed, or why it is not. Raises like `post_encoded`.

        Pod takes the file away within the request, and requests its encoding.
        """

    def video_state(self, video_id: int) -> VideoState | None:
        """Get Pod's state of a video; None if it was certainly deleted: Pod itself says that there is none.

        Raises like `post_encoded`; OperatorNeededError if a «not found» does not come from Pod's REST interface.
        """

    def video_topic(self, video_id: int) -> VideoTopic | None:
        """Get what people have written about a video; None if there is no such video. Raises like `post_encoded`."""

    def renditions(self) -> tuple[str, ...]:
        """List the resolutions of Pod's renditions, such as `640x360`. Raises like `post_encoded`."""

    def launch_encode(self, slug: str) -> None:
        """Ask Pod to encode a video again. Raises like `post_encoded`.

        Pod does nothing while the video is in progress, and begins a moment later otherwise.

        Args:
            slug: of the video, see VideoState.
        """


@dataclass(frozen=True)
class PodFacts:
    """What Pod's REST interface says to our token."""

    resolutions: tuple[str, ...]
    """Of its renditions, such as `640x360`."""
    has_callbacks: bool
    """Whether it takes results that come from elsewhere."""
    lead_s: float | None
    """By how many seconds its clock is ahead of ours, give or take one; None: it does not say."""


class PodInquiry(Protocol):
    """Pod's REST interface, for whoever wants to know how it is."""

    def inquire(self) -> PodFacts:
        """Ask, and change nothing. Raises like `PodApi.post_encoded`."""


class Sight(Enum):
    """Whether a web server shows a file."""

    SHOWN = "shown"
    MISSING = "missing"
    """There is no such file, or not yet."""
    REFUSED = "refused"
    """It does not serve it to us, and time will not change that."""
    UNKNOWN = "unknown"
    """It cannot be reached, or has failed this time."""


@dataclass(frozen=True)
class SeenFile:
    """What Pod's web server shows of a file."""

    sight: Sight
    reason: str = ""
    """Why it is not shown, as the end of a sentence about the web server, such as «the answer is 403»."""
    size_bytes: int | None = None
    """None: the server does not say."""
    content: bytes = b""
    """Empty if it was not read."""


class PodMedia(Protocol):
    """The media as Pod's web server shows them, from the folder that Pod itself reads."""

    def look(self, key: Key) -> SeenFile:
        """Look whether a file is shown, without reading it. Raises nothing."""

    def read(self, key: Key) -> SeenFile:
        """Read a small file. Raises nothing."""
