"""A function of a campaign as a deployable, for RQ workers: it does what the campaign's server says about each message.

So what RQ's workers, their horses and its adapter do is real, and what the functions remember is in one place. Where
the server breaks the connection, the process dies as if it had been killed.

The setting CAMPAIGN_URL says where the server is, with the function's name.
"""

import os
import signal
from typing import Any

import httpx
from pydantic import AnyHttpUrl

from podjobs.contract.message_contracts import STEPS, StepReply
from podjobs.contract.steps import Step
from podjobs.entry.definition import FunctionDefinition
from podjobs.events import STRUCTURED_CONTENT_TYPE
from podjobs.settings import EndpointSettings, load_settings

LONGEST_ANSWER_S = 60


class CampaignSettings(EndpointSettings):
    """Where the campaign's server is."""

    campaign_url: AnyHttpUrl


class _Unused:
    """In the place of a handler, which is asked nothing."""

    def handle(self, step: Step) -> StepReply:
        """Not called."""
        raise AssertionError(f"handle_message does not ask for {step.step_id}")


FUNCTION = FunctionDefinition("campaign", STEPS, CampaignSettings, lambda _: (_Unused(), 1))


def handle_message(message: dict[str, Any], _context: object = None) -> dict[str, Any]:
    """Do what the server says; see podjobs.entry.messages."""
    url = str(load_settings(CampaignSettings).campaign_url)
    headers = {"Content-Type": STRUCTURED_CONTENT_TYPE}
    try:
        answer = httpx.post(url, json=message, headers=headers, timeout=LONGEST_ANSWER_S)
    except httpx.RemoteProtocolError:
        os.kill(os.getpid(), signal.SIGKILL)
        raise
    given = {name.title(): value for name, value in answer.headers.items()}
    return {"statusCode": answer.status_code, "headers": given, "body": answer.text}
