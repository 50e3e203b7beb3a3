"""Translates a client's task into a job. Pure.

Source: docs/contract-pod-runner.md. All files of a job are in a folder of its own: podjobs/contract/runner_places.py.
"""

import posixpath
from dataclasses import dataclass

from adapter.door.runner.clients import API_TOKEN, Caller, is_allowed
from adapter.door.runner.parameters import read_cut, read_dressing, read_languages, read_renditions
from adapter.door.runner.requests import Dialect, TaskRequest, file_name
from podjobs.contract.errors import InvalidRequestError, Problem
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import DressingRequest, EncodingJob, Job, RemoteFile, StudioJob, TranscriptionJob
from podjobs.contract.redaction import redact
from podjobs.contract.reply_to import RunnerCallback
from podjobs.contract.runner_places import result_folder, source_folder

STUDIO_BASE = "studio_base.mp4"
"""What a studio recording is composed into. Source: docs/contract-pod-runner.md, row r."""
INFO = "info_video.json"


def target_of(client: str, fingerprint: str) -> str:
    """What a job is about: a request of a client."""
    return f"runner:{client}:{fingerprint}"


def is_of_client(target: str, client: str) -> bool:
    """Whether a job with that target was requested by a client."""
    return target.startswith(f"runner:{client}:")


@dataclass(frozen=True, slots=True)
class Translation:
    """What becomes of one task of one client."""

    request: TaskRequest
    caller: Caller
    job_id: str

    @property
    def dialect(self) -> Dialect:
        """Which dialect the client speaks."""
        return self.request.dialect("v5" if self.caller.header == API_TOKEN else "v4")

    def to_job(self) -> Job:
        """Translate the task. What cannot be done becomes a job that fails, so that its client is told why."""
        try:
            return self._translate()
        except InvalidRequestError as error:
            return self._refused(Problem.of(error))

    def _translate(self) -> Job:
        parameters = self.request.parameters
        match self.request.task_type:
            case "encoding":
                source = self._fetch(self.request.source_url, file_name(self.request.source_url, "source"))
                dressing, files = self._dressing()
                return EncodingJob(
                    **self._common(source, *files),
                    source=source.key,
                    output_folder=result_folder(self.job_id),
                    cut=read_cut(parameters.get("cut")),
                    dressing=dressing,
                    renditions=read_renditions(parameters.get("rendition"), self.dialect),
                )
            case "studio":
                source = self._fetch(self.request.source_url, "mediapackage.xml")
                return StudioJob(
                    **self._common(source),
                    mediapackage=source.key,
                    output=posixpath.join(result_folder(self.job_id), STUDIO_BASE),
                    renditions=read_renditions(parameters.get("rendition"), self.dialect),
                )
            case "transcription":
                source = self._fetch(self.request.source_url, file_name(self.request.source_url, "source"))
                languages = read_languages(parameters)
                stem = posixpath.splitext(posixpath.basename(source.key))[0]
                return TranscriptionJob(
                    **self._common(source),
                    source=source.key,
                    captions=posixpath.join(result_folder(self.job_id), f"{stem}.vtt"),
                    info=posixpath.join(result_folder(self.job_id), INFO),
                    language=languages.spoken,
                    translate=languages.translate,
                )

    def _refused(self, refusal: Problem) -> Job:
        """A job of the same type that only says why it cannot be done: it fetches nothing."""
        folder, common = result_folder(self.job_id), self._common() | {"refusal": refusal}
        source = posixpath.join(source_folder(self.job_id), "unknown")
        match self.request.task_type:
            case "encoding":
                return EncodingJob(**common, source=source, output_folder=folder)
            case "studio":
                return StudioJob(**common, output=posixpath.join(folder, STUDIO_BASE))
            case "transcription":
                captions = posixpath.join(folder, "unknown.vtt")
                return TranscriptionJob(**common, source=source, captions=captions, language="")

    def _common(self, *files: RemoteFile) -> dict[str, object]:
        return {
            "id": self.job_id,
            "target": target_of(self.caller.name, self.request.fingerprint),
            "reply_to": RunnerCallback(client=self.caller.name, dialect=self.dialect),
            "fetch": files,
        }

    def _dressing(self) -> tuple[DressingRequest | None, list[RemoteFile]]:
        wanted = read_dressing(self.request.parameters.get("dressing"))
        if wanted is None:
            return None, []
        urls = {"watermark": wanted.watermark, "opening": wanted.opening, "ending": wanted.ending}
        kinds = {
            "watermark": FailureKind.WATERMARK,
            "opening": FailureKind.OPENING_CREDITS,
            "ending": FailureKind.ENDING_CREDITS,
        }
        files = {
            part: self._fetch(url, _named(part, url), kind=kinds[part]) for part, url in urls.items() if url is not None
        }
        keys = {part: file.key for part, file in files.items()}
        return DressingRequest(**keys, position=wanted.position, opacity=wanted.opacity), list(files.values())

    def _fetch(self, url: str, name: str, kind: FailureKind | None = None) -> RemoteFile:
        client = self.caller.client
        if not is_allowed(url, client.hosts_of_sources, private=client.private):
            raise InvalidRequestError(
                f"The file {redact(url)} is on a machine that the client {self.caller.name!r} may not name. Add it to "
                "its source_hosts in PODJOBS_RUNNER_CLIENTS (with private, if it is in the local network), then "
                "request this again in Pod.",
                kind=kind or FailureKind.SERVICE,
            )
        return RemoteFile(url=url, key=posixpath.join(source_folder(self.job_id), name))


def _named(part: str, url: str) -> str:
    """A name that no source has: sources keep theirs."""
    ending = posixpath.splitext(file_name(url, part))[1]
    return f"dressing/{part}{ending}"
