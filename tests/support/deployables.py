"""The functions and the adapter as they are deployed: folders, requirements, and what each needs to start."""

import json
from dataclasses import dataclass
from pathlib import Path

from support.processes import REPOSITORY
from support.transcriber import MODEL

FUNCTIONS = tuple(sorted(path.parent.name for path in (REPOSITORY / "functions").glob("*/main.py")))
SETTINGS = {
    "encoding": {"MEDIA_ROOT": "/media"},
    "notification": {"MEDIA_ROOT": "/media", "POD_API_URL": "http://pod.example.org/rest", "POD_API_TOKEN": "s3cret"},
    "transcription": {
        "MEDIA_ROOT": "/media",
        "TRANSCRIPTION_MODEL_PARAM": json.dumps({"WHISPER": {"en": {"model": MODEL}}}),
    },
    "xapi": {"XAPI_LRS_URL": "http://lrs.example.org", "XAPI_LRS_LOGIN": "pod", "XAPI_LRS_PWD": "s3cret"},
}
"""With which each function starts."""


@dataclass(frozen=True)
class Deployable:
    """What an image is built from."""

    name: str
    folder: Path

    def lines(self, file_name: str) -> list[str]:
        """The lines of one of its files that are neither empty nor comments; those that are continued are joined."""
        text = (self.folder / file_name).read_text(encoding="utf-8").replace("\\\n", " ")
        return [line.strip() for line in text.splitlines() if line.strip() and not line.strip().startswith("#")]


DEPLOYABLES = (
    *(Deployable(name, REPOSITORY / "functions" / name) for name in FUNCTIONS),
    Deployable("adapter", REPOSITORY / "adapter"),
)
