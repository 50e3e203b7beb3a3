"""The xapi function as a deployable: wiring only."""

from podjobs.backends.lrs import HttpLrs
from podjobs.contract.looks import Look
from podjobs.contract.message_contracts import STATEMENTS
from podjobs.contract.statements import BatchReport, StatementBatch
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.entry.endpoint import Handler
from podjobs.xapi.anonymise import Anonymiser
from podjobs.xapi.function import XapiFunction
from podjobs.xapi.lrs_look import lrs_looks
from podjobs.xapi.settings import XapiSettings

LOOK_S = 3.0
"""How long the LRS may take when an operator asks how it is."""


def open_lrs(settings: XapiSettings, timeout_s: float) -> HttpLrs:
    """Connect to the LRS, which may take so many seconds for a request."""
    return HttpLrs(
        settings.xapi_lrs_url,
        login=settings.xapi_lrs_login,
        password=settings.xapi_lrs_pwd.get_secret_value(),
        version=settings.podjobs_xapi_version,
        timeout_s=timeout_s,
        connections=settings.podjobs_xapi_slots,
    )


def build(settings: XapiSettings) -> tuple[Handler[StatementBatch, BatchReport], int]:
    """Connect the function to its backend."""
    lrs = open_lrs(settings, settings.podjobs_lrs_timeout_s)
    key = settings.podjobs_xapi_anonymize_key
    anonymiser = Anonymiser(key.get_secret_value()) if settings.xapi_anonymize_actor and key else None
    return XapiFunction(lrs, anonymiser, settings.podjobs_lrs_timeout_s), settings.podjobs_xapi_slots


def looks(settings: XapiSettings) -> list[Look]:
    """What is looked at when an operator asks how the function is."""
    return lrs_looks(lambda: open_lrs(settings, LOOK_S))


FUNCTION = FunctionDefinition("xapi", STATEMENTS, XapiSettings, build, looks=looks, workers=2)
__getattr__ = entry_points(FUNCTION)
