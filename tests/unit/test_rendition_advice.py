"""What would make imports fail is said before a video does: renditions that Pod has no row for, files it sees late."""

import time

import pytest

from podjobs.contract.errors import OperatorNeededError, RetryableError
from podjobs.notification.expectation import find_missing_renditions
from podjobs.notification.start_check import advise, advise_about_view
from podjobs.testing import FakePodApi


class Pod(FakePodApi):
    """Answers in turn; the last answer stays."""

    def __init__(self, *answers):
        super().__init__()
        self.answers = list(answers)

    def renditions(self):
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        if isinstance(answer, float):
            time.sleep(answer)
            return ()
        return answer


@pytest.mark.parametrize(
    ("resolutions", "said"),
    [
        (["640x360", "1280x720"], []),
        (["640x360"], ["no rendition x720", "remove it from VIDEO_RENDITIONS"]),
        ([], ["no rendition x360, x720"]),
        # Pod looks for a row that contains the text, and fails if there are two
        (["640x360", "480x360", "1280x720"], ["more than one rendition x360"]),
        (["640x3600", "1280x720"], []),
    ],
)
def test_find_missing_renditions_names_the_rows_that_pod_would_not_find(resolutions, said):
    sentence = find_missing_renditions([720, 360], resolutions)
    assert all(part in sentence for part in said)
    assert bool(sentence) == bool(said)


def test_advise_names_missing_renditions():
    assert "no rendition x1080" in advise(Pod(("640x360",)), [360, 1080])


def test_advise_pod_that_starts_at_the_same_moment_is_waited_for():
    assert advise(Pod(RetryableError("Pod cannot be reached."), ("640x360",)), [360]) == ""


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (RetryableError("Pod cannot be reached."), "Pod cannot be reached."),
        (OperatorNeededError("Pod refused the token."), "Pod refused the token."),
        (2.0, "did not answer within 0.5 s"),
    ],
)
def test_advise_without_an_answer_says_so_in_time(answer, said):
    begun_s = time.monotonic()
    sentence = advise(Pod(answer), [360], limit_s=0.5)
    assert time.monotonic() - begun_s < 1
    assert sentence.startswith("At the start, Pod could not be asked")
    assert said in sentence


@pytest.mark.parametrize(
    ("media_location", "pod_media_url", "advised"),
    [("s3://media", "", True), ("s3://media", "https://pod.example.org/media", False), ("file:///media", "", False)],
)
def test_advise_with_a_bucket_and_without_pod_media_url(media_location, pod_media_url, advised):
    assert ("POD_MEDIA_URL is not set" in advise_about_view(media_location, pod_media_url)) is advised
