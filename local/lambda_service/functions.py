"""What the service is told about a function: a variable of its environment for each. Pure."""

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from podjobs.settings import SettingsError

VARIABLE = "LAMBDA_FUNCTION_"
"""How the names of those variables begin; the function's name in capitals follows, the value is JSON."""
HANDLER = "main.handle_invocation"
REGION = "eu-west-3"
"""Nothing depends on it, but clients need one."""
ACCOUNT = "000000000000"
LONGEST_TIMEOUT_S = 900
"""Source: AWS, «Lambda quotas»."""


class LambdaFunction(BaseModel):
    """A function as AWS knows it."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    name: str = Field(pattern=r"^[a-zA-Z0-9_-]{1,64}$")
    source: Path
    """The folder in which its handler is imported."""
    handler: str = HANDLER
    concurrency: int = Field(ge=0)
    """Execution environments at most: AWS's reserved concurrency."""
    timeout_s: int = Field(default=LONGEST_TIMEOUT_S, ge=1, le=LONGEST_TIMEOUT_S)
    memory_mb: int = Field(default=1769, ge=128)
    """Only told to the handler: nothing limits it here."""
    environment: dict[str, str] = Field(repr=False)
    """All of it; nothing else of this machine's reaches the function."""

    @property
    def arn(self) -> str:
        """Its ARN."""
        return f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{self.name}"

    def as_variable(self) -> dict[str, str]:
        """As the service's environment holds it."""
        return {f"{VARIABLE}{self.name.upper()}": self.model_dump_json()}


def read_functions(environment: Mapping[str, str]) -> tuple[LambdaFunction, ...]:
    """Read the functions from the service's environment.

    Raises:
        SettingsError: one of them is not valid; values are not repeated, as they may be secrets.
    """
    found = []
    for name, value in sorted(environment.items()):
        if name.startswith(VARIABLE):
            try:
                found.append(LambdaFunction.model_validate_json(value))
            except ValidationError as error:
                faults = ", ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
                raise SettingsError(f"{name}: is not a function ({faults}). Write it as LambdaFunction is.") from None
    return tuple(found)


def name_in(reference: str) -> tuple[str, str]:
    """Take a function's name, and the version or alias after it, out of what Invoke may be given.

    Args:
        reference: `name`, `name:alias`, `account:function:name`, or a whole ARN.

    Source: AWS, Lambda API reference, Invoke, FunctionName.
    """
    *_, rest = reference.rpartition("function:")
    name, _, qualifier = rest.partition(":")
    return name, qualifier
