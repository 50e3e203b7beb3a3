"""The encoding function as a deployable: wiring only."""

from podjobs.backends.process import ProcessTools
from podjobs.backends.storage import open_storage
from podjobs.contract.message_contracts import STEPS
from podjobs.encoding.function import EncodingFunction
from podjobs.encoding.settings import EncodingSettings
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.entry.endpoint import StepHandler


def build(settings: EncodingSettings) -> tuple[StepHandler, int]:
    """Connect the function to its backends."""
    tools = ProcessTools(memory_limit_bytes=settings.podjobs_ffmpeg_memory_mb << 20)
    storage = open_storage(settings)
    return EncodingFunction(tools, storage, settings), settings.slots


def check(settings: EncodingSettings) -> str:
    """Whether Pod can use what the function writes."""
    return open_storage(settings).find_obstacle()


FUNCTION = FunctionDefinition("encoding", STEPS, EncodingSettings, build, check)
__getattr__ = entry_points(FUNCTION)
