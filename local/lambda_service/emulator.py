"""The runtime interface emulator: where its program is, and how it is started. Pure, but for looking for it.

Source: github.com/aws/aws-lambda-runtime-interface-emulator; the program as packaged in aws-sam-cli.
"""

import sys
from pathlib import Path

from local.lambda_service.functions import REGION, LambdaFunction
from local.processes import bound_to_parent

INVOKE = "/2015-03-31/functions/function/invocations"
"""Where it takes invocations, whatever the function's name is."""
HERE = "127.0.0.2"
"""Where it listens: only this machine gets there. Not at 127.0.0.1, where it could take the port of a program that is
just being started again, and keep it."""


def emulator_binary() -> Path:
    """Where its program is, if it is installed."""
    return Path(sys.executable).with_name("aws-lambda-rie")


def emulator_argv(function: LambdaFunction, port: int, runtime_port: int) -> list[str]:
    """The command that runs one execution environment.

    Args:
        function: that it runs.
        port: where it takes invocations.
        runtime_port: where the runtime client asks it for them.
    """
    ends_with_parent = bound_to_parent("KILL")
    argv = [*ends_with_parent, str(emulator_binary()), "--log-level", "error"]
    # by default it listens on all interfaces, and every emulator at the same port 9001
    argv += ["--runtime-interface-emulator-address", f"{HERE}:{port}"]
    argv += ["--runtime-api-address", f"{HERE}:{runtime_port}"]
    return [*argv, *ends_with_parent, sys.executable, "-m", "awslambdaric", function.handler]


def emulator_environment(function: LambdaFunction, folder: Path) -> dict[str, str]:
    """What an execution environment is started with: the function's settings, and what Lambda adds.

    Args:
        function: that it runs.
        folder: the environment's own, for temporary files.

    Source: AWS, «Using Lambda environment variables», defined runtime environment variables.
    """
    given = {"AWS_REGION": REGION, "AWS_DEFAULT_REGION": REGION} | function.environment
    return given | {
        "AWS_LAMBDA_FUNCTION_NAME": function.name,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(function.memory_mb),
        "AWS_LAMBDA_FUNCTION_TIMEOUT": str(function.timeout_s),
        "LAMBDA_TASK_ROOT": str(function.source),
        "TMPDIR": str(folder),
    }
