"""Where in Pod a job's video is, and where what the job has made can be played. Pure.

Only what Pod serves at an address that is known can be played: the MP4 files of an encode. Pod moves and renames
captions and studio recordings: these are reached by Pod's own pages.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

from adapter.inspection.job_record import JobRecord
from podjobs.contract.job_states import JobState

_HEIGHT = "360p.mp4"
"""The lowest rendition: it is always an MP4. Source: docs/contract-pod.md."""


@dataclass(frozen=True, slots=True)
class PodLinks:
    """Addresses of Pod's."""

    api_url: str | None = None
    """POD_API_URL."""
    media_url: str | None = None
    """POD_MEDIA_URL."""

    def video(self, record: JobRecord) -> str:
        """The video's page in Pod; empty if Pod's address or the video's number is not known."""
        # Pod looks for the number before the first hyphen, and for nothing else
        return f"{self._site}/video/{int(record.target):04d}-/" if self._knows(record) else ""

    def administration(self, record: JobRecord) -> str:
        """The video in Pod's administration, with its encoding log; likewise."""
        return f"{self._site}/admin/video/video/{int(record.target)}/change/" if self._knows(record) else ""

    def player(self, record: JobRecord) -> str:
        """What can be played of what the job has made; empty: nothing."""
        folder = record.request.get("output_folder")
        if not self.media_url or record.state != JobState.DONE or not isinstance(folder, str):
            return ""
        return f"{self.media_url}/{quote(folder)}/{_HEIGHT}"

    @property
    def _site(self) -> str:
        parts = urlsplit(self.api_url or "")
        # the REST interface is at <site>/rest; a Pod below a path keeps it
        path = parts.path.rstrip("/").removesuffix("/rest")
        return f"{parts.scheme}://{parts.netloc}{path}"

    def _knows(self, record: JobRecord) -> bool:
        return bool(self.api_url) and record.target.isascii() and record.target.isdecimal()
