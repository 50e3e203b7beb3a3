"""Opens a source for chunks: where it is, if these can be read from it as it is, else a copy that can be seeked."""

from dataclasses import dataclass

from podjobs.contract.media_paths import Key
from podjobs.encoding.examine import Examined, describe_changes, examine_source
from podjobs.encoding.repackage import repackage
from podjobs.encoding.selection import copy_selection, tell_left_out
from podjobs.encoding.storing import FALSE_KEY_FRAMES
from podjobs.encoding.workspace import Workspace
from podjobs.media.facts import MediaFacts
from podjobs.media.probe import probe_source


@dataclass(frozen=True)
class OpenedSource:
    """A source that chunks can be read from."""

    key: Key
    """The file that was uploaded, or a copy in the job's work folder."""
    examined: Examined


def open_in_place(source: Key, facts: MediaFacts, work: Workspace) -> OpenedSource | None:
    """Examine a source if chunks can be read from it as it is.

    Args:
        source: the file.
        facts: as its header says.
        work: runs ffprobe and ffmpeg.

    Returns:
        None: it must be copied first.

    Raises:
        PermanentError: there is nothing to encode.
    """
    if facts.selection is not None or not _seems_seekable(facts):
        return None
    examined = examine_source(source, facts, work)
    if examined.facts.video is not None and examined.facts.duration_s is None:
        return None
    return OpenedSource(source, examined)


def _seems_seekable(facts: MediaFacts) -> bool:
    if facts.seeks_badly or facts.guesses_length:
        return False
    return facts.video is None or (facts.duration_s is not None and facts.video.codec not in FALSE_KEY_FRAMES)


def open_copy(source: Key, folder_name: str, work: Workspace) -> OpenedSource:
    """Copy a source into a file that can be seeked, and examine that.

    Args:
        source: the file.
        folder_name: of the copy, in the job's work folder.
        work: the step's workspace.

    Raises:
        PermanentError: it cannot be copied, or there is nothing to encode.
        RetryableError: the source does not exist.
    """
    facts = probe_source(work.tools, work.storage, work.settings, source)
    if facts.selection is not None:
        copy = copy_selection(facts, source, folder_name, work)
        log: tuple[str, ...] = (tell_left_out(facts.selection),)
    else:
        copy, log = repackage(facts, source, work, folder_name)
    copied = probe_source(work.tools, work.storage, work.settings, copy)
    # attached pictures are not copied
    copied = copied.model_copy(update={"pictures": facts.pictures})
    if facts.video and copied.video and facts.video.lacks_times:
        copied = copied.model_copy(update={"video": copied.video.model_copy(update={"lacks_times": True})})
    examined = examine_source(copy, copied, work)
    return OpenedSource(copy, examined.also_said(*describe_changes(facts), *log))
