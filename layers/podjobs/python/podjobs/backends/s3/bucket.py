"""A bucket, or the part of it below a prefix: the connection that everything else here shares.

A client is made by each process for itself, as connections do not survive a fork, and again when the server no longer
accepts the credentials: they may have been replaced in the file or by the service that they came from.
"""

import os
import posixpath
import threading
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any, BinaryIO

import boto3
import structlog
from botocore.config import Config
from botocore.exceptions import ClientError

from podjobs.backends.s3.errors import NO_OBJECT, code_of, s3_errors
from podjobs.contract.errors import InvalidRequestError, OperatorNeededError
from podjobs.contract.media_paths import Key, MediaPaths
from podjobs.contract.redaction import redact
from podjobs.object_storage_settings import ObjectStorageSettings

logger = structlog.get_logger(__name__)

CONNECT_TIMEOUT_S = 5
CONNECTIONS = 64
"""Kept open to the server by one process: chunks read and write in parallel."""
DEFAULT_REGION = "us-east-1"
BARE = frozenset({"400", "403", "404"})
"""The answers to HEAD that say nothing: anything from an expired token to a wrong clock, or a missing bucket."""
ENDPOINT_VARIABLES = ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL")
RENEW_S = 5.0
"""Between two attempts to get other credentials."""


class Bucket:
    """A bucket, below a prefix. Safe for threads."""

    def __init__(self, name: str, prefix: str, paths: MediaPaths, settings: ObjectStorageSettings) -> None:
        """Remember where it is; nothing is connected yet.

        Args:
            name: of the bucket.
            prefix: of all keys, without slashes around it; empty: none.
            paths: how people know the files.
            settings: how the server is reached.
        """
        self.name = name
        self.settings = settings
        self._prefix = f"{prefix}/" if prefix else ""
        self._paths = paths
        self._lock = threading.Lock()
        self._client: Any = None
        self._pid = os.getpid()
        self._renewed_at = 0.0

    @property
    def where(self) -> str:
        """The bucket and its server, for people."""
        return f"bucket {self.name!r} at {self.settings.podjobs_s3_endpoint or 'AWS'}"

    @property
    def client(self) -> Any:
        """The SDK's client."""
        if self._pid != os.getpid():
            # forked: connections cannot be shared, and another thread of the parent may have held the lock
            self._lock, self._client, self._pid = threading.Lock(), None, os.getpid()
        with self._lock:
            if self._client is None:
                self._client = _connect(self.settings)
            return self._client

    def renew(self) -> None:
        """Read the credentials again before the next request."""
        with self._lock:
            if time.monotonic() - self._renewed_at > RENEW_S:
                self._client, self._renewed_at = None, time.monotonic()
                logger.error("The S3 server does not accept the credentials; they are read again.", bucket=self.name)

    def object_key(self, key: Key) -> str:
        """Map a key to that of the object. Raises InvalidRequestError if it leaves the prefix."""
        leaves = key.startswith("/") or key.split("/", maxsplit=1)[0] in {"..", "."}
        if leaves or not key or "\0" in key or posixpath.normpath(key) != key:
            raise InvalidRequestError(f"The path {self.shown(key)!r} is not one within the media root.")
        if not _is_text(key):
            raise InvalidRequestError(
                f"The path {self.shown(key)!r} is not UTF-8, as names of objects are. Rename the file."
            )
        return self._prefix + key

    def key_of(self, object_key: str) -> Key:
        """Map an object's key to ours."""
        return object_key.removeprefix(self._prefix)

    def shown(self, key: Key) -> str:
        """A file, for people: its absolute path as Pod sees it."""
        return self._paths.pod_path(key)

    def errors(self, what: str) -> AbstractContextManager[None]:
        """Turn errors of the SDK into ours; see `s3_errors`."""
        return s3_errors(what, self.where, self.renew)

    def head(self, key: Key) -> dict[str, Any] | None:
        """The properties of an object; None: there is none. Raises OperatorNeededError if there is no such bucket."""
        object_key = self.object_key(key)
        with self.errors(f"The file {self.shown(key)!r} cannot be looked up"):
            try:
                return self.checked(self.client.head_object(Bucket=self.name, Key=object_key), "ETag")
            except ClientError as error:
                reason = self._reason_for(error, object_key)
                if code_of(reason) not in NO_OBJECT:
                    raise reason from error
        return None

    def _reason_for(self, error: ClientError, object_key: str) -> ClientError:
        """Why the server does not tell an object's properties: the answer to HEAD has no body that could say it.

        A missing bucket must not be taken for a missing object: that would mean that a job has ended.
        """
        if code_of(error) in BARE:
            try:
                self.client.get_object(Bucket=self.name, Key=object_key, Range="bytes=0-0")["Body"].close()
            except ClientError as reasoned:
                return reasoned
        return error

    def check(self) -> None:
        """Raise OperatorNeededError if there is no such bucket."""
        with self.errors("The media cannot be found"):
            # not HEAD, whose answer has no room for a reason
            self.client.list_objects_v2(Bucket=self.name, Prefix=self._prefix, MaxKeys=1)

    def list_objects(self, folder: Key, delimiter: str = "") -> Iterator[dict[str, Any]]:
        """List the pages of the objects in a folder; everything below it without a delimiter. Raises StepError."""
        place = {"Bucket": self.name, "Prefix": f"{self.object_key(folder)}/"}
        with self.errors(f"The folder {self.shown(folder)!r} cannot be listed"):
            for page in self.client.get_paginator("list_objects_v2").paginate(**place, Delimiter=delimiter):
                yield self.checked(page, "Name")

    def put(self, key: Key, content: bytes | BinaryIO, **options: Any) -> None:
        """Write an object in one piece.

        Raises:
            FileChangedError: a condition among the options does not hold.
            StepError: it could not be written.
        """
        object_key = self.object_key(key)
        with self.errors(f"The file {self.shown(key)!r} cannot be written"):
            self.checked(self.client.put_object(Bucket=self.name, Key=object_key, Body=content, **options), "ETag")

    def delete(self, key: Key) -> None:
        """Delete an object; does nothing if there is none. Raises StepError."""
        object_key = self.object_key(key)
        with self.errors(f"The file {self.shown(key)!r} cannot be removed"):
            self.client.delete_object(Bucket=self.name, Key=object_key)

    def checked(self, answer: dict[str, Any], always: str) -> dict[str, Any]:
        """Return an answer, unless it is none: for the SDK, a web page is an empty one.

        Args:
            answer: of the SDK.
            always: what such an answer has from all S3 servers.

        Raises:
            OperatorNeededError: it lacks that.
        """
        if always not in answer:
            raise OperatorNeededError(
                f"What answers in place of the {self.where} is no S3 server: perhaps a proxy's page, or a page for "
                "administrators, which has a port of its own. Correct PODJOBS_S3_ENDPOINT.",
                retry_after_s=30,
            )
        return answer


def _is_text(key: Key) -> bool:
    try:
        key.encode()
    except UnicodeEncodeError:
        return False
    return True


def _connect(settings: ObjectStorageSettings) -> Any:
    """Make a client. Nothing is connected before the first request; credentials are looked for now.

    Raises:
        OperatorNeededError: a setting is of no use.
        BotoCoreError: there are no credentials.
    """
    ca = settings.podjobs_s3_ca
    if ca and not os.path.exists(ca):  # noqa: PTH110 - a file or a folder; the SDK would say that the server is away
        raise OperatorNeededError(f"There is no {ca!r}. Correct PODJOBS_S3_CA.", retry_after_s=30)
    path_style = settings.podjobs_s3_path_style
    if path_style is None:
        path_style = bool(settings.podjobs_s3_endpoint or any(map(os.environ.get, ENDPOINT_VARIABLES)))
    config = Config(
        signature_version="s3v4",
        retries={"mode": "adaptive", "total_max_attempts": settings.podjobs_s3_attempts},
        connect_timeout=CONNECT_TIMEOUT_S,
        read_timeout=settings.podjobs_s3_timeout_s,
        max_pool_connections=CONNECTIONS,
        tcp_keepalive=True,
        s3={"addressing_style": "path" if path_style else "virtual"},
        # uploads state theirs; what the SDK adds by itself is not understood by every server
        request_checksum_calculation="when_required",
        response_checksum_validation="when_required",
        user_agent_extra="pod-functions",
    )
    session = boto3.session.Session()
    try:
        return session.client(
            "s3",
            # AWS's containers say AWS_REGION, which boto3 does not read
            region_name=settings.podjobs_s3_region
            or session.region_name
            or os.environ.get("AWS_REGION")
            or DEFAULT_REGION,
            endpoint_url=settings.podjobs_s3_endpoint or None,
            verify=ca or None,
            config=config,
        )
    except ValueError as error:
        # such as a host with an underscore, as containers are often named
        raise OperatorNeededError(
            f"The S3 server cannot be reached: {redact(str(error))}. Correct PODJOBS_S3_ENDPOINT and "
            "PODJOBS_S3_REGION.",
            retry_after_s=30,
        ) from error
