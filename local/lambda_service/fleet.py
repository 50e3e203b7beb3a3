"""The execution environments of one function: started when needed, kept warm, ended when idle or dead."""

import asyncio
import itertools
import time
from collections.abc import Mapping
from pathlib import Path

import aiohttp

from local.lambda_service.environment import ExecutionEnvironment, Invocation
from local.lambda_service.functions import LambdaFunction

IDLE_S = 300.0
"""AWS keeps idle environments for minutes; nobody is promised how many."""


class ThrottledError(Exception):
    """All execution environments that the function may have are at work."""


class Fleet:
    """All that runs of a function."""

    def __init__(
        self, function: LambdaFunction, folder: Path, client: aiohttp.ClientSession, idle_s: float = IDLE_S
    ) -> None:
        """Begin with no environment.

        Args:
            function: that is run.
            folder: in which each environment gets its own.
            client: for the emulators' HTTP.
            idle_s: after so many seconds without work an environment is ended.
        """
        self.function = function
        self.limit = function.concurrency
        """How many invocations may run at once; may be changed at any time."""
        self._folder = folder
        self._client = client
        self._idle_s = idle_s
        self._numbers = itertools.count(1)
        self._idle: list[tuple[float, ExecutionEnvironment]] = []
        """Since when, and which; the one that worked last is at the end, and is the next to work."""
        self._all: set[ExecutionEnvironment] = set()
        self._busy = 0

    async def invoke(self, payload: bytes, headers: Mapping[str, str], *, with_log: bool) -> Invocation:
        """Let an environment answer an event.

        Raises:
            ThrottledError: as many as may are at work.
            EnvironmentEndedError: it died meanwhile, or could not be started.
        """
        if self._busy >= self.limit:
            raise ThrottledError
        self._busy += 1
        environment = None
        try:
            environment = await self._take()
            invocation = await environment.invoke(payload, headers, with_log=with_log)
        except BaseException:
            if environment:
                await self._end(environment)
            raise
        else:
            if invocation.answer.is_over:
                await self._end(environment)
            else:
                self._idle.append((time.monotonic(), environment))
            return invocation
        finally:
            self._busy -= 1

    async def end_idle(self) -> None:
        """End those without work for long, or that have died."""
        until = time.monotonic() - self._idle_s
        over = [one for since, one in self._idle if since <= until or not one.can_serve]
        self._idle = [(since, one) for since, one in self._idle if one not in over]
        for environment in over:
            await self._end(environment)

    async def close(self) -> None:
        """End all, also those at work."""
        self._idle.clear()
        await asyncio.gather(*map(self._end, tuple(self._all)))

    async def _take(self) -> ExecutionEnvironment:
        while self._idle:
            _, environment = self._idle.pop()
            if environment.can_serve:
                return environment
            await self._end(environment)
        folder = self._folder / f"{self.function.name}-{next(self._numbers)}"
        environment = ExecutionEnvironment(self.function, folder, self._client)
        self._all.add(environment)
        try:
            await environment.start()
        except BaseException:
            await self._end(environment)
            raise
        return environment

    async def _end(self, environment: ExecutionEnvironment) -> None:
        self._all.discard(environment)
        await environment.end()
