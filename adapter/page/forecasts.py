"""When jobs will be ready and why they wait, as the page shows it: worked out now and then, as it takes a while.

Working it out for very many jobs takes most of a second. So it is done only while somebody looks, at most so often that
it does not count, and a page that is opened does not wait for it: it gets it a little later.
"""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import structlog
from redis.exceptions import RedisError

from adapter.inspection.job_record import JobRecord
from adapter.redis.connections import RedisClient

if TYPE_CHECKING:
    from adapter.inspection.forecast.snapshot import Snapshot

logger = structlog.get_logger(__name__)

FEW_JOBS = 500
PATIENCE_S = 0.25
"""So long a page waits for the first forecast, if there are few jobs."""
LATER_S = 1.0
"""If there are many, it is begun so much later, when the page is there."""
LEAST_AGE_S = 10.0
REST = 80
"""After a forecast there is none for so many times the processor time that it took: 1 to 2 % of a processor."""


@dataclass(frozen=True, slots=True)
class Forecast:
    """What was worked out at some time."""

    snapshot: "Snapshot"
    ready_at: Mapping[str, float]
    """Job → seconds since the epoch; what depends on people is missing."""

    def ready(self, job_id: str) -> float:
        """When a job will be ready; 0: not known."""
        return self.ready_at.get(job_id, 0.0)

    def sentences(self, record: JobRecord) -> list[str]:
        """What a job waits for; nothing if it was not there yet, has gone on to another stage since, or has ended."""
        from adapter.inspection.forecast.sentences import explain_live  # noqa: PLC0415 - delays the start

        job = self.snapshot.jobs.get(record.id)
        is_there = job is not None and job.stage == record.fields.get("stage", "")
        return explain_live(self.snapshot, job, record) if job and is_there and record.is_live else []


class Forecasts:
    """Works out forecasts when they are asked for."""

    def __init__(self, jobs: RedisClient) -> None:
        """Use the jobs' database."""
        self._jobs = jobs
        self._latest: Forecast | None = None
        self._due_s = 0.0
        self._task: asyncio.Task[None] | None = None

    async def latest(self, jobs: int) -> Forecast | None:
        """The latest forecast; None: there is none yet.

        Args:
            jobs: how many have not ended.
        """
        is_quick = jobs <= FEW_JOBS
        if self._task is None and time.monotonic() >= self._due_s:
            self._task = asyncio.create_task(self._work_out(0 if is_quick else LATER_S), name="forecast")
        if self._latest is None and self._task is not None and is_quick:
            await asyncio.wait([self._task], timeout=PATIENCE_S)
        return self._latest

    async def close(self) -> None:
        """Work out nothing more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])

    async def _work_out(self, later_s: float) -> None:
        from adapter.inspection.forecast.forecasts import ready_times  # noqa: PLC0415 - delays the start
        from adapter.inspection.forecast.snapshot import read_snapshot  # noqa: PLC0415 - delays the start

        await asyncio.sleep(later_s)
        # processor time, by the clock it takes longer on a busy machine; that of the adapter's other work counts, too
        began_s = time.process_time()
        try:
            snapshot = await read_snapshot(self._jobs)
            # another thread: meanwhile steps are delivered
            self._latest = Forecast(snapshot, await asyncio.to_thread(ready_times, snapshot))
        except RedisError as error:
            logger.warning("It cannot be worked out when jobs will be ready.", error=str(error))
        except Exception:
            # a blind catch: the page is shown without a forecast, and the next one is worked out all the same
            logger.exception("Internal error in a forecast.")
        finally:
            self._due_s = time.monotonic() + max(LEAST_AGE_S, REST * (time.process_time() - began_s))
            self._task = None
