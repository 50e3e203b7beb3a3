"""The transcription function as a deployable: wiring only."""

import structlog

from podjobs.backends.media_condition import media_looks
from podjobs.backends.process import ProcessTools
from podjobs.backends.sandbox_choice import advise, choose_sandbox, open_sandbox
from podjobs.backends.storage import find_media_obstacle, open_storage
from podjobs.backends.tool_condition import tool_looks
from podjobs.backends.whisper import CUDA_SLOTS, WhisperModels, WhisperOptions, choose_device
from podjobs.contract.looks import Look
from podjobs.contract.message_contracts import STEPS
from podjobs.entry.definition import FunctionDefinition, entry_points
from podjobs.entry.endpoint import StepHandler
from podjobs.media.tool_needs import SOUND_DECODERS
from podjobs.transcription.function import TranscriptionFunction
from podjobs.transcription.model_check import describe_languages
from podjobs.transcription.settings import TranscriptionSettings

logger = structlog.get_logger(__name__)


def build(settings: TranscriptionSettings) -> tuple[StepHandler, int]:
    """Connect the function to its backends."""
    device = choose_device(settings.podjobs_whisper_device)
    slots = settings.podjobs_transcription_slots or (CUDA_SLOTS if device == "cuda" else settings.processors)
    options = WhisperOptions(
        device=device,
        compute_type=settings.podjobs_whisper_compute_type,
        slots=slots,
        threads=settings.podjobs_whisper_threads or max(1, settings.processors // slots),
        beam=settings.podjobs_whisper_beam,
        batch=settings.podjobs_whisper_batch,
        kept=settings.podjobs_whisper_models_kept,
    )
    sandbox = open_sandbox(settings.podjobs_sandbox, settings.ffmpeg_cmd, settings.ffprobe_cmd)
    tools = ProcessTools(settings.podjobs_ffmpeg_memory_mb << 20, sandbox)
    storage = open_storage(settings)
    return TranscriptionFunction(WhisperModels(options), tools, storage, settings), slots


def check(settings: TranscriptionSettings) -> str:
    """Whether Pod can use what the function writes, and whether media commands are confined."""
    logger.info(describe_languages(settings.models))
    sandbox = choose_sandbox(settings.podjobs_sandbox, (settings.ffmpeg_cmd, settings.ffprobe_cmd))
    return "\n".join(filter(None, (find_media_obstacle(settings), advise(sandbox))))


def looks(settings: TranscriptionSettings) -> list[Look]:
    """What is looked at when an operator asks how the function is; the models are, too (`find_faults`)."""
    return [*media_looks(settings), *tool_looks(settings, (), SOUND_DECODERS)]


FUNCTION = FunctionDefinition(
    "transcription",
    STEPS,
    TranscriptionSettings,
    build,
    check,
    TranscriptionFunction.find_faults,
    examined="speech models",
    looks=looks,
    workers=1,  # each holds models of its own, and uses all processors
    worker_memory_mb=0,  # how much that is depends on the models
)
__getattr__ = entry_points(FUNCTION)
