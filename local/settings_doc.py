"""Writes docs/settings.md from the settings classes: `python -m local.settings_doc FILE`."""

import json
import sys
import types
import typing
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel, SecretStr
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from adapter.settings import adapter_settings
from local.functions import SETTINGS
from podjobs.settings import PodSettings

DOCUMENTED: tuple[tuple[str, type[PodSettings]], ...] = (
    ("The adapter", adapter_settings()),
    *((f"The function `{name}`", kind) for name, kind in SETTINGS.items()),
)
INTRODUCTION = """\
# Settings

Written by `scripts/docs` from the code; do not edit.

All settings come from the environment. Where PODJOBS_SETTINGS_FILE names Pod's own `settings_local.py`, its plain
`NAME = value` lines are read, too (they are never executed); the environment wins. Names without PODJOBS are Pod's.
Every process checks all its settings when it starts and names every fault in one message.
`scripts/up` reads a file `.env` in the repository besides, and hands all settings to all processes.
"""
JSON_KINDS = (list, tuple, dict)


def settings_page(documented: Sequence[tuple[str, type[PodSettings]]] = DOCUMENTED) -> str:
    """Describe settings classes in Markdown.

    Args:
        documented: heading and class, in the order of the page.
    """
    sections = [INTRODUCTION]
    for heading, kind in documented:
        rows = [_row(name, field) for name, field in kind.model_fields.items()]
        sections.append(
            "\n".join([f"## {heading}\n", "| setting | type | default | meaning |", "|---|---|---|---|", *rows])
        )
    return "\n\n".join(section.rstrip() for section in sections) + "\n"


def _row(name: str, field: FieldInfo) -> str:
    cells = (f"`{name.upper()}`", _type_of(field.annotation), _default_of(field), field.description or "")
    return "| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in cells) + " |"


def _type_of(annotation: Any) -> str:
    """Name a type as an administrator would."""
    origin = typing.get_origin(annotation)
    if origin is typing.Annotated:
        return _type_of(typing.get_args(annotation)[0])
    if origin in {typing.Union, types.UnionType}:
        return " or ".join(_type_of(part) for part in typing.get_args(annotation) if part is not type(None))
    if origin is typing.Literal:
        return ", ".join(f"`{value}`" for value in typing.get_args(annotation))
    if origin in JSON_KINDS or (isinstance(annotation, type) and issubclass(annotation, BaseModel)):
        return "JSON"
    names = {str: "text", int: "whole number", float: "number", bool: "true or false", SecretStr: "text (secret)"}
    return names.get(annotation, getattr(annotation, "__name__", str(annotation)))


def _default_of(field: FieldInfo) -> str:
    if field.is_required():
        return "must be set"
    if field.default_factory is not None or field.default in {None, ""}:
        return "see right"
    value = field.default
    if value is PydanticUndefined:
        return ""
    if isinstance(value, BaseModel):
        value = value.model_dump_json()
    if isinstance(value, (tuple, list)):
        value = json.dumps([entry.model_dump() if isinstance(entry, BaseModel) else entry for entry in value])
    return f"`{value}`"


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(settings_page(), encoding="utf-8")
