"""Settings: read once at the entry, from the environment, secrets and Pod's own file; all faults in one message.

They have Pod's names. The environment takes precedence over the secrets that PODJOBS_SECRETS names, as it is what one
program is told; they take precedence over the file that PODJOBS_SETTINGS_FILE names, which may still hold what was
valid before it was kept as a secret.
"""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar
from urllib.parse import quote

import pydantic_settings
from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    NonNegativeFloat,
    PositiveFloat,
    SecretStr,
    ValidationError,
    field_validator,
)
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict
from typing_extensions import override

from podjobs.contract.media_urls import split_media_url
from podjobs.object_storage_settings import ObjectStorageSettings
from podjobs.pod_settings_file import UnreadableFileError, read_settings_file
from podjobs.secret_store.held import TTL_S, held_secrets
from podjobs.secret_store.references import VARIABLE

SETTINGS_FILE_VARIABLE = "PODJOBS_SETTINGS_FILE"


class SettingsError(Exception):
    """The settings are not valid; the message names every fault."""


class _NamedValues(PydanticBaseSettingsSource):
    """Values by the names of their settings."""

    def __init__(self, settings_cls: type[BaseSettings], values: Mapping[str, Any]) -> None:
        super().__init__(settings_cls)
        self._values = values

    @override
    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        return self._values.get(field_name.upper()), field_name, False

    @override
    def __call__(self) -> dict[str, Any]:
        return {
            name: self._values[name.upper()] for name in self.settings_cls.model_fields if name.upper() in self._values
        }


class PodSettings(BaseSettings):
    """Base of every settings class: reads Pod's names from the environment, the secrets, then Pod's settings file."""

    model_config = SettingsConfigDict(frozen=True, extra="ignore", env_ignore_empty=True, defer_build=True)

    @classmethod
    @override
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        secrets = held_secrets()
        kept = _NamedValues(settings_cls, secrets.settings if secrets else {})
        return init_settings, env_settings, kept, _NamedValues(settings_cls, _file_values())


def _file_values() -> dict[str, Any]:
    """The literal assignments of Pod's settings file, if one is named: parsed, never executed."""
    path = os.environ.get(SETTINGS_FILE_VARIABLE)
    return read_assignments(Path(path)) if path else {}


def _absolute(path: str) -> str:
    if not path.startswith("/"):
        raise ValueError("must be an absolute path")
    return path


AbsolutePath = Annotated[str, AfterValidator(_absolute)]


def _parse_json(value: Any) -> Any:
    return json.loads(value) if isinstance(value, str) else value


Value = TypeVar("Value")
FromJson = Annotated[Value, NoDecode, BeforeValidator(_parse_json)]
"""JSON text in the environment, the value itself in Pod's settings file. A JSON error is a fault like any other."""


class LogSettings(PodSettings):
    """The settings of every process."""

    podjobs_secrets: str = Field(
        default="",
        description="Where settings are kept as secrets: names or ARNs of AWS Secrets Manager, or files such as "
        "`file:///run/secrets/podjobs.json`, with commas between them. Each is a JSON object of settings, which take "
        "precedence over PODJOBS_SETTINGS_FILE, but not over the environment.",
    )
    podjobs_secrets_ttl_s: PositiveFloat = Field(
        default=TTL_S,
        description="How old secrets may be before they are read again, in seconds. They are read at once when Pod, "
        "the LRS, Redis or a function does not accept what they say.",
    )

    podjobs_log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = Field(
        default="INFO", description="Lowest level that is logged."
    )


SHORTEST_SECRET_CHARS = 16
SAME_SECRET = "PODJOBS_FUNCTION_SECRET must be the same for the adapter and the function."  # noqa: S105 - no secret


def _presentable(secret: SecretStr) -> SecretStr:
    text = secret.get_secret_value()
    if len(text) < SHORTEST_SECRET_CHARS or not all("!" <= character <= "~" for character in text):
        raise ValueError(f"must be at least {SHORTEST_SECRET_CHARS} printable ASCII characters, none of them a space")
    return secret


FunctionSecret = Annotated[SecretStr, AfterValidator(_presentable)]
"""What the adapter shows to the functions, so that they answer nobody else."""


class EndpointSettings(LogSettings):
    """The settings of every function."""

    podjobs_function_secret: FunctionSecret | None = Field(
        default=None,
        description=f"Secret of the adapter and the functions, at least {SHORTEST_SECRET_CHARS} printable ASCII "
        "characters, the same for all of them: a function answers only who knows it. If not set, it answers everybody "
        "who reaches it.",
    )


class MediaSettings(EndpointSettings, ObjectStorageSettings):
    """The location of the media files."""

    media_root: AbsolutePath = Field(
        description="Pod's media root, as the Pod server sees it. The paths in Pod's messages begin with it."
    )
    media_url: str = Field(
        default="",
        description="The same folder as the functions see it, `file:///…`; or the part of a bucket that Pod has "
        "mounted there, `s3://bucket/prefix`. If not set: MEDIA_ROOT itself.",
    )

    podjobs_disk_free_gb: NonNegativeFloat = Field(
        default=5,
        description="Space, in GiB, that should be free on the disk of the media root; temporary files need 1, or this "
        "if it is less. `podjobs check` says where less is.",
    )
    podjobs_media_links: FromJson[tuple[AbsolutePath, ...]] = Field(
        default=(),
        description="Absolute folders outside the media root to which an administrator's links in it may lead, as the "
        'functions see them; a JSON list such as `["/nfs/videos"]`. Such links are followed directly in the media root '
        "and in its folders, not deeper.",
    )

    @field_validator("media_url")
    @classmethod
    def _is_supported(cls, value: str) -> str:
        if value:
            split_media_url(value)
        return value

    @property
    def media_location(self) -> str:
        """MEDIA_URL, or its default."""
        return self.media_url or f"file://{quote(self.media_root)}"


Settings = TypeVar("Settings", bound=PodSettings)


def load_settings(kind: type[Settings]) -> Settings:
    """Read and check all settings of one entry point.

    Args:
        kind: the settings class of the entry point.

    Raises:
        SettingsError: one message that names every fault; values are not repeated, as they may be secret.
    """
    secrets = held_secrets()
    faults = [f"  {fault}" for fault in secrets.begin()] if secrets else []
    settings = None
    try:
        settings = kind()
    except ValidationError as error:
        found = error.errors(include_input=False)
        if secrets and secrets.is_incomplete:  # what is missing may be in the one that could not be read
            found = [fault for fault in found if fault["type"] != "missing"]
        faults += [f"  {_name(fault['loc'])}: {fault['msg']}" for fault in found]
    except pydantic_settings.SettingsError as error:
        # a structured setting whose JSON does not parse; pydantic-settings stops at the first one
        faults.append(f"  A setting is not valid JSON: {error}.")
    if isinstance(settings, LogSettings) and settings.podjobs_secrets and secrets is None:
        faults.append(f"  {VARIABLE}: must be set in the environment, not in Pod's settings file.")
    if faults or settings is None:
        raise SettingsError("These settings are missing or wrong:\n" + "\n".join(faults)) from None
    if secrets and isinstance(settings, LogSettings):
        secrets.ttl_s = settings.podjobs_secrets_ttl_s
    return settings


def _name(location: tuple[int | str, ...]) -> str:
    head, *rest = location or ("settings",)
    return str(head).upper() + "".join(f"[{part}]" for part in rest)


def read_assignments(path: Path) -> dict[str, Any]:
    """Collect the plain `NAME = literal` lines of a Python settings file without running it.

    Args:
        path: Pod's settings_local.py.

    Returns:
        Upper-case names with literal values; computed values and all other statements are left out.

    Raises:
        SettingsError: the file cannot be read or is not Python.
    """
    try:
        return read_settings_file(path).values
    except UnreadableFileError as error:
        raise SettingsError(f"{SETTINGS_FILE_VARIABLE} names {path}, which {error}.") from error
