"""The functions of the stack: those of the table of job types, with the settings that each of them reads."""

from podjobs.contract.workflows import Function, all_functions
from podjobs.encoding.settings import EncodingSettings
from podjobs.notification.settings import NotificationSettings
from podjobs.settings import PodSettings
from podjobs.transcription.settings import TranscriptionSettings
from podjobs.xapi.settings import XapiSettings

SETTINGS: dict[str, type[PodSettings]] = {
    "encoding": EncodingSettings,
    "transcription": TranscriptionSettings,
    "notification": NotificationSettings,
    "xapi": XapiSettings,
}
"""Function → its settings class, in the order of the documentation."""


def enabled_functions(settings: set[str]) -> tuple[Function, ...]:
    """The functions that have something to do.

    Args:
        settings: the names of those that are set.
    """
    return tuple(one for one in all_functions() if not one.enabled_by or one.enabled_by in settings)
