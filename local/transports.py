"""How the stack's adapter reaches its functions: over HTTP, through RQ, or as AWS Lambda invokes them. Pure."""

import os
from collections.abc import Iterable, Mapping
from enum import StrEnum

from local.lambda_service.clients import made_up_credentials
from local.ports import LAMBDA, Ports
from podjobs.contract.workflows import Function
from podjobs.settings import SettingsError

DELIVERY = "PODJOBS_DELIVERY"
"""The setting that chooses it."""


def function_url_setting(function: Function) -> str:
    """The setting that says where the adapter finds a function."""
    return f"PODJOBS_FUNCTION_URL_{function.name.upper()}"


class Transport(StrEnum):
    """What carries steps to functions."""

    HTTP = "http"
    """Functions are servers under functions-framework."""
    RQ = "rq"
    """Functions are pools of RQ workers; there may be more of them on other servers."""
    LAMBDA = "lambda"
    """Functions run in Lambda's runtime emulators, behind a service that speaks Lambda's Invoke API."""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Transport":
        """The one that the operator has chosen. Raises SettingsError."""
        name = given.get(DELIVERY, cls.HTTP)
        try:
            return cls(name)
        except ValueError:
            known = ", ".join(cls)
            raise SettingsError(f"{DELIVERY}: {name!r} is no way to reach functions. Write one of {known}.") from None

    def settings(self, functions: Iterable[Function], ports: Ports) -> dict[str, str]:
        """What the stack's environment says about the way to its functions."""
        urls = {function_url_setting(one): self.function_url(one.name, ports) for one in functions}
        return urls | (made_up_credentials(ports[LAMBDA]) if self is Transport.LAMBDA else {})

    def defaults(self, functions: Iterable[Function]) -> dict[str, str]:
        """Settings for what the operator leaves open.

        The adapter expects Lambda to be large; here there are as many processors as anywhere on this machine.
        """
        if self is not Transport.LAMBDA:
            return {}
        processors = os.cpu_count() or 1
        return {f"PODJOBS_CONCURRENCY_{one.name.upper()}": str(one.concurrency or processors) for one in functions}

    def function_url(self, name: str, ports: Ports) -> str:
        """Where the adapter finds a function of this stack."""
        return f"http://127.0.0.1:{ports[name]}" if self is Transport.HTTP else f"{self}:{name}"
