"""What `podjobs check` asks of a function, and what that says of itself: a request and a reply like any other.

The adapter does not see the media, Pod or the LRS; the functions do, and examine them when asked.
"""

from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, PositiveFloat
from typing_extensions import override

from podjobs.contract.requests import Request

EXAMINATION_EVENT_TYPE = "fr.esup-portail.podjobs.examination"
REPORT_OF_EXAMINATION_EVENT_TYPE = "fr.esup-portail.podjobs.examination-report"
MEDIA_ID, POD_LEAD_S = "media_id", "pod_lead_s"
"""Facts that are compared: what the media root says of itself, and by how many seconds Pod's clock is ahead."""


class Verdict(StrEnum):
    """How something was found."""

    OK = "ok"
    NOTE = "note"
    """Nothing has to be done, but an operator should know."""
    UNCHECKED = "unchecked"
    """It was not looked at, and the sentence says why, or what to set."""
    FAULT = "fault"
    """An operator is needed."""


class Finding(BaseModel):
    """What was found out about one thing."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    subject: str
    """What it is about, such as `media`: findings are shown by it."""
    part: str
    """What was examined."""
    verdict: Verdict
    said: str = ""
    """Complete sentences; of a fault, with the remedy."""
    facts: dict[str, Any] = Field(default_factory=dict)
    """What is compared with what others have found."""


class ExaminationRequest(Request):
    """A function is to examine what it needs, now."""

    limit_s: PositiveFloat
    """How long that may take; what is not known then is said to be so."""

    @property
    @override
    def subject(self) -> str:
        return "examination"

    @property
    @override
    def log_context(self) -> dict[str, Any]:
        return {}


class ExaminationReport(BaseModel):
    """What a function has found."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    function: str
    version: str
    time_s: float
    """By its clock, when it answered: seconds since the epoch."""
    findings: tuple[Finding, ...] = ()
