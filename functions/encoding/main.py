"""The encoding function as a deployable: wiring only."""

import functools

from podjobs.backends.media_condition import media_looks
from podjobs.backends.process import ProcessTools
from podjobs.backends.sandbox_choice import advise, choose_sandbox, open_sandbox
from podjobs.backends.storage import find_media_obstacle, open_storage
from podjobs.backends.tool_condition import tool_looks
from podjobs.contract.actions import ByAction, ByJobType
from podjobs.contract.jobs import StudioJob
from podjobs.contract.looks import Look
from podjobs.contract.message_contracts import STEPS
from podjobs.contract.ports.web import Web
from podjobs.contract.workflows import FETCH
from podjobs.encoding.function import EncodingFunction
from podjobs.encoding.settings import EncodingSettings
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.entry.endpoint import StepHandler
from podjobs.fetching.function import FetchFunction
from podjobs.media.tool_needs import DECODERS, ENCODERS
from podjobs.studio.function import StudioFunction
from podjobs.studio.sources import find_sources


def build(settings: EncodingSettings) -> tuple[StepHandler, int]:
    """Connect the function to its backends."""
    sandbox = open_sandbox(settings.podjobs_sandbox, settings.ffmpeg_cmd, settings.ffprobe_cmd)
    tools = ProcessTools(settings.podjobs_ffmpeg_memory_mb << 20, sandbox)
    storage = open_storage(settings)
    studio = StudioFunction(tools, storage, settings)
    by_type = ByJobType({StudioJob: studio}, EncodingFunction(tools, storage, settings))
    continuations = {StudioJob: functools.partial(find_sources, may_name=settings.may_name)}
    fetch = FetchFunction(functools.partial(_open_web, settings), storage, settings, continuations)
    return ByAction({FETCH: fetch}, by_type), settings.slots


def _open_web(settings: EncodingSettings) -> Web:
    # here, as those whose senders share a folder need not wait for httpx to be loaded
    from podjobs.backends.http_fetch import HttpFetcher  # noqa: PLC0415

    return HttpFetcher(settings.fetch_rules)


def check(settings: EncodingSettings) -> str:
    """Whether Pod can use what the function writes, and whether media commands are confined."""
    sandbox = choose_sandbox(settings.podjobs_sandbox, (settings.ffmpeg_cmd, settings.ffprobe_cmd))
    return "\n".join(filter(None, (find_media_obstacle(settings), advise(sandbox))))


def looks(settings: EncodingSettings) -> list[Look]:
    """What is looked at when an operator asks how the function is."""
    return [*media_looks(settings), *tool_looks(settings, ENCODERS, DECODERS)]


FUNCTION = FunctionDefinition("encoding", STEPS, EncodingSettings, build, check, looks=looks)
__getattr__ = entry_points(FUNCTION)
