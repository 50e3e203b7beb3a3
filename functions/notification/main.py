"""The notification function as a deployable: wiring only."""

from podjobs.backends.pod_api import RestPodApi
from podjobs.backends.storage import open_storage
from podjobs.contract.message_contracts import STEPS
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.entry.endpoint import StepHandler
from podjobs.notification.function import NotificationFunction
from podjobs.notification.settings import NotificationSettings


def build(settings: NotificationSettings) -> tuple[StepHandler, int]:
    """Connect the function to its backends."""
    token = settings.pod_api_token.get_secret_value()
    pod = RestPodApi(settings.pod_api_url, token, settings.podjobs_pod_timeout_s)
    storage = open_storage(settings)
    return NotificationFunction(pod, storage), settings.podjobs_notification_slots


FUNCTION = FunctionDefinition("notification", STEPS, NotificationSettings, build)
__getattr__ = entry_points(FUNCTION)
