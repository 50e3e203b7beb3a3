"""When jobs will be ready."""

from statistics import median

from adapter.inspection.forecast.model import Model
from adapter.inspection.forecast.snapshot import Snapshot, read_snapshot
from adapter.redis.connections import RedisClient

COURSES = 25
"""Courses of events of which the median counts, at most."""
STEPS = 30_000
"""That are simulated in all of them together, if there are few."""


async def forecast_all(redis: RedisClient) -> dict[str, float]:
    """When each job that has not ended will be ready, in seconds since the epoch. Raises RedisError.

    Those are missing that wait for somebody to do something.

    Args:
        redis: the jobs' database; returns text.
    """
    return ready_times(await read_snapshot(redis))


def ready_times(snapshot: Snapshot, job_id: str = "", courses: int = COURSES) -> dict[str, float]:
    """When jobs will be ready, as far as is known. Pure.

    Args:
        snapshot: what there is.
        job_id: only this one counts; empty: all.
        courses: of events, at most.
    """
    model = Model(snapshot)
    courses = max(1, min(courses, STEPS // max(1, model.steps)))
    found: dict[str, list[float]] = {}
    for seed in range(courses):
        simulation = model.simulation(seed)
        simulation.run(len(snapshot.jobs), job_id)
        for name, at_s in simulation.done_at.items():
            found.setdefault(name, []).append(at_s)
    return {name: median(times) for name, times in found.items()}
