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
        return f"{self._site}/video/{int(record.number_in_pod):04d}-/" if self._knows_video(record) else ""

    def administration(self, record: JobRecord) -> str:
        """The video in Pod's administration, with its encoding log; likewise."""
        number = record.number_in_pod
        return f"{self._site}/admin/video/video/{int(number)}/change/" if self._knows_video(record) else ""

    def recording(self, record: JobRecord) -> str:
        """The studio recording in Pod's administration, with what Pod was told of it; likewise."""
        number = record.number_in_pod
        is_known = self.api_url and record.is_of_recording and number
        return f"{self._site}/admin/recorder/recording/{int(number)}/change/" if is_known else ""

    def player(self, record: JobRecord) -> str:
        """What can be played of what the job has made; empty: nothing."""
        folder = record.request.get("output_folder")
        is_in_pod = not record.client  # else Pod fetches it to another place
        if not self.media_url or record.state != JobState.DONE or not is_in_pod or not isinstance(folder, str):
            return ""
        return f"{self.media_url}/{quote(folder)}/{_HEIGHT}"

    @property
    def _site(self) -> str:
        parts = urlsplit(self.api_url or "")
        # the REST interface is at <site>/rest; a Pod below a path keeps it
        path = parts.path.rstrip("/").removesuffix("/rest")
        return f"{parts.scheme}://{parts.netloc}{path}"

    def _knows_video(self, record: JobRecord) -> bool:
        return bool(self.api_url and record.number_in_pod) and not record.is_of_recording
