"""Copies the streams that can be used out of a file that also has others, which no command may open."""

from typing import Any

import ffmpeg

from podjobs.contract.commands import Access, MediaInput
from podjobs.contract.errors import PermanentError
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.media_paths import Key
from podjobs.encoding.commands import ffmpeg_argv, open_source
from podjobs.encoding.limits import repackage_limits
from podjobs.encoding.repackage import CODING, SOURCE_OPTIONS
from podjobs.encoding.settings import EncodingSettings
from podjobs.encoding.storing import store_video
from podjobs.encoding.workspace import Workspace
from podjobs.media.commands import KEEP_GOING
from podjobs.media.facts import MediaFacts, Selection

FILE = "selected"


def selection_argv(facts: MediaFacts, source: MediaInput, target: str, settings: EncodingSettings) -> list[str]:
    """The ffmpeg command that copies a selection of streams.

    A QuickTime file remains one: its rotation and its edit list have no equal in Matroska.

    Args:
        facts: of a file with a selection.
        source: the file.
        target: the file to write.
        settings: the ffmpeg command.
    """
    kept = facts.selection.kept if facts.selection else ()
    if facts.format_name == "mov":
        file = open_source(source, settings)
        coding: dict[str, Any] = {"c": "copy", "f": "mov"}
    else:
        file = open_source(source, settings, **SOURCE_OPTIONS)
        coding = {"f": "matroska", **CODING, **store_video(facts)}
    streams = (file[str(index)] for index in kept)
    return ffmpeg_argv([ffmpeg.output(*streams, target, **coding)], settings, *KEEP_GOING)


def copy_selection(facts: MediaFacts, source: Key, folder_name: str, work: Workspace) -> Key:
    """Write a selection of a file's streams into a folder of the job's work folder.

    Args:
        facts: of the file, with the selection.
        source: its key.
        folder_name: of the new file.
        work: the step's workspace.

    Returns:
        The key of the new file.

    Raises:
        PermanentError: the streams cannot be copied.
        RetryableError: the source does not exist.
    """
    file = work.storage.input_of(source)
    with work.writing(folder_name) as folder:
        try:
            limits = repackage_limits(facts, work.storage.size_bytes(source), work.settings)
            argv = selection_argv(facts, file, str(folder / FILE), work.settings)
            work.run(argv, access=Access((file,), folder), limits=limits)
        except PermanentError as error:
            detail = (
                f"The file {file.name!r} has streams that are not accepted or damaged, and the others cannot be copied "
                f"without them: {error.detail} Convert it and upload it again."
            )
            raise PermanentError(detail, kind=error.kind or FailureKind.DAMAGED, **error.context) from error
    return work.key(f"{folder_name}/{FILE}")


def tell_left_out(selection: Selection) -> str:
    """A sentence for the job's log about the streams that are not kept."""
    return f"Not accepted or not readable, and left out: {selection.left_out}."
