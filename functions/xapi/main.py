"""The xapi function as a deployable: wiring only."""

from podjobs.backends.lrs import HttpLrs
from podjobs.contract.message_contracts import STATEMENTS
from podjobs.contract.statements import BatchReport, StatementBatch
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.entry.endpoint import Handler
from podjobs.xapi.anonymise import Anonymiser
from podjobs.xapi.function import XapiFunction
from podjobs.xapi.settings import XapiSettings


def build(settings: XapiSettings) -> tuple[Handler[StatementBatch, BatchReport], int]:
    """Connect the function to its backend."""
    lrs = HttpLrs(
        settings.xapi_lrs_url,
        login=settings.xapi_lrs_login,
        password=settings.xapi_lrs_pwd.get_secret_value(),
        version=settings.podjobs_xapi_version,
        timeout_s=settings.podjobs_lrs_timeout_s,
        connections=settings.podjobs_xapi_slots,
    )
    key = settings.podjobs_xapi_anonymize_key
    anonymiser = Anonymiser(key.get_secret_value()) if settings.xapi_anonymize_actor and key else None
    return XapiFunction(lrs, anonymiser, settings.podjobs_lrs_timeout_s), settings.podjobs_xapi_slots


FUNCTION = FunctionDefinition("xapi", STATEMENTS, XapiSettings, build, workers=2)
__getattr__ = entry_points(FUNCTION)
