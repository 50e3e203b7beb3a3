"""Reads the parameters of a task: renditions, cut, dressing and languages, each as its client writes it. Pure.

Source: docs/contract-pod-runner.md, rows d, p and q. What cannot be read is refused: the task is accepted all the same,
and fails with a sentence that its client shows.
"""

import json
import re
import unicodedata
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from adapter.door.runner.requests import Dialect, Url
from podjobs.contract.errors import InvalidRequestError, list_faults
from podjobs.contract.failure_kinds import FailureKind
from podjobs.contract.jobs import Cut, Position, RenditionRequest

AUTO = "auto"
ENGLISH = "en"
MAXRATE_OF_BITRATE = 1.5
"""Pod names the mean bit rate, and we the highest one: in its own ladder they are at this ratio."""
_RATE = re.compile(r"(?P<number>\d+(?:\.\d+)?)\s*(?P<unit>[kKmM]?)")
_UNITS = {"": 1, "k": 1000, "m": 1_000_000}
_TIME = re.compile(r"(?:(?:(?P<h>\d{1,4}):)?(?P<m>[0-5]?\d):)?(?P<s>\d{1,9}(?:\.\d{1,9})?)")
"""Seconds, or [HH:]MM:SS, with decimals or without."""
_TOP, _BOTTOM = ("top", "haut", "boven"), ("bottom", "bas", "onder")
_LEFT, _RIGHT = ("left", "gauche", "links"), ("right", "droit", "rechts")
_SHOWN_CHARS = 200
Model = TypeVar("Model", bound=BaseModel)


def _is_empty(value: Any) -> bool:
    return value is None or value == ""


def _rate(value: Any) -> Any:
    """Read a bit rate such as `750k`; what is empty is not said."""
    if _is_empty(value):
        return None
    found = _RATE.fullmatch(value.strip()) if isinstance(value, str) else None
    return round(float(found["number"]) * _UNITS[found["unit"].lower()]) if found else value


def _seconds(value: Any) -> Any:
    if _is_empty(value):
        return None
    found = _TIME.fullmatch(value.strip()) if isinstance(value, str) else None
    return int(found["h"] or 0) * 3600 + int(found["m"] or 0) * 60 + float(found["s"]) if found else value


Rate = Annotated[int | None, Field(gt=0, le=10**9), BeforeValidator(_rate)]
Time = Annotated[float | None, Field(ge=0, allow_inf_nan=False), BeforeValidator(_seconds)]
OptionalUrl = Annotated[Url | None, BeforeValidator(lambda value: value or None)]
OptionalName = Annotated[str, BeforeValidator(lambda value: "" if value is None else str(value))]
Percent = Annotated[
    float, Field(ge=0, le=100, allow_inf_nan=False), BeforeValidator(lambda value: 100 if _is_empty(value) else value)
]


class _Rendition(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    resolution: Annotated[str, Field(pattern=r"^\d{2,5}x\d{2,5}$")]
    video_bitrate: Rate = None
    audio_bitrate: Rate = None
    encode_mp4: bool = False


class _Cut(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    start: Time = None
    end: Time = None
    initial_duration: Time = None


class _Dressing(BaseModel):
    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    watermark: OptionalUrl = None
    watermark_position: OptionalName = ""
    watermark_opacity: Percent = 100
    opening_credits: OptionalName = ""
    opening_credits_video: OptionalUrl = None
    ending_credits: OptionalName = ""
    ending_credits_video: OptionalUrl = None


@dataclass(frozen=True, slots=True)
class RemoteDressing:
    """What a video is dressed with, by the URLs of the files."""

    watermark: str | None
    position: Position
    opacity: float
    """Between 0 and 1."""
    opening: str | None
    ending: str | None


@dataclass(frozen=True, slots=True)
class Languages:
    """What is spoken, and whether the captions are a translation of it."""

    spoken: str
    """A language code, or `auto`."""
    translate: bool
    """Into English."""


def read_renditions(value: Any, dialect: Dialect) -> tuple[RenditionRequest, ...]:
    """Read which renditions are asked for; none: those of VIDEO_RENDITIONS.

    Args:
        value: height → its resolution and bit rates; a JSON object, or its text.
        dialect: the newer one imports MP4s alone, and shows nothing of a rendition without.

    Raises:
        InvalidRequestError: it is anything else.
    """
    found = _read_object("rendition", value)
    if not found:
        return ()
    wanted = [_validate(_Rendition, f"rendition {height}", one) for height, one in found.items()]
    heights = [one.resolution.partition("x")[2] for one in wanted]
    if len(set(heights)) != len(heights):
        raise InvalidRequestError("The parameter rendition names one height twice. Correct Pod's video renditions.")
    return tuple(
        RenditionRequest(
            resolution=one.resolution,
            max_bps=round(one.video_bitrate * MAXRATE_OF_BITRATE) if one.video_bitrate else None,
            audio_bps=one.audio_bitrate,
            mp4=one.encode_mp4 or dialect == "v5",
        )
        for one in wanted
    )


def read_cut(value: Any) -> Cut | None:
    """Read which part is kept; None: all of it.

    Raises:
        InvalidRequestError: it is no cut, or leaves nothing.
    """
    found = _read_object("cut", value, FailureKind.CUT)
    if not found:
        return None
    cut = _validate(_Cut, "cut", found, FailureKind.CUT)
    start_s, end_s = cut.start or 0.0, cut.end or None
    if end_s is not None and end_s <= start_s:
        raise InvalidRequestError(
            f"The cut from {start_s:g} s to {end_s:g} s leaves nothing of the video. Correct it.", kind=FailureKind.CUT
        )
    if end_s is not None and cut.initial_duration and end_s >= cut.initial_duration:
        end_s = None
    return Cut(start_s=start_s, end_s=end_s) if start_s or end_s is not None else None


def read_dressing(value: Any) -> RemoteDressing | None:
    """Read what the video is dressed with; None: nothing.

    Raises:
        InvalidRequestError: it is no dressing, or names credits without a video.
    """
    found = _read_object("dressing", value, FailureKind.DRESSING)
    if not found:
        return None
    dressing = _validate(_Dressing, "dressing", found, FailureKind.DRESSING)
    for name, kind in (("opening", FailureKind.OPENING_CREDITS), ("ending", FailureKind.ENDING_CREDITS)):
        if getattr(dressing, f"{name}_credits") and getattr(dressing, f"{name}_credits_video") is None:
            raise InvalidRequestError(
                f"The dressing names {name} credits, but no video of them. Choose a video for them in the dressing.",
                kind=kind,
            )
    urls = (dressing.watermark, dressing.opening_credits_video, dressing.ending_credits_video)
    if not any(urls):
        return None
    return RemoteDressing(
        watermark=dressing.watermark,
        position=read_position(dressing.watermark_position),
        opacity=dressing.watermark_opacity / 100,
        opening=dressing.opening_credits_video,
        ending=dressing.ending_credits_video,
    )


def read_position(text: str) -> Position:
    """Read where a watermark is: Pod's word for it, or its label in the site's language; else where Pod puts it."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    is_bottom = any(word in plain for word in _BOTTOM) and not any(word in plain for word in _TOP)
    is_left = any(word in plain for word in _LEFT) and not any(word in plain for word in _RIGHT)
    if is_bottom:
        return "bottom_left" if is_left else "bottom_right"
    return "top_left" if is_left else "top_right"


def read_languages(parameters: dict[str, Any]) -> Languages:
    """Read in which language captions are wanted, and which one is spoken.

    Raises:
        InvalidRequestError: it takes a translation into another language than English.
    """
    wanted = _code(parameters.get("language") or parameters.get("lang"))
    spoken = _code(parameters.get("source_language"))
    if wanted in {AUTO, spoken}:
        return Languages(spoken, translate=False)
    if wanted == ENGLISH:
        return Languages(spoken, translate=True)
    if spoken == AUTO:  # as Pod has always meant it: the language of the captions is the one that is spoken
        return Languages(wanted, translate=False)
    raise InvalidRequestError(
        f"Captions in the language {wanted!r} were asked for, but {spoken!r} is spoken: they can be translated into "
        "English alone. Choose the language that is spoken, or correct the video's main language.",
        kind=FailureKind.LANGUAGE,
    )


def _code(value: Any) -> str:
    text = str(value or AUTO).strip().lower()[:64] or AUTO
    return text.replace("_", "-").partition("-")[0] or AUTO


def _read_object(name: str, value: Any, kind: FailureKind | None = None) -> dict[str, Any]:
    """Read an object that may be written as text; empty: there is none."""
    if isinstance(value, str):
        try:
            value = json.loads(value) if value.strip() else None
        except ValueError as error:
            shown = value[:_SHOWN_CHARS]
            raise InvalidRequestError(f"The parameter {name} is not JSON: {shown!r}.", kind=kind) from error
    if value is None or value == {}:
        return {}
    if not isinstance(value, dict):
        shown = repr(value)[:_SHOWN_CHARS]
        raise InvalidRequestError(f"The parameter {name} is {shown}, expected a JSON object.", kind=kind)
    return value


def _validate(model: type[Model], name: str, value: Any, kind: FailureKind | None = None) -> Model:
    try:
        return model.model_validate(value)
    except ValidationError as error:
        raise InvalidRequestError(f"The parameter {name} is not valid: {list_faults(error)}.", kind=kind) from error
