"""How the stack's adapter reaches its functions: over HTTP, or through RQ. Pure."""

from collections.abc import Mapping
from enum import StrEnum

from local.ports import Ports
from podjobs.settings import SettingsError

DELIVERY = "PODJOBS_DELIVERY"
"""The setting that chooses it."""


class Transport(StrEnum):
    """What carries steps to functions."""

    HTTP = "http"
    """Functions are servers under functions-framework."""
    RQ = "rq"
    """Functions are pools of RQ workers; there may be more of them on other servers."""

    @classmethod
    def of(cls, given: Mapping[str, str]) -> "Transport":
        """The one that the operator has chosen. Raises SettingsError."""
        name = given.get(DELIVERY, cls.HTTP)
        try:
            return cls(name)
        except ValueError:
            known = " or ".join(cls)
            raise SettingsError(f"{DELIVERY}: {name!r} is not a way to reach functions. Write {known}.") from None

    def function_url(self, name: str, ports: Ports) -> str:
        """Where the adapter finds a function of this stack."""
        return f"rq:{name}" if self is Transport.RQ else f"http://127.0.0.1:{ports[name]}"
