"""Law 1 through the runner API, by chance: whatever goes wrong, every video ends right or clearly failed.

Pods of both dialects, a real adapter and Redis, the real notification. Answers are lost, imports fail behind a 200, the
source is deleted before the result is fetched, functions and the adapter are killed. An event is a video's schedule.
"""

import random
import threading
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor

import pytest
import structlog

from adapter.redis import keys
from support.campaign_stack import FAULT_LOGS
from support.processes import wait_for
from support.runner_pod import Misfortune
from support.runner_stack import running_runner_stack, upload

logger = structlog.get_logger(__name__)

SCHEDULES, QUICK_SCHEDULES = 1000, 8
ROUND = 50
SUBMITTERS = 12
CRON_S = 0.5
STORE_S = 0.05
LIMIT_S = 240
MOST_FAILED_IMPORTS = 2
"""One less than the calls after which it is given up."""
NOT_TAKEN = "The manager"
"""How a Pod 5 says that it could not hand the video over: it does not try again."""


class RunnerCampaign:
    """Rounds of videos."""

    def __init__(self, stack, seed):
        self.stack = stack
        self.chance = random.Random(seed)
        self.damaged = set()
        self.counts = Counter()
        self.numbers = iter(range(1, 1_000_000))
        self.ending = threading.Event()

    def play_round(self, count):
        """So many videos are handed over while things go wrong; all end as they must."""
        videos = [self.new_video() for _ in range(count)]
        self.ending.clear()
        cron = threading.Thread(target=self.run_cron)
        cron.start()
        try:
            with ThreadPoolExecutor(SUBMITTERS) as pool:
                requests = [pool.submit(pod.request, video) for pod, video in videos]
                self.harm()
                for request in requests:
                    request.result()
            wait_for(lambda: all(video.has_ended for _, video in videos), LIMIT_S, lambda: self.explain(videos))
        finally:
            self.ending.set()
            cron.join()
        wait_for(lambda: not self.stack.jobs.scard(keys.LIVE), LIMIT_S, lambda: self.explain(videos))
        faults = [fault for pod, video in videos for fault in self.faults_of(pod, video)]
        faults += self.stack.four.faults + self.stack.five.faults
        faults += [line for line in self.stack.adapter.said().splitlines() if any(one in line for one in FAULT_LOGS)]
        assert not faults, "\n".join(faults[:20])

    def new_video(self):
        pod, number = self.chance.choice((self.stack.four, self.stack.five)), next(self.numbers)
        content = f"source {number}: ".encode()
        if self.chance.random() < 0.05:
            content = b"damaged " + content
            self.damaged.add(number)
        video = pod.add_video(number, upload(pod, number, content))
        video.misfortunes = self.chance.choices(list(Misfortune), k=self.chance.choice((0, 1, 1, 2, 3)))
        while video.misfortunes.count(Misfortune.FAILED_IMPORT) > MOST_FAILED_IMPORTS:
            video.misfortunes.remove(Misfortune.FAILED_IMPORT)
        self.counts.update(video.misfortunes)
        return pod, video

    def harm(self):
        """Kill the adapter, now and then."""
        for _ in range(self.chance.choice((0, 1, 1, 2))):
            time.sleep(self.chance.uniform(0.2, 3))
            self.stack.restart_adapter()
            self.counts["adapter killed"] += 1

    def run_cron(self):
        """What a Pod 4 does every 3 minutes."""
        while not self.ending.wait(CRON_S):
            self.stack.four.submit_pending()

    def faults_of(self, pod, video):
        """What is not as it must be in the end."""
        own, is_damaged = f"source {video.number}: ".encode(), video.number in self.damaged
        self.counts["ready" if video.is_ready else "failed"] += 1
        if is_damaged:
            return [f"{video.number} is damaged, and ready"] if video.is_ready else []
        if not video.is_ready:
            is_ours = pod is self.stack.four or not video.error.startswith(NOT_TAKEN)
            return [f"{video.number} has failed: {video.error}"] if is_ours else []
        foreign = [name for name, content in video.files.items() if own not in content and name != "info_video.json"]
        return [f"{video.number} has files of another: {foreign}"] if foreign else []

    def explain(self, videos):
        left = [f"{type(pod).__name__} {video}" for pod, video in videos if not video.has_ended]
        tasks = [task for task in self.stack.four.tasks if not task.video.has_ended]
        jobs = {job_id: self.stack.jobs.hgetall(keys.job(job_id)) for job_id in self.stack.jobs.smembers(keys.LIVE)}
        said = [f"{job_id}: {job.get('state')} {job.get('stage')} {job.get('trouble')}" for job_id, job in jobs.items()]
        return "\n".join(map(str, [*left[:9], *tasks[:9], *said[:9], self.stack.adapter.said()[-3000:]]))


def play(folder, seed, schedules):
    """Returns what has happened, in figures."""
    begun = time.monotonic()
    with running_runner_stack(folder, seed=seed, store_s=STORE_S) as stack:
        campaign = RunnerCampaign(stack, seed)
        for first in range(0, schedules, ROUND):
            campaign.play_round(min(ROUND, schedules - first))
            logger.info("A round is over.", until=first + ROUND, after_s=round(time.monotonic() - begun))
        assert campaign.counts["ready"] > schedules / 2
        calls = [*stack.four.received, *stack.five.received]
        return (
            f"{schedules} schedules in {time.monotonic() - begun:.0f} s: {dict(campaign.counts)}; {len(calls)} calls; "
            f"steps {dict(stack.work.done)}"
        )


def test_videos_of_a_few_schedules_end_right_or_clearly_failed(tmp_path, seed):
    play(tmp_path / "runner", seed, QUICK_SCHEDULES)


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_videos_of_many_schedules_end_right_or_clearly_failed(tmp_path, seed, events):
    print(play(tmp_path / "runner", seed, events or SCHEDULES))  # noqa: T201
