"""The record of a job, as operators see it. Pure."""

import json
from dataclasses import dataclass
from typing import Any

from adapter.door.celery_studio import RECORDING
from adapter.steps.script import problem_detail
from podjobs.contract.errors import Problem
from podjobs.contract.failure_sentences import Language, tell_failure
from podjobs.contract.job_states import JobState
from podjobs.contract.redaction import redact

VIDEOS = "videos/"
"""Where Pod keeps each owner's videos: `videos/<owner>/<file>`. Source: docs/contract-pod.md."""


def without_queries(params: str) -> str:
    """A stored job, as JSON that may be shown: the URLs that it fetches may grant access to private files."""
    try:
        request = json.loads(params or "null")
        files = [{**file, "url": redact(str(file["url"]))} for file in request["fetch"]]
    except (ValueError, KeyError, TypeError):
        return params
    return json.dumps({**request, "fetch": files}, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class JobRecord:
    """The current record of a job."""

    id: str
    fields: dict[str, str]
    """The hash, see keys.py."""

    @property
    def state(self) -> str:
        """One of the values of JobState."""
        return self.fields.get("state", "")

    @property
    def is_live(self) -> bool:
        """Whether it has not ended."""
        return self.state in {JobState.QUEUED, JobState.RUNNING, JobState.FAILING} or "ended_at" not in self.fields

    @property
    def type(self) -> str:
        """The job type's name."""
        return self.fields.get("type", "")

    @property
    def target(self) -> str:
        """What it is for: the number of a video in Pod, or a recording."""
        return self.fields.get("target", "")

    @property
    def client(self) -> str:
        """The client of the runner API that requested it; empty: it came another way."""
        return self.fields.get("client", "")

    @property
    def is_of_recording(self) -> bool:
        """Whether it is for a recording of Pod's studio."""
        return self.target.startswith(RECORDING)

    @property
    def number_in_pod(self) -> str:
        """The number in Pod of what it is for; empty: it has none."""
        number = self.target.removeprefix(RECORDING)
        return number if number.isascii() and number.isdecimal() else ""

    @property
    def accepted_at_s(self) -> float:
        """When it was accepted, in seconds since the epoch."""
        return self.number("accepted_at")

    @property
    def progress(self) -> float:
        """Between 0 and 1."""
        if self.state == JobState.DONE:
            return 1.0
        total = self.number("weight_total")
        return min(1.0, self.number("weight_done") / total) if total else 0.0

    @property
    def reason(self) -> str:
        """Why it failed, or why its latest attempt did; empty while all is well."""
        return problem_detail(self.fields.get("error") or self.fields.get("trouble") or "")

    def told(self, language: Language) -> str:
        """What people are told in Pod of its failure, without technical words.

        Args:
            language: of the sentence; Pod's is that of LANGUAGE_CODE.

        Returns:
            Empty: it has not failed, or nobody requested it.
        """
        if not self.fields.get("error") or not self.request.get("reply_to"):
            return ""
        try:
            problem = Problem.model_validate_json(self.fields["error"])
        except ValueError:
            return ""
        return tell_failure(problem, self.type, language)

    @property
    def request(self) -> dict[str, Any]:
        """What was requested: the job's own data; empty if they cannot be read."""
        try:
            found = json.loads(self.fields.get("params") or "{}")
        except ValueError:
            return {}
        return found if isinstance(found, dict) else {}

    @property
    def shown_request(self) -> str:
        """What was requested, as JSON that may be shown."""
        return without_queries(self.fields.get("params", ""))

    @property
    def source(self) -> str:
        """The key of the file that is processed, of a recording its first one; empty if there is none."""
        request = self.request
        return str(request.get("source") or request.get("presentation") or request.get("presenter") or "")

    @property
    def owner(self) -> str:
        """The folder of the source's owner in Pod, for messages do not name owners; empty if it is in none."""
        _, found, below = self.source.partition(VIDEOS)
        owner, slash, _ = below.partition("/")
        return owner if found and slash else ""

    def number(self, name: str) -> float:
        """A field that is a number; 0 if it is missing or none."""
        try:
            return float(self.fields.get(name) or 0)
        except ValueError:
            return 0.0
