"""What a video is dressed with: a watermark on it, credits before and after it.

Source: docs/contract-pod.md, json_dressing and dressing_input.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from podjobs.contract.errors import InvalidRequestError, list_faults
from podjobs.contract.jobs import EncodingJob
from podjobs.contract.ports import Key, Storage

INPUTS = re.compile(r'(?:\s*-i\s+"(?P<path>[^"\n]+)")')
"""The fragment of a command line that Pod sends beside the JSON: never run, only compared."""

Position = Literal["top_right", "top_left", "bottom_right", "bottom_left"]


def _text_or_none(value: Any) -> Any:
    return None if value == "" else value


OptionalText = Annotated[str | None, BeforeValidator(_text_or_none)]


class _Request(BaseModel):
    """json_dressing, as far as it counts; its durations and sound flags are not to be trusted."""

    model_config = ConfigDict(frozen=True)

    watermark_path: OptionalText = None
    position_orig: Annotated[Position, BeforeValidator(lambda value: value or "top_right")] = "top_right"
    opacity: Annotated[int, Field(ge=0, le=100)] = 100
    opening_credits: OptionalText = None
    opening_credits_video: OptionalText = None
    ending_credits: OptionalText = None
    ending_credits_video: OptionalText = None


class Dressing(BaseModel):
    """What a video is dressed with, as files of the media root."""

    model_config = ConfigDict(frozen=True)

    watermark: Key | None
    position: Position
    opacity: float
    """Between 0 and 1."""
    opening: Key | None
    ending: Key | None


def read_dressing(job: EncodingJob, storage: Storage) -> Dressing | None:
    """Read what Pod asks for.

    Args:
        job: carries json_dressing and dressing_input.
        storage: maps paths.

    Returns:
        None when the video is not dressed.

    Raises:
        InvalidRequestError: a field is wrong, the two descriptions differ, or a path leads out of the media root.
    """
    inputs = read_inputs(job.dressing_input)
    if job.json_dressing is None:
        if inputs:
            raise InvalidRequestError("dressing_input names files, but json_dressing is empty.")
        return None
    try:
        request = _Request.model_validate(job.json_dressing)
    except ValidationError as error:
        raise InvalidRequestError(f"json_dressing is not valid: {list_faults(error)}. Correct the dressing.") from error
    watermark = None if request.watermark_path is None else storage.key_of(request.watermark_path)
    opening, ending = (
        _credit_key(name, slug, video, storage)
        for name, slug, video in (
            ("opening", request.opening_credits, request.opening_credits_video),
            ("ending", request.ending_credits, request.ending_credits_video),
        )
    )
    named = [key for key in (watermark, opening, ending) if key is not None]
    if inputs and [storage.key_of(path) for path in inputs] != named:
        raise InvalidRequestError("dressing_input names other files than json_dressing. Encode the video again.")
    if not named:
        return None
    return Dressing(
        watermark=watermark,
        position=request.position_orig,
        opacity=request.opacity / 100,
        opening=opening,
        ending=ending,
    )


def read_inputs(fragment: str) -> list[str]:
    """Take the paths out of dressing_input.

    Args:
        fragment: nothing, or pairs of `-i` and one path in double quotes.

    Raises:
        InvalidRequestError: there is anything else in it.
    """
    if INPUTS.sub("", fragment).strip():
        raise InvalidRequestError(f'dressing_input is not a list of -i "path" pairs: {fragment[:200]!r}.')
    return [match["path"] for match in INPUTS.finditer(fragment)]


def _credit_key(name: str, slug: str | None, video: str | None, storage: Storage) -> Key | None:
    if slug is None and video is None:
        return None
    if video is None:
        raise InvalidRequestError(f"json_dressing names {name}_credits, but no {name}_credits_video.")
    # relative to the media root; mapped there and back so that it cannot leave it
    return storage.key_of(storage.pod_path(video.lstrip("/")) if not video.startswith("/") else video)
