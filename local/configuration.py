"""What the stack runs with: the operator's settings, and embedded defaults for those that are not set.

The environment takes precedence over the `.env` file, that over secrets (PODJOBS_SECRETS), and these over Pod's
settings file (PODJOBS_SETTINGS_FILE).
"""

import json
import os
import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values

from adapter.settings import AdapterSettings, adapter_settings
from local.environments import (
    PROXIES,
    PROXY_EXCEPTIONS,
    RQ_URL,
    adapter_environment,
    all_settings,
    function_environment,
    media_environment,
)
from local.functions import SETTINGS, enabled_functions
from local.object_store import demonstration_settings
from local.ports import HEALTH, POD, REDIS, S3, Ports
from local.secret_settings import as_environment, names_in_secrets
from local.transports import Transport, function_url_setting
from podjobs.backends.storage import find_media_obstacle, open_storage
from podjobs.contract.ports.storage import Storage
from podjobs.contract.workflows import Function, all_functions, step_functions
from podjobs.encoding.settings import EncodingSettings
from podjobs.secret_store import FUNCTION_SECRET
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
    environment: dict[str, str] = field(repr=False)
    """All settings of all programs, defaults included, and what else the operator's environment holds: each program is
    given a part of it (environments.py). Contains secrets."""
    ports: Ports
    own_redis: bool
    own_pod: bool
    functions: tuple[Function, ...]
    """Those that run: a function runs if the setting that enables it is set."""
    transport: Transport = Transport.HTTP
    """How the adapter reaches them."""
    in_secrets: frozenset[str] = frozenset()
    """The settings that programs read from secrets by themselves."""

    def runs(self, function: Function) -> bool:
        """Whether a function runs."""
        return function in self.functions

    @property
    def handed_on(self) -> dict[str, str]:
        """What programs may be given of the environment."""
        return {name: value for name, value in self.environment.items() if name not in self.in_secrets}

    @property
    def broker_url(self) -> str:
        """Where Celery messages go; may contain a password."""
        return self.environment[BROKER]

    @property
    def jobs_url(self) -> str:
        """Where the job records are; may contain a password."""
        return self.environment.get("PODJOBS_REDIS_URL") or self.broker_url

    @property
    def rq_url(self) -> str:
        """Where the queues of RQ are; may contain a password."""
        return self.environment.get(RQ_URL) or self.jobs_url

    @property
    def own_object_store(self) -> bool:
        """Whether the media are on an S3 server of the stack's own."""
        return S3 in self.ports

    @property
    def media_dir(self) -> Path | None:
        """The media root as this machine sees it; None: it is no folder."""
        return folder_of(self.environment["MEDIA_URL"])

    @property
    def makes_media_dir(self) -> bool:
        """Whether the media root is a folder of the stack's own, made at the start."""
        return self.media_dir is not None and self.state_dir in self.media_dir.parents

    @contextmanager
    def open_media(self) -> Iterator[Storage]:
        """Open the media as the functions do.

        Meanwhile this process has their environment: the client of an object storage reads more than our settings.
        """
        with self.media_settings() as settings:
            yield open_storage(settings)

    def find_media_obstacle(self) -> str:
        """What keeps media from being written so that Pod can use them: a sentence for the operator; empty: nothing."""
        with self.media_settings() as settings:
            return find_media_obstacle(settings)

    @contextmanager
    def media_settings(self) -> Iterator[MediaSettings]:
        """The settings with which the functions open the media, and meanwhile their environment."""
        with as_environment(media_environment(self.environment)):
            yield load_settings(MediaSettings)


def folder_of(media_url: str) -> Path | None:
    """The folder that a MEDIA_URL names; None: it names none, but an object storage."""
    url = urlsplit(media_url)
    return Path(unquote(url.path)) if url.scheme == "file" else None


def read_operator_settings(env_file: Path) -> dict[str, str]:
    """Join the environment and a `.env` file.

    Args:
        env_file: a file of `NAME=value` lines; need not exist.

    Raises:
        SettingsError: the file cannot be read.
    """
    try:
        from_file = {name: value for name, value in dotenv_values(env_file, interpolate=False).items() if value}
    except (OSError, UnicodeDecodeError) as error:
        remedy = "Run the command as a user who may read it, such as by sudo."
        raise SettingsError(f"The settings in {str(env_file)!r} cannot be read: {error}. {remedy}") from error
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
    try:
        in_file = pod_settings(given)
        in_secrets = names_in_secrets(in_file | dict(given))
        environment = {name: value for name, value in in_file.items() if name not in in_secrets} | dict(given)
        transport = Transport.of(given)
    except SettingsError as error:
        raise SettingsError(f"These settings are missing or wrong:\n  {error}") from error
    environment.pop(SETTINGS_FILE_VARIABLE, None)  # it holds the secrets of all
    if environment.get(MODELS, "").strip() == NO_MODELS:
        del environment[MODELS]
    known = in_secrets.union(environment)
    own_pod = "POD_API_URL" not in known
    own_redis = BROKER not in known
    functions = enabled_functions(set(known))
    if own_redis:
        environment[BROKER] = f"redis://127.0.0.1:{ports[REDIS]}/0"
    if own_pod:
        environment["POD_API_URL"] = f"http://127.0.0.1:{ports[POD]}/rest"
        environment.setdefault("POD_API_TOKEN", secrets.token_hex(20))
    if "MEDIA_ROOT" not in known:
        environment["MEDIA_ROOT"] = str(state_dir / "media")
    if S3 in ports:
        environment |= demonstration_settings(ports)
    if PROXIES & {name.upper() for name in known}:
        # the stand-in for Pod and the S3 server are asked by programs that reach others through a proxy
        environment |= {name: _with_this_machine(environment.get(name, "")) for name in PROXY_EXCEPTIONS}
    environment |= {"PODJOBS_HEALTH_PORT": str(ports[HEALTH]), "PODJOBS_HEALTH_HOST": "127.0.0.1"}
    urls = set(map(function_url_setting, all_functions()))
    environment = {name: value for name, value in environment.items() if name not in urls}
    environment = transport.defaults(functions) | environment | transport.settings(functions, ports)
    environment.setdefault("PODJOBS_GRACE_S", str(GRACE_S))
    if FUNCTION_SECRET not in known:
        environment[FUNCTION_SECRET] = secrets.token_hex(32)
    in_secrets -= set(environment)
    _check(environment, state_dir, functions, own_redis=own_redis)
    return Configuration(
        state_dir,
        environment,
        ports,
        own_redis=own_redis,
        own_pod=own_pod,
        functions=functions,
        transport=transport,
        in_secrets=in_secrets,
    )


def pod_settings(given: Mapping[str, str]) -> dict[str, str]:
    """Read what Pod's settings file says about our settings, as an environment would say it."""
    path = given.get(SETTINGS_FILE_VARIABLE)
    assigned = read_assignments(Path(path)) if path else {}
    ours = all_settings()
    return {name: _as_text(value) for name, value in assigned.items() if name in ours and value not in (None, "")}


def _with_this_machine(exceptions: str) -> str:
    """Add this machine to those that are reached without a proxy."""
    return ",".join(filter(None, (exceptions, "127.0.0.1")))


def _as_text(value: Any) -> str:
    """Write a literal as the settings classes read it from an environment."""
    return value if isinstance(value, str) else json.dumps(value, default=str)


def _check(environment: dict[str, str], state_dir: Path, functions: Sequence[Function], *, own_redis: bool) -> None:
    """Load every settings class as its process will, look at folders and tools, and complete MEDIA_URL."""
    faults = _drop_impossible(environment)
    loaded: dict[type[PodSettings], PodSettings] = {}
    kinds: dict[type[PodSettings], dict[str, str]] = {adapter_settings(): adapter_environment(environment)}
    kinds |= {SETTINGS[one.name]: function_environment(one.name, environment) for one in functions}
    for kind, own in kinds.items():
        try:
            with as_environment(own):
                loaded[kind] = load_settings(kind)
        except SettingsError as error:
            faults += _faults_of(error)
    encoding = loaded.get(EncodingSettings)
    if isinstance(encoding, EncodingSettings):
        environment["MEDIA_ROOT"] = encoding.media_root
        environment["MEDIA_URL"] = encoding.media_url or Path(encoding.media_root).as_uri()
        environment["PODJOBS_MEDIA_LINKS"] = json.dumps(encoding.podjobs_media_links)
        faults += _folder_faults(environment["MEDIA_URL"], state_dir)
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


def _drop_impossible(environment: dict[str, str]) -> list[str]:
    """Remove what no environment can hold, though a file can. Returns the faults."""
    faults = []
    for name, value in list(environment.items()):
        try:
            is_possible = b"\0" not in os.fsencode(value)
        except UnicodeEncodeError:
            is_possible = False
        if not is_possible:
            del environment[name]
            faults.append(f"{name}: contains a character that is not text. Write it without.")
    return faults


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


def _folder_faults(media_url: str, state_dir: Path) -> list[str]:
    media_dir = folder_of(media_url)
    if media_dir is None or state_dir in media_dir.parents:
        return []  # an object storage, which is asked at the start; or ours, made at the start
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
