"""What an operator should know when the function starts: what is missing on Pod's side, and what is not checked."""

import threading
import time
from collections.abc import Sequence

from podjobs.contract.errors import NotNowError, RetryableError, StepError
from podjobs.contract.ports.pod import PodApi
from podjobs.notification.expectation import find_missing_renditions

LIMIT_S = 3.0
"""Pod may be down when the function starts; it starts nevertheless, and hardly later."""
PAUSE_S = 0.2


def advise(pod: PodApi, heights_px: Sequence[int], limit_s: float = LIMIT_S) -> str:
    """Compare VIDEO_RENDITIONS with Pod's renditions.

    Args:
        pod: Pod's interface; its calls should take no longer than the limit.
        heights_px: of VIDEO_RENDITIONS.
        limit_s: how long Pod is waited for, in seconds.

    Returns:
        Sentences for the operator; empty: all is well.
    """
    found: list[str] = []
    # in a thread of its own: the look-up of a host's name has no limit
    asking = threading.Thread(target=lambda: found.append(_ask(pod, heights_px, limit_s)), daemon=True)
    asking.start()
    asking.join(limit_s)
    return found[0] if found else f"{_UNKNOWN}: it did not answer within {limit_s:g} s."


def advise_about_view(media_location: str, pod_media_url: str) -> str:
    """Say what is not checked with a bucket and without POD_MEDIA_URL; empty: all is well. Pure."""
    if pod_media_url or not media_location.startswith("s3://"):
        return ""
    return (
        "POD_MEDIA_URL is not set, so Pod is told of files that it may not see yet: a mounted bucket shows new files "
        "late, and of replaced ones the old content. Set it to the URL at which Pod's web server serves MEDIA_ROOT, "
        "such as https://pod.example.org/media."
    )


_UNKNOWN = (
    "At the start, Pod could not be asked whether it has all renditions of VIDEO_RENDITIONS, without which it cannot "
    "import videos"
)


def _ask(pod: PodApi, heights_px: Sequence[int], limit_s: float) -> str:
    deadline = time.monotonic() + limit_s - 2 * PAUSE_S
    while True:
        try:
            return find_missing_renditions(heights_px, pod.renditions())
        except StepError as error:
            # it may be starting at the same moment, as in scripts/up
            is_down = isinstance(error, RetryableError) and not isinstance(error, NotNowError)
            if not is_down or time.monotonic() >= deadline:
                return f"{_UNKNOWN}: {error.detail}"
        time.sleep(PAUSE_S)
