"""What the stack runs with: the operator's settings, and embedded defaults for those that are not set.

The environment takes precedence over the `.env` file, and that over Pod's settings file (PODJOBS_SETTINGS_FILE).
"""

import json
import os
import secrets
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values

from adapter.settings import AdapterSettings, adapter_settings
from local.functions import SETTINGS, enabled_functions
from local.ports import HEALTH, POD, REDIS, Ports
from podjobs.backends.storage import open_storage
from podjobs.contract.ports import Storage
from podjobs.contract.workflows import Function, all_functions, step_functions
from podjobs.encoding.settings import EncodingSettings
from podjobs.settings import (
    SETTINGS_FILE_VARIABLE,
    MediaSettings,
    PodSettings,
    SettingsError,
    load_settings,
    read_assignments,
)

BROKER = "ENCODING_TRANSCODING_CELERY_BROKER_URL"
MODELS = "TRANSCRIPTION_MODEL_PARAM"
NO_MODELS = "{}"
"""Takes precedence over Pod's settings file: nothing is transcribed here."""
GRACE_S = 4
"""How long steps that run when the stack is stopped may take to end: everything must be gone after 10 s."""


@dataclass(frozen=True)
class Configuration:
    """What to start, and with which settings."""

    state_dir: Path
    """Where the stack keeps what it needs: Redis' data, the media of an embedded media root."""
    environment: dict[str, str]
    """All settings, defaults included. Contains secrets."""
    ports: Ports
    own_redis: bool
    own_pod: bool
    functions: tuple[Function, ...]
    """Those that run: a function runs if the setting that enables it is set."""

    def runs(self, function: Function) -> bool:
        """Whether a function runs."""
        return function in self.functions

    @property
    def broker_url(self) -> str:
        """Where Celery messages go; may contain a password."""
        return self.environment[BROKER]

    @property
    def jobs_url(self) -> str:
        """Where the job records are; may contain a password."""
        return self.environment.get("PODJOBS_REDIS_URL") or self.broker_url

    @property
    def media_dir(self) -> Path:
        """The media root as this machine sees it."""
        return Path(unquote(urlsplit(self.environment["MEDIA_URL"]).path))

    @property
    def media(self) -> Storage:
        """The media, as the functions open them."""
        names = ("MEDIA_ROOT", "MEDIA_URL", "PODJOBS_MEDIA_LINKS")
        return open_storage(MediaSettings.model_validate({name.lower(): self.environment[name] for name in names}))


def read_operator_settings(env_file: Path) -> dict[str, str]:
    """Join the environment and a `.env` file.

    Args:
        env_file: a file of `NAME=value` lines; need not exist.
    """
    from_file = {name: value for name, value in dotenv_values(env_file, interpolate=False).items() if value}
    return {**from_file, **{name: value for name, value in os.environ.items() if value}}


def configure(state_dir: Path, given: Mapping[str, str], ports: Ports) -> Configuration:
    """Complete the settings and check them all.

    Args:
        state_dir: where the stack may keep files; need not exist yet.
        given: the operator's settings.
        ports: where the parts are to listen.

    Raises:
        SettingsError: one message with all faults.
    """
    environment = dict(given)
    try:
        elsewhere = _pod_settings_file(given)
    except SettingsError as error:
        raise SettingsError(f"These settings are missing or wrong:\n  {error}") from error
    if environment.get(MODELS, "").strip() == NO_MODELS:
        del environment[MODELS]
        elsewhere.discard(MODELS)
    known = elsewhere | set(environment)
    own_pod = "POD_API_URL" not in known
    own_redis = BROKER not in known
    functions = enabled_functions(known)
    if own_redis:
        environment[BROKER] = f"redis://127.0.0.1:{ports[REDIS]}/0"
    if own_pod:
        environment["POD_API_URL"] = f"http://127.0.0.1:{ports[POD]}/rest"
        environment.setdefault("POD_API_TOKEN", secrets.token_hex(20))
    if "MEDIA_ROOT" not in known:
        environment["MEDIA_ROOT"] = str(state_dir / "media")
    environment |= {"PODJOBS_HEALTH_PORT": str(ports[HEALTH]), "PODJOBS_HEALTH_HOST": "127.0.0.1"}
    for function in all_functions():
        url = f"PODJOBS_FUNCTION_URL_{function.name.upper()}"
        environment.pop(url, None)
        if function in functions:
            environment[url] = f"http://127.0.0.1:{ports[function.name]}"
    environment.setdefault("PODJOBS_GRACE_S", str(GRACE_S))
    _check(environment, state_dir, functions, own_redis=own_redis)
    return Configuration(state_dir, environment, ports, own_redis=own_redis, own_pod=own_pod, functions=functions)


def _pod_settings_file(given: Mapping[str, str]) -> set[str]:
    path = given.get(SETTINGS_FILE_VARIABLE)
    return {name for name, value in read_assignments(Path(path)).items() if value} if path else set()


def _check(environment: dict[str, str], state_dir: Path, functions: Sequence[Function], *, own_redis: bool) -> None:
    """Load every settings class as its process will, look at folders and tools, and complete MEDIA_URL."""
    faults: list[str] = []
    loaded: dict[type[PodSettings], PodSettings] = {}
    kinds = [adapter_settings(), *(SETTINGS[function.name] for function in functions)]
    before = dict(os.environ)
    os.environ.update(environment)
    try:
        for kind in kinds:
            try:
                loaded[kind] = load_settings(kind)
            except SettingsError as error:
                faults += _faults_of(error)
    finally:
        os.environ.clear()
        os.environ.update(before)
    encoding = loaded.get(EncodingSettings)
    if isinstance(encoding, EncodingSettings):
        environment["MEDIA_ROOT"] = encoding.media_root
        environment["MEDIA_URL"] = encoding.media_url or Path(encoding.media_root).as_uri()
        environment["PODJOBS_MEDIA_LINKS"] = json.dumps(encoding.podjobs_media_links)
        faults += _folder_faults(Path(unquote(urlsplit(environment["MEDIA_URL"]).path)), state_dir)
        faults += _missing_tools({"FFMPEG_CMD": encoding.ffmpeg_cmd, "FFPROBE_CMD": encoding.ffprobe_cmd})
    adapter = next((settings for settings in loaded.values() if isinstance(settings, AdapterSettings)), None)
    if adapter:
        environment |= _settings_from_adapter(environment, adapter)
    if own_redis and not shutil.which("redis-server"):
        faults.append(f"{BROKER}: is not set, and redis-server is not installed here. Set it or install redis-server.")
    if faults:
        raise SettingsError(
            "These settings are missing or wrong:\n" + "\n".join(f"  {f}" for f in dict.fromkeys(faults))
        )


def _settings_from_adapter(environment: Mapping[str, str], adapter: AdapterSettings) -> dict[str, str]:
    """The databases, and as many slots for each function as the adapter sends it steps in parallel."""
    # those whose steps each occupy a processor
    busy = {function.name for function in step_functions() if function.concurrency is None}
    slots = {f"PODJOBS_{f.name.upper()}_SLOTS": str(f.concurrency) for f in adapter.functions if f.name in busy}
    values = {name: environment.get(name, count) for name, count in slots.items()} | {BROKER: adapter.broker_url}
    if adapter.xapi_celery_broker_url:
        values["XAPI_CELERY_BROKER_URL"] = adapter.xapi_broker_url
    if adapter.podjobs_redis_url:
        values["PODJOBS_REDIS_URL"] = adapter.jobs_url
    return values


def _faults_of(error: SettingsError) -> list[str]:
    first, *rest = str(error).splitlines()
    return [line.strip() for line in rest] if rest else [first]


def _folder_faults(media_dir: Path, state_dir: Path) -> list[str]:
    if state_dir in media_dir.parents:
        return []  # ours: made at the start
    if not media_dir.is_dir():
        return [
            f"MEDIA_URL: {str(media_dir)!r} is not a folder here. Mount Pod's media root, or name where it is mounted."
        ]
    if not os.access(media_dir, os.R_OK | os.W_OK | os.X_OK):
        return [f"MEDIA_URL: {str(media_dir)!r} cannot be read and written by this user. Give the user access to it."]
    return []


def _missing_tools(commands: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: the command {command!r} is not found. Install it, or name its path."
        for name, command in commands.items()
        if not shutil.which(command)
    ]
