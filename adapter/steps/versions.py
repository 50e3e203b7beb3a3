"""The version of the job records: what an older version of this project has left in Redis is read, and goes on.

    1   A job has one list of ready steps, `…job:<id>:ready`, beside a window of them in the streams. Neither
        records nor entries have a version.
    2   Ready steps wait in lists of each function for their turn (lua/turns.lua). Records and entries have a version.

The number rises with every change that the version before could not read: of the keys, of the fields of a record or an
entry, of a job's own data (podjobs.contract.jobs) or a step's (StepSpec). What reads the older form stays for as long
as there may be such jobs: `adopt_ready` in lua/steps.lua reads version 1.

The prefix of the keys is no part of it: redis/earlier_names.py.

A record or an entry of a newer version stays as it is: its step waits, and is offered again and again, until an adapter
of that version runs.
"""

RECORD_VERSION = 2
UNVERSIONED = 1


class NewerRecordError(Exception):
    """A newer version has written what is stored about a job; nothing was changed. The text says what to do."""

    def __init__(self, version: object) -> None:
        super().__init__(
            f"The job's record was written by a newer version of pod-functions: its form is {version}, this adapter "
            f"knows {RECORD_VERSION}. It is kept as it is. Run the newer adapter again, so that the job goes on."
        )
