"""Tells, through Redis, how a server's workers are: when somebody asks, and from time to time.

The function is opened and examined in a process of its own (examine_process.py), beside the workers.
"""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import structlog
from redis.exceptions import RedisError

from podjobs.contract.redaction import redact
from podjobs.contract.rq_jobs import REPORT_TTL_S, asked_key, reports_key
from podjobs.redis_connections import SyncRedis

logger = structlog.get_logger(__name__)

RENEW_S = REPORT_TTL_S / 3
LONGEST_S = 60.0
TROUBLE_CHARS = 500


class PoolReports:
    """The reports of one pool."""

    def __init__(self, queue: str, source: Path, environment: Mapping[str, str], connection: SyncRedis) -> None:
        """Create them; `tend` does the work.

        Args:
            queue: of the workers.
            source: the function's main.py.
            environment: of whatever opens the function.
            connection: to Redis.
        """
        self._queue = queue
        self._source = source
        self._environment = environment
        self._connection = connection
        self._place = f"{socket.gethostname()}-{os.getpid()}"
        self._ticket = ""
        self._process: subprocess.Popen[bytes] | None = None
        self._began_s = 0.0
        self._due_s = 0.0

    def tend(self) -> None:
        """Look whether somebody asks, and go on with what was begun. Called about once a second; never waits."""
        try:
            if self._process is None:
                self._begin_if_wanted()
            elif self._process.poll() is not None:
                self._tell(self._process)
                self._process = None
            elif time.monotonic() > self._began_s + LONGEST_S:
                self._process.kill()
        except RedisError as error:
            logger.debug("How the workers are cannot be told.", error=str(error))

    def end(self) -> None:
        """Tell nothing more, and take back what was told."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        try:
            self._connection.hdel(reports_key(self._queue), self._place)
        except RedisError as error:
            logger.debug("Redis does not answer.", error=str(error))

    def _begin_if_wanted(self) -> None:
        asked: Any = self._connection.get(asked_key(self._queue))
        ticket = asked.decode("utf-8", "replace") if asked else self._ticket
        if ticket == self._ticket and time.monotonic() < self._due_s:
            return
        self._ticket, self._began_s = ticket, time.monotonic()
        self._due_s = self._began_s + RENEW_S
        argv = [sys.executable, "-m", "podjobs.entry.rq.examine_process", str(self._source)]
        self._process = subprocess.Popen(
            argv,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            process_group=0,  # signals of the terminal are for the pool
        )

    def _tell(self, process: "subprocess.Popen[bytes]") -> None:
        said = process.communicate()[0].decode("utf-8", "replace").strip()
        *_, last = said.splitlines() or [""]
        seconds, microseconds = self._connection.time()
        told: dict[str, Any] = {"ticket": self._ticket, "at": seconds, "lead_s": 0.0}
        try:
            told["report"] = json.loads(last)
            told["lead_s"] = time.time() - (seconds + microseconds / 1e6)
        except ValueError:
            told["trouble"] = redact(last)[-TROUBLE_CHARS:]
        self._connection.hset(reports_key(self._queue), self._place, json.dumps(told))
        self._connection.expire(reports_key(self._queue), REPORT_TTL_S)
