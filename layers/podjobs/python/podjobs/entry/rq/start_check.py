"""What is checked before any worker of a server starts.

The function is opened in a process of its own, which then ends: what opening it starts, such as threads and libraries
for speech, must not be forked. A server on which it does not work must not take steps from one on which it does.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from podjobs.entry.definition import FunctionDefinition, open_endpoint
from podjobs.entry.rq.source import load_source


@dataclass(frozen=True)
class FunctionFacts:
    """What a pool needs to know of its function."""

    name: str
    workers: int
    """Unless the operator says otherwise."""
    memory_mb: int
    """With which a horse is replaced, unless a setting says otherwise; 0: never."""


def check_function(source: Path) -> FunctionFacts:
    """Open a function, and look for what it needs.

    Args:
        source: its main.py.

    Returns:
        What it says of itself. If something is wrong, the process ends, with all faults in one message.
    """
    context = get_context("fork")
    ours, theirs = context.Pipe(duplex=False)
    process = context.Process(target=_open, args=(source, theirs))
    process.start()
    theirs.close()
    try:
        facts: FunctionFacts = FunctionFacts(**ours.recv())
    except EOFError:  # it has said why
        process.join()
        sys.exit(process.exitcode or 1)
    process.join()
    return facts


def _open(source: Path, answer: Connection) -> None:
    try:
        module = load_source(source)
    except ImportError as error:
        sys.exit(f"The worker cannot start. {error}")
    definition: FunctionDefinition[Any, Any, Any] = module.FUNCTION
    endpoint, settings = open_endpoint(definition)
    faults = [*find_missing_tools(settings), *find_missing_media(settings), *endpoint.find_faults()]
    if faults:
        lines = "\n".join(f"  {fault}" for fault in faults)
        sys.exit(f"The worker of the function {definition.name!r} cannot start:\n{lines}")
    workers = definition.workers or endpoint.slots
    answer.send({"name": definition.name, "workers": workers, "memory_mb": definition.worker_memory_mb})


def find_missing_tools(settings: object) -> Iterator[str]:
    """The commands of a function that this server does not have.

    Args:
        settings: of the function.
    """
    for name in ("ffmpeg_cmd", "ffprobe_cmd"):
        command = getattr(settings, name, None)
        if command is not None and shutil.which(command) is None:
            yield f"{name.upper()}: the command {command!r} is not found. Install it, or name its path."


def find_missing_media(settings: object) -> Iterator[str]:
    """Why this server cannot use the media root; nothing, if it is no folder: an object storage is asked later.

    Args:
        settings: of the function.
    """
    url = urlsplit(getattr(settings, "media_location", ""))
    if url.scheme != "file":
        return
    folder = Path(unquote(url.path))
    if not folder.is_dir():
        yield f"MEDIA_URL: {str(folder)!r} is not a folder here. Mount Pod's media root, or name where it is mounted."
    elif not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        yield f"MEDIA_URL: {str(folder)!r} cannot be read and written by this user. Give the user access to it."
