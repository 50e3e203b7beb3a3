"""What was sent to the adapters in a campaign, and what must have become of it in the end."""

import json
import random
import uuid
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

import redis

from adapter.door.celery_jobs import ENCODING_TASK, STUDIO_TASK, TRANSCRIPTION_TASK
from adapter.redis import keys
from support.campaign_functions import CampaignFunctions, committed_sentence
from support.celery_messages import celery_message
from support.statements import message_of, new_statement

VIDEOS = 40
"""So few that requests for the same video meet."""
GARBAGE = ("not json", "[]", '{"body": "%%%", "headers": {}, "properties": {}}')
TASKS = ((ENCODING_TASK, "encoding"), (STUDIO_TASK, "encoding"), (TRANSCRIPTION_TASK, "transcripting"))
ENDED = {"done", "failed", "superseded"}


def _arguments(task: str, number: int) -> list[Any]:
    """What Pod sends about its video, or its recording, of that number."""
    folder = f"/media/videos/{number}"
    if task == STUDIO_TASK:
        sources = [{"type": f"{name}/source", "src": f"{folder}/{name}.webm"} for name in ("presentation", "presenter")]
        return [number, f"{folder}/recording.mp4", sources, "", "pipb"]
    return [number, f"{folder}/v.mp4", 0, 0] if task == ENCODING_TASK else [number, f"{folder}/a.mp3", 10, "en"]


@dataclass
class Ledger:
    """Everything that was sent since Redis was last emptied."""

    chance: random.Random
    jobs: dict[str, str] = field(default_factory=dict)
    """Job id → the task, and the video or recording that it is about."""
    statements: set[str] = field(default_factory=set)
    """Ids."""
    garbage: set[str] = field(default_factory=set)
    outbox: list[tuple[str, bytes, str]] = field(default_factory=list)
    """Queue, message and what it is called in the ledger: what Redis has not accepted yet."""
    sent: Counter[str] = field(default_factory=Counter)
    """By queue, of the whole campaign."""
    void_targets: set[str] = field(default_factory=set)
    """Videos about which a message was lost along with Redis."""
    statement_number: int = 0

    def write_messages(self) -> None:
        """Put some messages into the outbox."""
        for _ in range(self.chance.choice((0, 1, 2, 4))):
            job_id, video_id = str(uuid.UUID(int=self.chance.getrandbits(128))), self.chance.randint(1, VIDEOS)
            task, queue = self.chance.choice(TASKS)
            message = celery_message(task, _arguments(task, video_id), message_id=job_id, queue=queue)
            self.outbox.append((queue, message, f"{job_id} {task}/{video_id}"))
        for _ in range(self.chance.choice((0, 0, 5, 20))):
            self.statement_number += 1
            statement = new_statement(self.statement_number, seed=0) | {"n": self.statement_number}
            message = message_of(statement, str(uuid.uuid5(uuid.NAMESPACE_URL, statement["id"])))
            self.outbox.append(("xapi", message, statement["id"]))
        if self.chance.random() < 0.1:
            text = f"{self.chance.choice(GARBAGE)} {self.chance.getrandbits(64)}"
            self.outbox.append((self.chance.choice(("encoding", "transcripting", "xapi")), text.encode(), text))

    def push(self, client: redis.Redis) -> None:
        """Push the outbox as Celery does; what Redis does not accept, or without an answer, is pushed again later."""
        while self.outbox:
            queue, message, name = self.outbox[0]
            try:
                client.lpush(queue, message)
            except redis.RedisError:
                return
            self.outbox.pop(0)
            self.sent[queue] += 1
            self._enter(queue, name)

    def _enter(self, queue: str, name: str) -> None:
        if name.startswith(GARBAGE):
            self.garbage.add(name)
        elif queue == "xapi":
            self.statements.add(name)
        else:
            job_id, target = name.split()
            self.jobs[job_id] = target

    def write_off(self) -> None:
        """Redis was emptied: what was sent is lost by definition. What is in the outbox is not."""
        self.void_targets |= set(self.jobs.values())
        self.jobs, self.statements, self.garbage = {}, set(), set()

    def close_round(self) -> None:
        """What has been checked need not be checked again."""
        self.void_targets = set()
        self.jobs, self.statements, self.garbage = {}, set(), set()

    def left(self, client: Any) -> list[str]:
        """What has not ended, in words."""
        found = [f"in the outbox: {len(self.outbox)}"] if self.outbox else []
        for queue in ("encoding", "transcripting", "xapi"):
            found += [f"{key}: {client.llen(key)}" for key in client.scan_iter(f"{queue}*")]
        found += [f"{key}: {client.xlen(key)}" for key in self._streams(client) if client.xlen(key)]
        found += [f"live: {job_id} {client.hgetall(keys.job(job_id))}" for job_id in client.smembers(keys.LIVE)]
        states = {job_id: client.hget(keys.job(job_id), "state") for job_id in self.jobs}
        return found + [f"job {job_id}: {state}" for job_id, state in states.items() if state not in ENDED]

    @staticmethod
    def _streams(client: Any) -> list[str]:
        return [*client.scan_iter(f"{keys.steps('')}*"), *client.scan_iter(keys.STATEMENTS)]

    def faults(self, client: Any, functions: CampaignFunctions) -> list[str]:
        """What is not as it must be once everything has ended: lost, doubled, left behind."""
        return [
            *self._job_faults(client, functions),
            *self._target_faults(client),
            *self._letter_faults(client, functions),
        ]

    def _job_faults(self, client: Any, functions: CampaignFunctions) -> list[str]:
        found = []
        for job_id in self.jobs:
            state = client.hget(keys.job(job_id), "state")
            commits = Counter(client.lrange(keys.job_log(job_id), 0, -1))
            found += [f"{job_id}: {times} × {line}" for line, times in commits.items() if times > 1]
            told = sum(commits[committed_sentence(step_id)] for step_id in ("notify", "notify-failure"))
            if state in {"done", "failed"} and (told != 1 or not functions.notified[job_id]):
                calls = functions.notified[job_id]
                found.append(f"{job_id} is {state}: {told} notifications committed, {calls} calls, {list(commits)}")
            found += [f"left behind: {key}" for key in self._remains(client, job_id)]
        return found

    @staticmethod
    def _remains(client: Any, job_id: str) -> list[str]:
        parts = [f"{keys.job(job_id)}:{part}" for part in ("stages", "open", "held", "results")]
        return [key for key in parts if client.exists(key)]

    def _target_faults(self, client: Any) -> list[str]:
        """Whoever supersedes ends otherwise."""
        states = defaultdict(list)
        for job_id, target in self.jobs.items():
            states[target].append(client.hget(keys.job(job_id), "state"))
        return [
            f"{target}: all superseded"
            for target, ends in states.items()
            if target not in self.void_targets and set(ends) == {"superseded"}
        ]

    def _letter_faults(self, client: Any, functions: CampaignFunctions) -> list[str]:
        letters = [fields for _, fields in client.xrange(keys.DEAD)]
        raws = {fields.get("raw") for fields in letters}
        given_up = {json.loads(fields["statement"])["id"] for fields in letters if fields["kind"] == "statement"}
        settled = functions.accepted.keys() | given_up
        found = [f"garbage is lost: {text}" for text in self.garbage - raws]
        found += [f"statement is lost: {statement_id}" for statement_id in self.statements - settled]
        refused = functions.refused & self.statements
        return found + [f"refused, no dead letter: {statement_id}" for statement_id in refused - given_up]
