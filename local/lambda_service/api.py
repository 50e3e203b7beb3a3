"""Lambda's API: Invoke, and the two operations that change a function's concurrency.

    POST   /2015-03-31/functions/<name>/invocations
    PUT    /2017-10-31/functions/<name>/concurrency
    DELETE /2017-10-31/functions/<name>/concurrency
    GET    /                                          200 while the service runs

A client must sign with the access key that the service was started with. Whoever is on this machine and does not know
the key is refused; the signature itself is not checked.

Source: AWS, Lambda API reference, Invoke, PutFunctionConcurrency, DeleteFunctionConcurrency.
"""

import base64
import hmac
import json
from collections.abc import Mapping
from uuid import uuid4

from aiohttp import web

from local.lambda_service.environment import EnvironmentEndedError
from local.lambda_service.fleet import Fleet, ThrottledError
from local.lambda_service.functions import name_in

PAYLOAD_BYTES = 6 << 20
"""Source: AWS, «Lambda quotas», synchronous invocations."""
LATEST = "$LATEST"
QUALIFIERS = frozenset({"", LATEST, "live"})
"""There is one version of each function, and the alias that the deployment has."""
REQUEST_ID, ERROR_TYPE = "x-amzn-RequestId", "X-Amzn-Errortype"
PASSED_ON = ("X-Amz-Client-Context", "X-Amzn-Trace-Id")
RESERVED = "ReservedConcurrentExecutions"


class LambdaApi:
    """Answers as AWS does."""

    def __init__(self, fleets: Mapping[str, Fleet], access_key: str) -> None:
        """Serve functions.

        Args:
            fleets: by the name of their function.
            access_key: the id that clients sign with.
        """
        self._fleets = fleets
        self._access_key = access_key

    def application(self) -> web.Application:
        """The web application."""
        application = web.Application(client_max_size=PAYLOAD_BYTES)
        application.add_routes([
            web.get("/", self.show),
            web.post("/2015-03-31/functions/{name}/invocations", self.invoke),
            web.put("/2017-10-31/functions/{name}/concurrency", self.set_concurrency),
            web.delete("/2017-10-31/functions/{name}/concurrency", self.reset_concurrency),
        ])  # fmt: skip
        return application

    async def show(self, _request: web.Request) -> web.Response:
        """Say that the service runs."""
        return web.json_response({"functions": sorted(self._fleets)})

    async def invoke(self, request: web.Request) -> web.Response:
        """Let a function answer an event."""
        refusal = self._refusal(request)
        if refusal:
            return refusal
        kind = request.headers.get("X-Amz-Invocation-Type", "RequestResponse")
        if kind not in {"RequestResponse", "DryRun"}:
            return _error(400, "InvalidParameterValueException", f"The invocation type {kind!r} is not offered here.")
        try:
            payload = await request.read()
        except web.HTTPRequestEntityTooLarge:
            sentence = f"Request must be smaller than {PAYLOAD_BYTES} bytes for the InvokeFunction operation"
            return _error(413, "RequestTooLargeException", sentence)
        try:
            json.loads(payload or b"{}")
        except ValueError as error:
            sentence = f"Could not parse request body into json: {error}"
            return _error(400, "InvalidRequestContentException", sentence)
        if kind == "DryRun":
            return web.Response(status=204, headers={REQUEST_ID: str(uuid4())})
        return await self._invoke(self._fleet(request), payload or b"{}", request)

    async def _invoke(self, fleet: Fleet, payload: bytes, request: web.Request) -> web.Response:
        passed_on = {name: request.headers[name] for name in PASSED_ON if name in request.headers}
        with_log = request.headers.get("X-Amz-Log-Type") == "Tail"
        try:
            invocation = await fleet.invoke(payload, passed_on, with_log=with_log)
        except ThrottledError:
            reason = {"Reason": "ReservedFunctionConcurrentInvocationLimitExceeded"}
            return _error(429, "TooManyRequestsException", "Rate Exceeded.", reason, key="message")
        except EnvironmentEndedError as error:
            return _error(500, "ServiceException", str(error), {"Type": "Service"})
        headers = {REQUEST_ID: invocation.request_id, "X-Amz-Executed-Version": LATEST}
        if invocation.answer.is_error:
            headers["X-Amz-Function-Error"] = "Unhandled"
        if with_log:
            headers["X-Amz-Log-Result"] = base64.b64encode(invocation.log).decode("ascii")
        return web.Response(body=invocation.answer.payload, content_type="application/json", headers=headers)

    async def set_concurrency(self, request: web.Request) -> web.Response:
        """Let a function run so many invocations at once from now on; 0: none."""
        refusal = self._refusal(request)
        if refusal:
            return refusal
        try:
            limit = int((await request.json())[RESERVED])
        except (ValueError, KeyError, TypeError):
            return _error(400, "InvalidParameterValueException", f"{RESERVED} is missing or no number.")
        self._fleet(request).limit = limit
        return web.json_response({RESERVED: limit})

    async def reset_concurrency(self, request: web.Request) -> web.Response:
        """Let a function run as many invocations at once as it was started with."""
        refusal = self._refusal(request)
        if refusal:
            return refusal
        fleet = self._fleet(request)
        fleet.limit = fleet.function.concurrency
        return web.Response(status=204, headers={REQUEST_ID: str(uuid4())})

    def _fleet(self, request: web.Request) -> Fleet:
        """Of the function that the request names; `_refusal` has found it."""
        return self._fleets[name_in(request.match_info["name"])[0]]

    def _refusal(self, request: web.Request) -> web.Response | None:
        """What is wrong with who asks, or with what is asked for; None: nothing."""
        authorization = request.headers.get("Authorization", "")
        if not authorization:
            return _error(403, "MissingAuthenticationTokenException", "Missing Authentication Token", key="message")
        _, _, credential = authorization.partition("Credential=")
        if not hmac.compare_digest(credential.partition("/")[0].encode(), self._access_key.encode()):
            sentence = "The security token included in the request is invalid."
            return _error(403, "UnrecognizedClientException", sentence, key="message")
        reference = request.match_info["name"]
        name, qualifier = name_in(reference)
        if name not in self._fleets or not {qualifier, request.query.get("Qualifier", "")} <= QUALIFIERS:
            return _error(404, "ResourceNotFoundException", f"Function not found: {reference}", {"Type": "User"})
        return None


def _error(
    status: int, kind: str, sentence: str, more: Mapping[str, str] | None = None, *, key: str = "Message"
) -> web.Response:
    """An answer of the service itself; the key of the sentence is written as AWS writes it for that kind."""
    headers = {REQUEST_ID: str(uuid4()), ERROR_TYPE: kind}
    return web.json_response({key: sentence, **({"Type": "User"} | dict(more or {}))}, status=status, headers=headers)
