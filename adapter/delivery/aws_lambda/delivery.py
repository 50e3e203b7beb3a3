"""Delivery to AWS Lambda: a structured CloudEvent is the payload of a synchronous invocation, which returns the answer.

    deliver ──invoke──▶ answer               read as every answer is
              │   ├────▶ FunctionError       the function died (outcomes.py)
              │   └────▶ an error of Lambda  it was not begun
              └─ lost: the function may do its work all the same. It does it again then, and what comes twice is dropped
                 where steps are committed.

boto3 blocks: each invocation has a thread (threads.py). A delivery that is cancelled returns at once; Lambda cannot be
told, so its thread waits until the answer comes, which nobody reads.

Source: AWS, «Invoke»; boto3, `Lambda.Client.invoke`.
"""

import asyncio
import base64
import binascii
import functools
import json
import os
import socket
import threading
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Generic

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from adapter.delivery import FunctionBusyError, StepFailedError, StepRefusedError, delivery_problem
from adapter.delivery.answers import read_answer_message
from adapter.delivery.aws_lambda.names import function_name, region_of
from adapter.delivery.aws_lambda.outcomes import error_of_function, error_of_refusal, error_of_way
from adapter.delivery.aws_lambda.threads import call_in_thread
from adapter.delivery.requests import request_event
from podjobs.contract.lambda_answers import COLD_START, PAYLOAD_BYTES
from podjobs.contract.message_contracts import MessageContract, ReplyT, RequestT
from podjobs.events import write_message

logger = structlog.get_logger(__name__)

LONGEST_S = 900.0
"""Lambda's limit for one invocation."""
CONNECT_LIMIT_S = 5.0
START_S = 60.0
"""What an invocation may take beside the function's own time: an image is fetched, a file system mounted."""
CHECK_LIMIT_S = 20.0
_PROBES = {"TCP_KEEPIDLE": 60, "TCP_KEEPINTVL": 30, "TCP_KEEPCNT": 8}
"""Seconds and number: NAT gateways and VPC endpoints forget a connection on which nothing has come for 350 s, and a
step's answer with it. Otherwise Linux sends the first probe after two hours.
Source: AWS, «Troubleshoot NAT gateways»."""


@dataclass(frozen=True, slots=True)
class _Answer:
    """What came back of an invocation."""

    request_id: str
    """Leads to the invocation in CloudWatch's logs."""
    function_error: str
    """Empty: the function has answered."""
    payload: bytes
    log: str


class LambdaDelivery(Generic[RequestT, ReplyT]):
    """Invokes one function by its name."""

    def __init__(
        self, url: str, contract: MessageContract[RequestT, ReplyT], adapter_id: str, margin_s: float, slots: int
    ) -> None:
        """Create a delivery; AWS is found at its first request.

        Args:
            url: `lambda:<function>`, as `check_lambda_url` accepts it.
            contract: its requests and replies.
            adapter_id: names the source of the events.
            margin_s: seconds beyond a request's own time limit after which it is abandoned.
            slots: how many requests are in flight at most.
        """
        self._contract = contract
        self._adapter_id = adapter_id
        self._margin_s = margin_s
        self._lambda = _LambdaFunction(function_name(url), LONGEST_S + START_S + margin_s, slots)

    async def deliver(self, request: RequestT) -> ReplyT:
        """Invoke the function. Raises: see Delivery.deliver."""
        message = write_message(request_event(self._contract, request, self._adapter_id))
        payload = json.dumps(message, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "replace")
        if len(payload) > PAYLOAD_BYTES:
            detail = f"The {self._contract.noun} takes {len(payload)} bytes, but Lambda takes at most {PAYLOAD_BYTES}."
            raise StepRefusedError(delivery_problem(detail, HTTPStatus.REQUEST_ENTITY_TOO_LARGE))
        answer = await self._invoke(payload, min(request.timeout_s, LONGEST_S) + START_S + self._margin_s)
        name = self._lambda.name
        try:
            found = json.loads(answer.payload)
        except ValueError:
            found = answer.payload[:1000].decode("utf-8", "replace")
        if answer.function_error:
            error = error_of_function(found, answer.log, name, request.timeout_s)
            logger.warning("A Lambda function has died.", request_id=answer.request_id, reason=error.problem.detail)
            raise error
        self._log_answer(answer, found)
        return read_answer_message(self._contract, found)

    async def _invoke(self, payload: bytes, limit_s: float) -> _Answer:
        name = self._lambda.name
        try:
            async with asyncio.timeout(limit_s):
                return await call_in_thread(functools.partial(self._lambda.invoke, payload), f"lambda {name}")
        except TimeoutError as error:
            detail = f"The Lambda function {name} did not answer within {limit_s:g} s."
            raise StepFailedError(delivery_problem(detail, HTTPStatus.GATEWAY_TIMEOUT)) from error
        except ClientError as error:
            raise error_of_refusal(error, name) from error
        except (BotoCoreError, ValueError) as error:  # ValueError: an endpoint that is no URL
            raise error_of_way(error, name) from error
        except RuntimeError as error:
            detail = f"The adapter has no more threads ({error}): lower PODJOBS_CONCURRENCY_…, or raise its limits."
            raise FunctionBusyError(delivery_problem(detail, HTTPStatus.SERVICE_UNAVAILABLE)) from error

    def _log_answer(self, answer: _Answer, found: Any) -> None:
        headers = found.get("headers") if isinstance(found, dict) else None
        started_s = headers.get(COLD_START) if isinstance(headers, dict) else None
        if started_s:
            logger.info("Lambda has started an environment.", request_id=answer.request_id, start_s=started_s)
        else:
            logger.debug("Lambda has answered.", request_id=answer.request_id)

    async def check(self) -> None:
        """Ask whether the function is there and may be invoked; it is not run. Raises DeliveryError."""
        name = self._lambda.name
        try:
            async with asyncio.timeout(CHECK_LIMIT_S):
                await call_in_thread(self._lambda.check, f"lambda {name}")
        except TimeoutError as error:
            detail = f"Lambda does not answer within {CHECK_LIMIT_S:g} s."
            raise FunctionBusyError(delivery_problem(detail, HTTPStatus.GATEWAY_TIMEOUT)) from error
        except ClientError as error:
            raise error_of_refusal(error, name) from error
        except (BotoCoreError, ValueError) as error:
            raise error_of_way(error, name) from error

    async def withdraw(self, _request: RequestT) -> None:
        """Do nothing: an invocation cannot be stopped."""

    async def workers(self) -> int | None:
        """Not known: Lambda starts an environment for whoever comes."""
        return None

    async def close(self) -> None:
        """Release the connections; those of invocations that still run end with them."""
        self._lambda.close()


class _LambdaFunction:
    """A function, as AWS's client sees it. Its calls block, and may come from any thread."""

    def __init__(self, name: str, read_limit_s: float, slots: int) -> None:
        self.name = name
        self._config = Config(
            connect_timeout=CONNECT_LIMIT_S,
            read_timeout=read_limit_s,
            # an invocation is repeated by the adapter, which counts
            retries={"total_max_attempts": 1},
            # beside those in flight, those whose delivery was cancelled
            max_pool_connections=2 * slots,
            tcp_keepalive=True,
            user_agent_extra="pod-functions",
        )
        self._opening = threading.Lock()
        self._client: Any = None

    def invoke(self, payload: bytes) -> _Answer:
        """Invoke it, and wait for its answer. Raises ClientError, BotoCoreError or ValueError."""
        answer = self._open().invoke(FunctionName=self.name, LogType="Tail", Payload=payload)
        return _Answer(
            request_id=str(answer["ResponseMetadata"].get("RequestId", "")),
            function_error=str(answer.get("FunctionError") or ""),
            payload=answer["Payload"].read(),
            log=_decode(answer.get("LogResult")),
        )

    def check(self) -> None:
        """Ask whether it may be invoked. Raises as `invoke`."""
        self._open().invoke(FunctionName=self.name, InvocationType="DryRun")

    def _open(self) -> Any:
        """The client. One that could not be made is tried anew by the next request: the cause may be mended."""
        with self._opening:
            if self._client is None:
                session = boto3.session.Session()
                # AWS's containers say AWS_REGION, which boto3 does not read
                region = region_of(self.name) or session.region_name or os.environ.get("AWS_REGION")
                self._client = session.client("lambda", region_name=region, config=self._config)
                _probe_idle_connections(self._client)
            return self._client

    def close(self) -> None:
        """Release idle connections."""
        with self._opening:
            if self._client is not None:
                self._client.close()
                self._client = None


def _probe_idle_connections(client: Any) -> None:
    """Have the connections of a client probed before they are forgotten on the way; botocore has no setting for it."""
    known = {name: value for name, value in _PROBES.items() if hasattr(socket, name)}
    options = [(socket.IPPROTO_TCP, getattr(socket, name), value) for name, value in known.items()]
    try:
        client._endpoint.http_session._socket_options.extend(options)  # noqa: SLF001 - see above
    except AttributeError:
        logger.warning("Answers that take longer than 350 s may get lost: botocore's connections cannot be configured.")


def _decode(log: Any) -> str:
    try:
        return base64.b64decode(str(log or "")).decode("utf-8", "replace")
    except (ValueError, binascii.Error):
        return ""
