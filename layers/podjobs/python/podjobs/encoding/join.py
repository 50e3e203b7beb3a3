"""Joins the chunks of a rendition into one stream, without parsing them."""

import contextlib
from collections.abc import Iterator, Sequence
from io import BytesIO
from typing import BinaryIO

from podjobs.contract.errors import RetryableError
from podjobs.encoding.ladder import Rendition
from podjobs.encoding.recipe import Chunk
from podjobs.encoding.steps import chunk_id
from podjobs.encoding.workspace import Workspace

SIGNATURE = b"nut/multimedia container\0"
"""Begins a NUT file, and must not occur within one. Source: NUT open container format, `file_id_string`."""


def open_joined(chunks: Sequence[Chunk], rendition: Rendition, work: Workspace) -> Iterator[BinaryIO]:
    """Open the files of a rendition, each when it is asked for: their concatenated contents are one NUT stream.

    Args:
        chunks: those that have frames, in order.
        rendition: whose files.
        work: the step's workspace, which contains them.

    Raises:
        RetryableError: a chunk's file does not exist or is not a NUT file.
    """
    for position, chunk in enumerate(chunks):
        with contextlib.ExitStack() as closing:
            name = f"{chunk_id(chunk)}/{rendition.name}.nut"
            file = closing.enter_context(work.storage.open(work.key(name)))
            if file.read(len(SIGNATURE)) != SIGNATURE:
                raise RetryableError(f"The file of {chunk_id(chunk)} at {rendition.name}p is damaged.")
            closing.pop_all()
        if position == 0:
            yield BytesIO(SIGNATURE)  # what has been read is not read again
        yield file
