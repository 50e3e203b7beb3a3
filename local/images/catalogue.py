"""The images that there are, and what their labels say."""

import subprocess
import tomllib
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

REPOSITORY = Path(__file__).resolve().parents[2]
FUNCTIONS = ("encoding", "transcription", "notification", "xapi")
ADAPTER = "adapter"
IMAGES = (ADAPTER, *FUNCTIONS)
BASE_IMAGE = "debian:bookworm-slim"
PREFIX = "pod-functions"
UNKNOWN = "unknown"


def dockerfile(name: str) -> str:
    """Where an image's Dockerfile is, in the repository.

    Args:
        name: of the image.
    """
    return f"{ADAPTER}/Dockerfile" if name == ADAPTER else f"functions/{name}/Dockerfile"


def read_version() -> str:
    """The version of the project."""
    return str(tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]["version"])


def read_revision() -> str:
    """The commit that is checked out, with `-dirty` if files differ from it; `unknown` outside of a repository."""
    return _git("describe", "--always", "--abbrev=40", "--dirty", "--exclude=*")


def read_source() -> str:
    """Where the repository came from, without a login; `unknown` unless that is an address of the web."""
    return public_url(_git("remote", "get-url", "origin"))


def public_url(url: str) -> str:
    """An address of the web without its login; `unknown` for any other."""
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        return UNKNOWN
    return urlunsplit((parts.scheme, parts.netloc.rpartition("@")[2], parts.path, "", ""))


def _git(*arguments: str) -> str:
    argv = ["git", "-C", str(REPOSITORY), *arguments]
    try:
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return UNKNOWN
