"""The notification function as a deployable: wiring only."""

from podjobs.backends.pod_api import RestPodApi
from podjobs.backends.storage import open_storage
from podjobs.contract.message_contracts import STEPS
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.entry.endpoint import StepHandler
from podjobs.notification.function import NotificationFunction
from podjobs.notification.settings import NotificationSettings
from podjobs.notification.start_check import LIMIT_S, advise


def build(settings: NotificationSettings) -> tuple[StepHandler, int]:
    """Connect the function to its backends."""
    token = settings.pod_api_token.get_secret_value()
    pod = RestPodApi(settings.pod_api_url, token, settings.podjobs_pod_timeout_s)
    storage = open_storage(settings)
    return NotificationFunction(pod, storage), settings.podjobs_notification_slots


def check(settings: NotificationSettings) -> str:
    """Whether Pod can import every rendition that is made."""
    pod = RestPodApi(settings.pod_api_url, settings.pod_api_token.get_secret_value(), LIMIT_S)
    return advise(pod, [rendition.height_px for rendition in settings.video_renditions])


FUNCTION = FunctionDefinition("notification", STEPS, NotificationSettings, build, check)
__getattr__ = entry_points(FUNCTION)
