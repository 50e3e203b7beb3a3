"""The notification function as a deployable: wiring only."""

from podjobs.backends.media_condition import media_looks
from podjobs.backends.no_pod import NoPodApi
from podjobs.backends.pod_api import RestPodApi
from podjobs.backends.pod_media import HttpPodMedia
from podjobs.backends.runner_client import HttpRunnerClient
from podjobs.backends.storage import HASTE, open_storage
from podjobs.contract.looks import Look
from podjobs.contract.message_contracts import STEPS
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.entry.endpoint import StepHandler
from podjobs.notification.encoded_callback import PATIENT
from podjobs.notification.function import NotificationFunction
from podjobs.notification.pod_look import PodLooks
from podjobs.notification.pod_view import PodView
from podjobs.notification.runner_callback import RunnerSite
from podjobs.notification.runner_calls import RunnerWaits
from podjobs.notification.settings import NotificationSettings
from podjobs.notification.start_check import LIMIT_S, advise, advise_about_view


def build(settings: NotificationSettings) -> tuple[StepHandler, int]:
    """Connect the function to its backends."""
    token = settings.pod_api_token.get_secret_value()
    pod = RestPodApi(settings.pod_api_url, token, settings.podjobs_pod_timeout_s) if settings.has_pod else NoPodApi()
    url = settings.pod_media_url
    view = PodView(HttpPodMedia(url), settings.podjobs_pod_media_wait_s) if url else None
    waits = RunnerWaits(hold_s=settings.podjobs_runner_hold_s)
    runner = RunnerSite(HttpRunnerClient(settings.podjobs_pod_timeout_s), waits, settings.language)
    function = NotificationFunction(pod, open_storage(settings), PATIENT, view, settings.language, runner)
    return function, settings.podjobs_notification_slots


def check(settings: NotificationSettings) -> str:
    """Whether Pod can import every rendition that is made, and whether it is checked what it sees."""
    if not settings.has_pod:
        return ""
    pod = RestPodApi(settings.pod_api_url, settings.pod_api_token.get_secret_value(), LIMIT_S)
    renditions = advise(pod, [rendition.height_px for rendition in settings.video_renditions])
    return " ".join(filter(None, (renditions, advise_about_view(settings.media_location, settings.pod_media_url))))


def looks(settings: NotificationSettings) -> list[Look]:
    """What is looked at when an operator asks how the function is."""
    if not settings.has_pod:
        return media_looks(settings)
    url = settings.pod_media_url
    pod = PodLooks(
        lambda: RestPodApi(settings.pod_api_url, settings.pod_api_token.get_secret_value(), LIMIT_S),
        [rendition.height_px for rendition in settings.video_renditions],
        (lambda: HttpPodMedia(url, LIMIT_S)) if url else None,
        open_storage(settings.model_copy(update=HASTE)),
    )
    return [*pod.looks(), *media_looks(settings)]


FUNCTION = FunctionDefinition("notification", STEPS, NotificationSettings, build, check, looks=looks, workers=2)
__getattr__ = entry_points(FUNCTION)
