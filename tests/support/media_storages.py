"""Every backend of the `Storage` port, ready to be tested: a new one joins by one more row at the end."""

import uuid
from collections.abc import Callable, Container, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from podjobs.backends.storage import open_storage
from podjobs.contract.ports.storage import Storage
from podjobs.object_storage_settings import LEAST_PART_MB
from podjobs.settings import MediaSettings
from support.s3_server import credentials, shared_server
from support.system_calls import ANY, REQUESTS

POD_ROOT = "/usr/local/pod/media"
"""Another path than the real one: what Pod calls its media root need not exist here."""


@dataclass(frozen=True)
class MediaStorage:
    """An empty place for media, which any number of processes may open."""

    environment: dict[str, str]
    """The settings that name it."""
    list_everything: Callable[[], set[str]]
    """The keys of everything there, also of what the storage does not list."""

    moments: Container[str] = ANY
    """The system calls between which something may happen to the files; see `at_system_call`."""
    rounds: int = 300
    """How often a test repeats what chance may disturb: some storages take longer than others."""
    has_conditions: bool = False
    """Whether a file's version is checked in the same moment as it is replaced."""
    refused: frozenset[str] = frozenset()
    """Names that it cannot give a file, although others can."""
    leave_unfinished: Callable[[str], None] = lambda _key: None
    """Leave what a writer leaves that is killed while it writes a file, given the file's key."""
    list_unfinished: Callable[[], set[str]] = set
    """The keys of the files of which something is left that no reader sees."""

    def open(self) -> Storage:
        """Open it, as a function does when it starts."""
        return open_storage(
            MediaSettings.model_validate(
                {
                    name.lower(): value
                    for name, value in self.environment.items()
                    if name.lower() in MediaSettings.model_fields
                }
            )
        )

    def work_left(self) -> set[str]:
        """What is left in work folders, and the folders themselves."""
        return {key for key in self.list_everything() if key.split("/")[0] == "work"}


@contextmanager
def files(folder: Path) -> Iterator[MediaStorage]:
    """A folder."""
    root = folder / "the media"
    root.mkdir()

    def leave_unfinished(key: str) -> None:
        path = root / key
        path.parent.mkdir(parents=True, exist_ok=True)
        path.with_name(f".{path.name}.{uuid.uuid4().hex}").write_bytes(b"half")

    yield MediaStorage(
        {"MEDIA_ROOT": POD_ROOT, "MEDIA_URL": root.as_uri()},
        lambda: {str(path.relative_to(root)) for path in root.rglob("*")},
        leave_unfinished=leave_unfinished,
        list_unfinished=lambda: {str(path.relative_to(root)) for path in root.rglob(".*." + "[0-9a-f]" * 32)},
    )


@contextmanager
def s3(_folder: Path) -> Iterator[MediaStorage]:
    """A part of a bucket of a real server."""
    server = shared_server()
    bucket, prefix = server.bucket, f"the media {uuid.uuid4().hex}"
    client = server.client()

    def list_everything() -> set[str]:
        pages = client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        return {one["Key"].removeprefix(f"{prefix}/") for page in pages for one in page.get("Contents", ())}

    def leave_unfinished(key: str) -> None:
        begun = client.create_multipart_upload(Bucket=bucket, Key=f"{prefix}/{key}")
        part = {"Bucket": bucket, "Key": begun["Key"], "UploadId": begun["UploadId"], "PartNumber": 1}
        client.upload_part(**part, Body=bytes(LEAST_PART_MB << 20))

    def list_unfinished() -> set[str]:
        pages = client.get_paginator("list_multipart_uploads").paginate(Bucket=bucket, Prefix=f"{prefix}/")
        return {one["Key"].removeprefix(f"{prefix}/") for page in pages for one in page.get("Uploads", ())}

    with pytest.MonkeyPatch.context() as environment:
        # as the function's environment: credentials are no settings of ours
        for name, value in credentials().items():
            environment.setenv(name, value)
        url = {"MEDIA_ROOT": POD_ROOT, "MEDIA_URL": f"s3://{bucket}/{quote(prefix)}"}
        yield MediaStorage(
            url | server.environment,
            list_everything,
            moments=REQUESTS,
            rounds=30,
            has_conditions=True,
            # SeaweedFS takes a backslash for a slash
            refused=frozenset({"a\\b\\.mp4"}),
            leave_unfinished=leave_unfinished,
            list_unfinished=list_unfinished,
        )


STORAGES: dict[str, Callable[[Path], AbstractContextManager[MediaStorage]]] = {"file": files, "s3": s3}
"""Scheme of MEDIA_URL → what makes an empty one, given a local folder to work in."""
