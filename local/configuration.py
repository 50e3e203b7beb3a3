"""What the stack runs with: the operator's settings, and embedded defaults for those that are not set.

The environment wins over the `.env` file, that over Pod's settings file (PODJOBS_SETTINGS_FILE).
"""

import os
import secrets
import shutil
import socket
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from pathlib import Path
from urllib.parse import unquote, urlsplit

from dotenv import dotenv_values

from adapter.settings import AdapterSettings
from podjobs.encoding.settings import EncodingSettings
from podjobs.notification.settings import NotificationSettings
from podjobs.settings import SETTINGS_FILE_VARIABLE, PodSettings, SettingsError, load_settings, read_assignments
from podjobs.transcription.settings import TranscriptionSettings
from podjobs.xapi.settings import XapiSettings

BROKER = "ENCODING_TRANSCODING_CELERY_BROKER_URL"
LRS = "XAPI_LRS_URL"
SETTINGS_CLASSES: tuple[type[PodSettings], ...] = (AdapterSettings, EncodingSettings, NotificationSettings)
MODELS = "TRANSCRIPTION_MODEL_PARAM"
NO_MODELS = "{}"
"""Wins over Pod's settings file: nothing is transcribed here."""
OPTIONAL: dict[str, tuple[str, type[PodSettings]]] = {
    "transcription": (MODELS, TranscriptionSettings),
    "xapi": (LRS, XapiSettings),
}
"""Functions that run where a setting of theirs is there, and what they read."""
ANY_FREE_PORT = 0
GRACE_S = 4
"""Steps that run when the stack is stopped may take this long to end: all must be gone after 10 s."""


@dataclass(frozen=True)
class Ports:
    """Where the parts of the stack listen, on 127.0.0.1."""

    redis: int
    pod: int
    encoding: int
    notification: int
    transcription: int
    xapi: int
    health: int


@dataclass(frozen=True)
class Configuration:
    """What to start, and with which settings."""

    state_dir: Path
    """Where the stack keeps what it needs: Redis' data, the media of an embedded media root."""
    environment: dict[str, str]
    """All settings, defaults included. Holds secrets."""
    ports: Ports
    own_redis: bool
    own_pod: bool
    optional: frozenset[str]
    """The functions that run because their settings are there."""

    @property
    def has_lrs(self) -> bool:
        """Statements are taken in."""
        return "xapi" in self.optional

    @property
    def transcribes(self) -> bool:
        """Transcriptions are taken in."""
        return "transcription" in self.optional

    @property
    def broker_url(self) -> str:
        """Where Celery messages go; may hold a password."""
        return self.environment[BROKER]

    @property
    def jobs_url(self) -> str:
        """Where the job records are; may hold a password."""
        return self.environment.get("PODJOBS_REDIS_URL") or self.broker_url

    @property
    def media_dir(self) -> Path:
        """The media root as this machine sees it."""
        return Path(unquote(urlsplit(self.environment["MEDIA_URL"]).path))


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
    optional = frozenset(name for name, (setting, _) in OPTIONAL.items() if setting in known)
    if own_redis:
        environment[BROKER] = f"redis://127.0.0.1:{ports.redis}/0"
    if own_pod:
        environment["POD_API_URL"] = f"http://127.0.0.1:{ports.pod}/rest"
        environment.setdefault("POD_API_TOKEN", secrets.token_hex(20))
    if "MEDIA_ROOT" not in known:
        environment["MEDIA_ROOT"] = str(state_dir / "media")
    environment |= {
        "PODJOBS_FUNCTION_URL_ENCODING": f"http://127.0.0.1:{ports.encoding}",
        "PODJOBS_FUNCTION_URL_NOTIFICATION": f"http://127.0.0.1:{ports.notification}",
        "PODJOBS_HEALTH_PORT": str(ports.health),
        "PODJOBS_HEALTH_HOST": "127.0.0.1",
    }
    for name in OPTIONAL:
        url = f"PODJOBS_FUNCTION_URL_{name.upper()}"
        environment.pop(url, None)
        if name in optional:
            environment[url] = f"http://127.0.0.1:{getattr(ports, name)}"
    environment.setdefault("PODJOBS_GRACE_S", str(GRACE_S))
    _check(environment, state_dir, optional, own_redis=own_redis)
    return Configuration(state_dir, environment, ports, own_redis=own_redis, own_pod=own_pod, optional=optional)


def _pod_settings_file(given: Mapping[str, str]) -> set[str]:
    path = given.get(SETTINGS_FILE_VARIABLE)
    return {name for name, value in read_assignments(Path(path)).items() if value} if path else set()


def _check(environment: dict[str, str], state_dir: Path, optional: frozenset[str], *, own_redis: bool) -> None:
    """Load every settings class as its process will, look at folders and tools, and complete MEDIA_URL."""
    faults: list[str] = []
    loaded: dict[type[PodSettings], PodSettings] = {}
    kinds = [*SETTINGS_CLASSES, *(OPTIONAL[name][1] for name in sorted(optional))]
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
        faults += _folder_faults(Path(unquote(urlsplit(environment["MEDIA_URL"]).path)), state_dir)
        faults += _missing_tools({"FFMPEG_CMD": encoding.ffmpeg_cmd, "FFPROBE_CMD": encoding.ffprobe_cmd})
    adapter = loaded.get(AdapterSettings)
    if isinstance(adapter, AdapterSettings):
        slots = adapter.podjobs_concurrency_encoding
        environment.setdefault("PODJOBS_ENCODING_SLOTS", str(slots))
        environment.setdefault("PODJOBS_TRANSCRIPTION_SLOTS", str(adapter.podjobs_concurrency_transcription))
        environment[BROKER] = adapter.broker_url
        if adapter.xapi_celery_broker_url:
            environment["XAPI_CELERY_BROKER_URL"] = adapter.xapi_broker_url
        if adapter.podjobs_redis_url:
            environment["PODJOBS_REDIS_URL"] = adapter.jobs_url
    if own_redis and not shutil.which("redis-server"):
        faults.append(f"{BROKER}: is not set, and redis-server is not installed here. Set it or install redis-server.")
    if faults:
        raise SettingsError(
            "These settings are missing or wrong:\n" + "\n".join(f"  {f}" for f in dict.fromkeys(faults))
        )


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
        return [f"MEDIA_URL: {str(media_dir)!r} cannot be read and written by this user. Give it access to the folder."]
    return []


def _missing_tools(commands: Mapping[str, str]) -> list[str]:
    return [
        f"{name}: the command {command!r} is not found. Install it, or name its path."
        for name, command in commands.items()
        if not shutil.which(command)
    ]


def choose_ports(given: Mapping[str, str], remembered: Ports | None) -> Ports:
    """Find free ports.

    Args:
        given: the operator's settings; PODJOBS_HEALTH_PORT is kept to.
        remembered: ports of the last start, taken again where they are still free.
    """
    health = given.get("PODJOBS_HEALTH_PORT", "")
    wanted = dict.fromkeys((entry.name for entry in fields(Ports)), ANY_FREE_PORT) | (
        asdict(remembered) if remembered else {}
    )
    held = {name: _hold(port) for name, port in wanted.items()}
    ports = {name: sock.getsockname()[1] for name, sock in held.items()}
    for sock in held.values():
        sock.close()
    return Ports(**ports | ({"health": int(health)} if health.isdigit() and int(health) else {}))


def _hold(port: int) -> socket.socket:
    """Hold a port so that no two parts get the same; any free one when the wanted one is taken."""
    sock = socket.socket()
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        sock.bind(("127.0.0.1", port))
        sock.listen()
    except OSError:
        sock.close()
        if port == ANY_FREE_PORT:
            raise
        return _hold(ANY_FREE_PORT)
    return sock
