"""The Lambda service of local/lambda_service as tests start it, and clients of it."""

import contextlib
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import boto3
import psutil
from botocore.config import Config

from local.lambda_service.clients import ACCESS_KEY, SECRET_KEY, client_environment, made_up_credentials
from local.lambda_service.emulator import emulator_binary
from local.lambda_service.functions import REGION, LambdaFunction
from support.processes import Program, environment_with, free_port
from support.stack import command_line

RUNTIME, EMULATOR = "-m awslambdaric", "aws-lambda-rie"
MISSING = "" if emulator_binary().exists() else "AWS Lambda's emulator is not installed: run scripts/setup --lambda."


@dataclass
class LambdaService(Program):
    """The service."""

    credentials: dict[str, str] = field(default_factory=dict, repr=False)

    @property
    def client_settings(self) -> dict[str, str]:
        """What makes an adapter invoke its functions."""
        return client_environment(self.credentials)

    def client(self, **given: Any) -> Any:
        """A client of boto3's that never repeats a request."""
        config = Config(retries={"total_max_attempts": 1}, read_timeout=60)
        keys = {
            "aws_access_key_id": self.credentials[ACCESS_KEY],
            "aws_secret_access_key": self.credentials[SECRET_KEY],
        }
        return boto3.client(
            "lambda", endpoint_url=self.page.removesuffix("/"), region_name=REGION, config=config, **(keys | given)
        )

    def find(self, mark: str, function: str = "") -> list[psutil.Process]:
        """The processes below it whose command line contains something, of one function or of all."""
        found = [process for process in self.family()[1:] if _is_meant(command_line(process), mark)]
        return [one for one in found if not function or _function_of(one) == function]


def _is_meant(line: str, mark: str) -> bool:
    # an emulator's command line ends with that of the runtime which it starts
    return mark in line and (mark == EMULATOR or EMULATOR not in line)


def _function_of(process: psutil.Process) -> str:
    try:
        return str(process.environ().get("AWS_LAMBDA_FUNCTION_NAME", ""))
    except psutil.Error:
        return ""


def new_lambda_function(name: str, source: Path, settings: Mapping[str, str], **given: Any) -> LambdaFunction:
    """A function for the service.

    Args:
        name: of the function.
        source: the folder with its main.py.
        settings: its environment.
        given: what else LambdaFunction has.
    """
    concurrency = given.pop("concurrency", 2)
    environment = environment_with(settings)
    return LambdaFunction(name=name, source=source, concurrency=concurrency, environment=environment, **given)


def new_lambda_service(
    functions: list[LambdaFunction], folder: Path, *options: str, port: int = 0, name: str = "lambda"
) -> LambdaService:  # fmt: skip
    """The service, not started yet.

    Args:
        functions: that it runs.
        folder: for its log and its environments.
        options: more arguments.
        port: where it listens; 0: a free one.
        name: of the program and its log.
    """
    port = port or free_port()
    credentials = made_up_credentials(port)
    settings = {ACCESS_KEY: credentials[ACCESS_KEY]}
    for function in functions:
        settings |= function.as_variable()
    argv = [sys.executable, "-m", "local.lambda_service", "--port", str(port), "--folder", str(folder / name), *options]
    page = f"http://127.0.0.1:{port}/"
    return LambdaService(name, argv, settings, folder / f"{name}.log", page, credentials=credentials)


@contextlib.contextmanager
def running_lambda_service(functions: list[LambdaFunction], folder: Path, *options: str) -> Iterator[LambdaService]:
    """The service while it is needed; nothing is left of it in the end."""
    service = new_lambda_service(functions, folder, *options)
    service.start()
    try:
        yield service.wait()
    finally:
        service.stop()
