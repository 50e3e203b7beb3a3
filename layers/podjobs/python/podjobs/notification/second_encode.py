"""Remembers that Pod was asked to encode a video again, so that it is not asked over and over.

A small file in the video's folder, which goes with the video, names the job that asked. It is there until a job for
this video has been accepted by Pod. While it is there, no other job asks.
"""

import contextlib
import posixpath
from dataclasses import dataclass

from podjobs.contract.errors import PermanentError, StepError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.media_paths import Key
from podjobs.contract.ports.storage import Storage

NAME = "encode_again.txt"
ID_BYTES = 200
"""A job's id is shorter."""


@dataclass(frozen=True)
class SecondEncode:
    """The memory of one video."""

    storage: Storage
    key: Key
    job_id: str

    @classmethod
    def of(cls, job: EncodingJob, storage: Storage) -> "SecondEncode":
        """The memory of the video of an encoding job."""
        return cls(storage, posixpath.join(job.output_folder, NAME), job.id)

    def allow(self) -> None:
        """Note that this job asks for another encode.

        Raises:
            PermanentError: the job before this one has asked, too: another encode would end in the same way.
        """
        if self.storage.exists(self.key):
            with self.storage.open(self.key) as file:
                asked_by = file.read(ID_BYTES).decode("utf-8", "replace")
            if asked_by != self.job_id:
                self.forget()
                raise PermanentError(
                    "Pod refused this result, since it had imported another one meanwhile; so it was with the job "
                    f"before ({asked_by}), for which Pod was asked to encode the video again. Look for what else "
                    "answers Pod for this video, such as another worker; then encode it again in Pod's administration.",
                    kind=FailureKind.SERVICE,
                )
        self.storage.write(self.key, self.job_id.encode())

    def forget(self) -> None:
        """Pod has accepted a job's result, or there is nothing left to ask for."""
        # not worth a repeated callback: at worst, Pod is not asked the next time
        with contextlib.suppress(StepError):
            self.storage.delete(self.key)
