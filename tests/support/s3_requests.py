"""Requests to an S3 server as they pass a proxy: which operation each is, and how many there were of which size.

Source: Amazon S3 API reference, the request syntax of each operation. Buckets are part of the path.
"""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit


class Kind(StrEnum):
    """Operations that cost or fail differently."""

    GET = "get"
    HEAD = "head"
    LIST = "list"
    PUT = "put"
    COPY = "copy"
    CREATE = "create"
    """Begin an upload in parts."""
    PART = "part"
    PART_COPY = "part copy"
    COMPLETE = "complete"
    ABORT = "abort"
    DELETE = "delete"
    OTHER = "other"


UPLOADS = frozenset({Kind.PUT, Kind.PART})
"""Those that bring content."""
WRITES = frozenset({Kind.PUT, Kind.COPY, Kind.CREATE, Kind.PART, Kind.PART_COPY, Kind.COMPLETE})
"""Those that a full storage refuses."""


@dataclass(frozen=True)
class Asked:
    """A request."""

    kind: Kind
    bucket: str
    key: str
    """Of the object; empty: the bucket itself is meant."""
    is_conditional: bool = False
    """Whether it is only to be done if the object is as the client believes."""

    @classmethod
    def of(cls, method: str, target: str, headers: Mapping[str, str]) -> "Asked":
        """Tell what is asked for.

        Args:
            method: of HTTP.
            target: path and query as they were sent.
            headers: with names that are found in any case.
        """
        url = urlsplit(target)
        bucket, _, key = unquote(url.path).lstrip("/").partition("/")
        query = dict(parse_qsl(url.query, keep_blank_values=True))
        conditional = "If-None-Match" in headers or "If-Match" in headers
        return cls(_kind(method, bool(key), query, "x-amz-copy-source" in headers), bucket, key, conditional)


def _kind(method: str, has_key: bool, query: Mapping[str, str], copies: bool) -> Kind:
    in_parts = "uploadId" in query
    match method:
        case "GET":
            return Kind.GET if has_key and not in_parts else Kind.LIST
        case "HEAD":
            return Kind.HEAD
        case "PUT" if has_key:
            if in_parts:
                return Kind.PART_COPY if copies else Kind.PART
            return Kind.COPY if copies else Kind.PUT
        case "POST":
            return Kind.COMPLETE if in_parts else Kind.CREATE if "uploads" in query else _posted(query)
        case "DELETE":
            return Kind.ABORT if in_parts else Kind.DELETE
    return Kind.OTHER


def _posted(query: Mapping[str, str]) -> Kind:
    """Many objects are deleted by one request with a body."""
    return Kind.DELETE if "delete" in query else Kind.OTHER


@dataclass
class Tally:
    """What passed while one thing was done."""

    requests: Counter[str] = field(default_factory=Counter)
    """How many of each kind."""
    uploaded_bytes: int = 0
    """Of bodies, from the client to the server."""
    downloaded_bytes: int = 0

    def __add__(self, other: "Tally") -> "Tally":
        return Tally(
            self.requests + other.requests,
            self.uploaded_bytes + other.uploaded_bytes,
            self.downloaded_bytes + other.downloaded_bytes,
        )

    def as_json(self) -> dict[str, Any]:
        """In a form that `of_json` reads."""
        return {"requests": self.requests, "uploaded": self.uploaded_bytes, "downloaded": self.downloaded_bytes}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Tally":
        """Read what `as_json` made."""
        return cls(Counter(value["requests"]), value["uploaded"], value["downloaded"])
