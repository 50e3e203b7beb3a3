"""Looks at Pod when an operator asks: its REST interface with our token, its renditions, what it sees of the media."""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from podjobs.contract.examinations import POD_LEAD_S, Finding, Verdict
from podjobs.contract.looks import POD, Look, found
from podjobs.contract.ports.pod import PodInquiry, PodMedia, Sight
from podjobs.contract.ports.storage import Storage
from podjobs.notification.expectation import find_missing_renditions

REST, RENDITIONS, VIEW = "REST interface", "renditions", "view of the media"
OLDEST = "Pod 3.5.1 or newer is needed: this one has no callback for results that come from elsewhere. Update Pod."
NOT_SET = (
    "POD_MEDIA_URL is not set, so it was not checked whether Pod sees the same files as the functions. Set it to the "
    "URL at which Pod's web server serves MEDIA_ROOT, such as https://pod.example.org/media."
)
LOOK_AGAIN_S = 0.3
SEEN_WITHIN_S = 1.5
"""A folder of the same disk shows a file at once; one over NFS or of a bucket perhaps later."""


@dataclass(frozen=True)
class PodLooks:
    """What is looked at."""

    pod: Callable[[], PodInquiry]
    """Opens Pod's REST interface, with a short patience."""
    heights_px: Sequence[int]
    """Of VIDEO_RENDITIONS."""
    media: Callable[[], PodMedia] | None
    """Opens what Pod's web server shows; None: POD_MEDIA_URL is not set."""
    storage: Storage

    def looks(self) -> list[Look]:
        """One for each."""
        return [Look(POD, REST, self._look_at_rest), Look(POD, VIEW, self._look_at_view)]

    def _look_at_rest(self) -> Iterator[Finding]:
        facts = self.pod().inquire()
        lead = {} if facts.lead_s is None else {POD_LEAD_S: facts.lead_s}
        fault = "" if facts.has_callbacks else OLDEST
        said = fault or "It answers, and POD_API_TOKEN belongs to a user who is staff."
        verdict = Verdict.FAULT if fault else Verdict.OK
        yield Finding(subject=POD, part=REST, verdict=verdict, said=said, facts=lead)
        yield found(
            POD, RENDITIONS, find_missing_renditions(self.heights_px, facts.resolutions), "Pod has all of them."
        )

    def _look_at_view(self) -> Iterator[Finding]:
        if self.media is None:
            yield Finding(subject=POD, part=VIEW, verdict=Verdict.UNCHECKED, said=NOT_SET)
            return
        key = f"podjobs-check-{uuid.uuid4().hex}.txt"
        content = f"pod-functions looks whether Pod sees this file. {key}\n".encode()
        self.storage.write(key, content)
        try:
            yield found(POD, VIEW, self._find_difference(self.media(), key, content), "Pod sees what functions write.")
        finally:
            self.storage.delete(key)

    def _find_difference(self, media: PodMedia, key: str, content: bytes) -> str:
        """Look for a file until it is seen. Returns what is wrong, with the remedy; empty: nothing."""
        ends_at = time.monotonic() + SEEN_WITHIN_S
        while True:
            seen = media.read(key)
            if seen.sight is Sight.SHOWN and seen.content == content:
                return ""
            if seen.sight is Sight.REFUSED or time.monotonic() > ends_at:
                break
            time.sleep(LOOK_AGAIN_S)
        match seen.sight:
            case Sight.REFUSED:
                return (
                    f"Pod's web server does not serve {key!r} at POD_MEDIA_URL: {seen.reason}. Let it serve this "
                    "folder to the functions, or correct POD_MEDIA_URL."
                )
            case Sight.MISSING:
                return (
                    f"Pod's web server does not show a file that was just written to the media root: {seen.reason}. "
                    "MEDIA_URL must name the same folder as Pod's MEDIA_ROOT, and POD_MEDIA_URL where Pod serves it."
                )
            case Sight.SHOWN:
                return (
                    "Pod's web server shows something else in a file's place. POD_MEDIA_URL is not that of the media."
                )
            case _:
                return f"Pod's web server could not be asked at POD_MEDIA_URL: {seen.reason}. Correct POD_MEDIA_URL."
