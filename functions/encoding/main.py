"""The encoding function as a deployable: wiring only."""

from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.encoding.function import EncodingFunction
from podjobs.encoding.settings import EncodingSettings
from podjobs.entry import Function, http_handler


def build(settings: EncodingSettings) -> tuple[Function, int]:
    """Connect the function with its backends."""
    tools = ProcessTools(memory_limit_bytes=settings.podjobs_ffmpeg_memory_mb << 20)
    storage = open_storage(settings)
    return EncodingFunction(tools, storage, settings), settings.slots


handle = http_handler("encoding", EncodingSettings, build)
