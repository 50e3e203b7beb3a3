"""Reads a video's dressing from Pod's task, which describes it twice: as JSON and as part of a command line. Pure.

Source: docs/contract-pod.md, json_dressing and dressing_input.
"""

import re
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from podjobs.contract.errors import InvalidRequestError, list_faults
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import DressingRequest, Position
from podjobs.contract.media_paths import MediaPaths

INPUTS = re.compile(r'(?:\s*-i\s+"(?P<path>[^"\n]+)")')
"""The part of an ffmpeg command line that Pod sends along with the JSON: never run, only compared."""


def _text_or_none(value: Any) -> Any:
    return None if value == "" else value


OptionalText = Annotated[str | None, BeforeValidator(_text_or_none)]


_PARTS = (
    ("watermark_path", FailureKind.WATERMARK),
    ("position_orig", FailureKind.WATERMARK),
    ("opacity", FailureKind.WATERMARK),
    ("opening_credits", FailureKind.OPENING_CREDITS),
    ("ending_credits", FailureKind.ENDING_CREDITS),
)
"""How the names of fields begin → the part of the dressing that they describe."""


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
        InvalidRequestError: a field is invalid, the two descriptions differ, or a path is outside the media root. Its
            kind says which part of the dressing is wrong.
    """
    inputs = read_inputs(dressing_input)
    if json_dressing is None:
        if inputs:
            raise _refusal("dressing_input names files, but json_dressing is empty.")
        return None
    try:
        request = _JsonDressing.model_validate(json_dressing)
    except ValidationError as error:
        detail = f"json_dressing is not valid: {list_faults(error)}. Correct the dressing."
        raise _refusal(detail, _part_of(error)) from error
    watermark = _key_of("watermark_path", request.watermark_path, paths)
    opening = _credit_key("opening_credits", request.opening_credits, request.opening_credits_video, paths)
    ending = _credit_key("ending_credits", request.ending_credits, request.ending_credits_video, paths)
    named = [key for key in (watermark, opening, ending) if key is not None]
    if inputs and [_key_of("dressing_input", path, paths) for path in inputs] != named:
        raise _refusal("dressing_input names other files than json_dressing. Encode the video again.")
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
        raise _refusal(f'dressing_input is not a list of -i "path" pairs: {fragment[:200]!r}.')
    return [match["path"] for match in INPUTS.finditer(fragment)]


def is_about_dressing(error: ValidationError) -> bool:
    """Whether nothing but the dressing is wrong with a task's arguments."""
    return {str(fault["loc"][0]) for fault in error.errors()} <= {"json_dressing", "dressing_input"}


def _refusal(detail: str, kind: FailureKind = FailureKind.DRESSING) -> InvalidRequestError:
    return InvalidRequestError(detail, kind=kind)


def _part_of(error: ValidationError) -> FailureKind:
    """The part of the dressing that is wrong; all of it, if several are."""
    kinds = {_kind_of(str(fault["loc"][0])) for fault in error.errors() if fault["loc"]}
    return kinds.pop() if len(kinds) == 1 else FailureKind.DRESSING


def _kind_of(field: str) -> FailureKind:
    return next((kind for name, kind in _PARTS if field.startswith(name)), FailureKind.DRESSING)


def _credit_key(name: str, slug: str | None, video: str | None, paths: MediaPaths) -> str | None:
    if video is None:
        if slug is None:
            return None
        detail = f"json_dressing names {name}, but not {name}_video. Choose a video for them in the dressing."
        raise _refusal(detail, _kind_of(name))
    # relative to the media root; mapped there and back to ensure that it stays inside
    return _key_of(f"{name}_video", video if video.startswith("/") else paths.pod_path(video), paths)


def _key_of(field: str, path: str | None, paths: MediaPaths) -> str | None:
    """Map a path of the dressing to a key; None stays None. Raises InvalidRequestError, which names the field."""
    if path is None:
        return None
    try:
        return paths.key_of(path)
    except InvalidRequestError as error:
        raise _refusal(f"{field}: {error.detail}", _kind_of(field)) from error
