"""Reads a video's dressing from Pod's task, which describes it twice: as JSON and as part of a command line. Pure.

Source: docs/contract-pod.md, json_dressing and dressing_input.
"""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from podjobs.contract.errors import InvalidRequestError, list_faults
from podjobs.contract.jobs import DressingRequest, Position
from podjobs.contract.media_paths import MediaPaths

INPUTS = re.compile(r'(?:\s*-i\s+"(?P<path>[^"\n]+)")')
"""The part of an ffmpeg command line that Pod sends along with the JSON: never run, only compared."""


def _text_or_none(value: Any) -> Any:
    return None if value == "" else value


OptionalText = Annotated[str | None, BeforeValidator(_text_or_none)]


class _JsonDressing(BaseModel):
    """The fields of json_dressing that we use; its durations and sound flags are not to be trusted."""

    model_config = ConfigDict(frozen=True)

    watermark_path: OptionalText = None
    position_orig: Annotated[Position, BeforeValidator(lambda value: value or "top_right")] = "top_right"
    opacity: Annotated[int, Field(ge=0, le=100)] = 100
    opening_credits: OptionalText = None
    opening_credits_video: OptionalText = None
    ending_credits: OptionalText = None
    ending_credits_video: OptionalText = None


def read_dressing(
    json_dressing: dict[str, Any] | None, dressing_input: str, paths: MediaPaths
) -> DressingRequest | None:
    """Read the dressing that Pod requests.

    Args:
        json_dressing: the JSON object.
        dressing_input: the part of a command line.
        paths: maps paths below Pod's media root.

    Returns:
        None if the video is not dressed.

    Raises:
        InvalidRequestError: a field is invalid, the two descriptions differ, or a path is outside the media root.
    """
    inputs = read_inputs(dressing_input)
    if json_dressing is None:
        if inputs:
            raise InvalidRequestError("dressing_input names files, but json_dressing is empty.")
        return None
    try:
        request = _JsonDressing.model_validate(json_dressing)
    except ValidationError as error:
        raise InvalidRequestError(f"json_dressing is not valid: {list_faults(error)}. Correct the dressing.") from error
    watermark = None if request.watermark_path is None else paths.key_of(request.watermark_path)
    opening, ending = (
        _credit_key(name, slug, video, paths)
        for name, slug, video in (
            ("opening", request.opening_credits, request.opening_credits_video),
            ("ending", request.ending_credits, request.ending_credits_video),
        )
    )
    named = [key for key in (watermark, opening, ending) if key is not None]
    if inputs and [paths.key_of(path) for path in inputs] != named:
        raise InvalidRequestError("dressing_input names other files than json_dressing. Encode the video again.")
    if not named:
        return None
    return DressingRequest(
        watermark=watermark,
        position=request.position_orig,
        opacity=request.opacity / 100,
        opening=opening,
        ending=ending,
    )


def read_inputs(fragment: str) -> list[str]:
    """Extract the paths from dressing_input.

    Args:
        fragment: empty, or pairs of `-i` and a path in double quotes.

    Raises:
        InvalidRequestError: it contains anything else.
    """
    if INPUTS.sub("", fragment).strip():
        raise InvalidRequestError(f'dressing_input is not a list of -i "path" pairs: {fragment[:200]!r}.')
    return [match["path"] for match in INPUTS.finditer(fragment)]


def _credit_key(name: str, slug: str | None, video: str | None, paths: MediaPaths) -> str | None:
    if slug is None and video is None:
        return None
    if video is None:
        raise InvalidRequestError(f"json_dressing names {name}_credits, but not {name}_credits_video.")
    # relative to the media root; mapped there and back to ensure that it stays inside
    return paths.key_of(paths.pod_path(video.lstrip("/")) if not video.startswith("/") else video)
