"""What a client asks for: the body of POST /task/execute. Pure.

Source: docs/contract-pod-runner.md.
"""

import hashlib
import json
import re
import unicodedata
from typing import Annotated, Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

Dialect = Literal["v4", "v5"]
TaskType = Literal["encoding", "studio", "transcription"]
_TEXT_CHARS = 255
_URL_CHARS = 2048
_NAME_CHARS = 100
_UNSAFE = re.compile(r"[^A-Za-z0-9._-]+")
_DIALECTS: dict[str, Dialect] = {"esup-pod": "v4", "pod": "v5"}
"""What the clients call themselves."""

Url = Annotated[str, Field(pattern=r"^https?://[^\s/]+[^\x00-\x1f\x7f]*$", max_length=_URL_CHARS)]
Text = Annotated[str, Field(min_length=1, max_length=_TEXT_CHARS)]
OptionalText = Annotated[str, Field(max_length=_TEXT_CHARS), BeforeValidator(lambda value: value or "")]


class TaskRequest(BaseModel):
    """A task as a client describes it; whatever else it sends is ignored."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    etab_name: Text
    app_name: Text
    app_version: OptionalText = ""
    task_type: TaskType
    source_url: Url
    affiliation: OptionalText = ""
    parameters: dict[str, Any] = Field(default_factory=dict)
    notify_url: Url = Field(repr=False)

    @property
    def fingerprint(self) -> str:
        """What two requests for the same work have in common, in 32 hexadecimal digits."""
        same = [self.task_type, self.source_url, self.parameters, self.notify_url, self.app_name, self.etab_name]
        return hashlib.sha256(json.dumps(same, sort_keys=True).encode()).hexdigest()[:32]

    def dialect(self, default: Dialect) -> Dialect:
        """Which dialect the client speaks; `default` is what its header suggests."""
        return _DIALECTS.get(self.app_name.strip().lower(), default)


def file_name(url: str, default: str) -> str:
    """A name for the file of a URL that is safe in any storage, with its ending.

    Args:
        url: where the file is.
        default: the stem, if the URL leaves none.
    """
    last = unquote(urlsplit(url).path).rpartition("/")[2]
    plain = unicodedata.normalize("NFKD", last).encode("ascii", "ignore").decode()
    name = _UNSAFE.sub("_", plain).lstrip("._-")
    stem, dot, ending = name.rpartition(".")
    if not dot:
        stem, ending = name, ""
    stem = stem.strip("._-")[:_NAME_CHARS] or default
    return f"{stem}.{ending[:10].lower()}" if ending else stem
