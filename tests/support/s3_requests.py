"""Requests to an S3 server as they pass a proxy: which operation each is, and how many there were of which size.

Source: Amazon S3 API reference, the request syntax of each operation. Buckets are part of the path.
"""

from collections import Counter
from collections.abc import Container, Mapping
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
        return cls(_kind(method, key, query, headers), bucket, key, conditional)


def _kind(method: str, key: str, query: Container[str], headers: Container[str]) -> Kind:
    in_parts, copies = "uploadId" in query, "x-amz-copy-source" in headers
    put = (Kind.PART_COPY if copies else Kind.PART) if in_parts else (Kind.COPY if copies else Kind.PUT)
    # many objects are deleted by one request with a body
    begun = Kind.CREATE if "uploads" in query else Kind.DELETE if "delete" in query else Kind.OTHER
    kinds = {
        "GET": Kind.GET if key and not in_parts else Kind.LIST,
        "HEAD": Kind.HEAD,
        "PUT": put if key else Kind.OTHER,
        "POST": Kind.COMPLETE if in_parts else begun,
        "DELETE": Kind.ABORT if in_parts else Kind.DELETE,
    }
    return kinds.get(method, Kind.OTHER)


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

    def __sub__(self, earlier: "Tally") -> "Tally":
        return Tally(
            self.requests - earlier.requests,
            self.uploaded_bytes - earlier.uploaded_bytes,
            self.downloaded_bytes - earlier.downloaded_bytes,
        )

    def as_json(self) -> dict[str, Any]:
        """In a form that `of_json` reads."""
        return {"requests": self.requests, "uploaded": self.uploaded_bytes, "downloaded": self.downloaded_bytes}

    @classmethod
    def of_json(cls, value: Mapping[str, Any]) -> "Tally":
        """Read what `as_json` made."""
        return cls(Counter(value["requests"]), value["uploaded"], value["downloaded"])
