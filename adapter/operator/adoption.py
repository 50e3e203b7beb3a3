"""What Pod's settings file means for us: the lines of a `.env` file, and what an administrator has to add. Pure."""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from podjobs.pod_settings_file import PodSettingsFile

BROKER, MODELS, ENGINE = "ENCODING_TRANSCODING_CELERY_BROKER_URL", "TRANSCRIPTION_MODEL_PARAM", "TRANSCRIPTION_TYPE"
SECRET = "PODJOBS_FUNCTION_SECRET"  # noqa: S105 - a name
HERE = frozenset({"MEDIA_URL"})
"""Settings of ours whose names mean something else in Pod's file: there, it is Django's URL of the media."""
COMMENTS = {
    BROKER: "Where Pod puts its requests. The adapter reads them there.",
    "XAPI_CELERY_BROKER_URL": "Where Pod puts xAPI statements, if not there, too.",
    "MEDIA_ROOT": "Pod's media root, as the Pod server sees it.",
    "POD_API_URL": "Pod's REST interface, which is told of results.",
    "POD_API_TOKEN": "API token of a Pod user who is staff.",
    "VIDEO_RENDITIONS": "What is made of each video. Pod needs a row (video renditions) for each of them.",
    MODELS: "The speech models. Their folders must be on the servers that transcribe.",
    ENGINE: "The transcription engine.",
    "XAPI_LRS_URL": "The LRS that statements are posted to.",
    "XAPI_LRS_LOGIN": "Login for the LRS.",
    "XAPI_LRS_PWD": "Password for the LRS.",
    "XAPI_ANONYMIZE_ACTOR": "Whether persons become pseudonyms; needs PODJOBS_XAPI_ANONYMIZE_KEY here.",
    "FFMPEG_CMD": "The ffmpeg command, as Pod's workers have it. It must exist on the servers that encode.",
    "FFPROBE_CMD": "The ffprobe command, likewise.",
}
"""What is said of a setting, in the order of the file; the others follow."""
REQUIRED = (BROKER, "MEDIA_ROOT", "POD_API_URL", "POD_API_TOKEN")
EXAMPLES = {
    BROKER: "redis://redis.example.org:6379/5",
    "MEDIA_ROOT": "/data/www/pod/media",
    "POD_API_URL": "https://pod.example.org/rest",
    "POD_API_TOKEN": "",
}
WHERE_FROM = {
    BROKER: "Without it, Pod encodes by itself: set it there, too.",
    "MEDIA_ROOT": "Where Pod's media are, as the Pod server sees them.",
    "POD_API_URL": "Pod's address, with /rest.",
    "POD_API_TOKEN": "Make one in Pod's administration (Auth Token), for a user who is staff.",
}
_PLAIN = re.compile(r"[A-Za-z0-9_./:@%+,=?&~-]+")
_LOCAL = re.compile(r"localhost|127\.|\*|\.")
"""How hosts begin that are no addresses of Pod for others."""


@dataclass
class Adoption:
    """What becomes of Pod's file."""

    lines: list[str] = field(default_factory=list, repr=False)
    """Of the `.env` file; with secrets."""
    taken: list[str] = field(default_factory=list)
    """Names of settings that were taken over."""
    not_understood: list[str] = field(default_factory=list)
    """Sentences about settings whose values are computed."""
    left: list[str] = field(default_factory=list)
    """Sentences about settings that were not taken over for another reason."""
    missing: list[str] = field(default_factory=list)
    """Names of settings without which nothing works."""


def adopt_settings(file: PodSettingsFile, known: frozenset[str], secret: str) -> Adoption:
    """Make a `.env` of Pod's file.

    Args:
        file: what it says.
        known: the names of all settings of ours.
        secret: one for adapter and functions, made up, in case that the file has none.
    """
    adoption = Adoption()
    values = {name: value for name, value in file.values.items() if name in known and value not in (None, "")}
    for name in HERE & values.keys():
        del values[name]
    _leave_other_engines(values, adoption)
    values.setdefault(SECRET, secret)
    order = [*COMMENTS, *sorted(values.keys() - COMMENTS.keys())]
    for name in order:
        if name in values:
            adoption.taken.append(name)
            adoption.lines += _written(name, values[name])
        elif name in file.computed:
            _note_computed(name, file.computed[name], adoption)
        elif name in REQUIRED:
            adoption.missing.append(name)
            adoption.lines += [f"# Missing. {WHERE_FROM[name]}", f"#{name}={_suggested(name, file.values)}", ""]
    for name in sorted((file.computed.keys() & known) - COMMENTS.keys() - HERE):
        _note_computed(name, file.computed[name], adoption)
    adoption.lines += _about_mounts(file.values)
    adoption.left += _about_pod(file)
    if SECRET not in file.values:
        adoption.taken.remove(SECRET)
    return adoption


def _leave_other_engines(values: dict[str, Any], adoption: Adoption) -> None:
    """Leave out what is for Pod's other engines: without models, the queue `transcripting` is left to Pod's worker."""
    engine, models = str(values.get(ENGINE, "WHISPER")), values.get(MODELS)
    if engine.upper() == "WHISPER" and (models is None or (isinstance(models, dict) and models.get("WHISPER"))):
        return
    for name in (ENGINE, MODELS):
        values.pop(name, None)
    adoption.left.append(
        f"{MODELS} names no models for WHISPER ({ENGINE} is {engine}): the queue transcripting is left to Pod's own "
        "worker. To move it, name a Whisper model."
    )


def _note_computed(name: str, line: int, adoption: Adoption) -> None:
    adoption.not_understood.append(f"{name} is computed in line {line}. Write its value into the file.")
    if name in REQUIRED:
        adoption.missing.append(name)
    adoption.lines += [f"# Computed in line {line} of Pod's file: write its value here.", f"#{name}=", ""]


def _written(name: str, value: Any) -> list[str]:
    comment = COMMENTS.get(name, "")
    if name == SECRET:
        comment = "Shared by adapter and functions, which answer nobody else. The same on all servers."
    return [*([f"# {comment}"] if comment else []), f"{name}={quoted(as_text(value))}", ""]


def as_text(value: Any) -> str:
    """Write a literal as settings are read from an environment: JSON, unless it is text."""
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def quoted(text: str) -> str:
    """Write a value of a `.env` file so that nothing in it is special."""
    if _PLAIN.fullmatch(text):
        return text
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


def _suggested(name: str, values: Mapping[str, Any]) -> str:
    """An example, with Pod's own address if it is known."""
    host = _host(values)
    return f"https://{host}/rest" if name == "POD_API_URL" and host else EXAMPLES[name]


def _host(values: Mapping[str, Any]) -> str:
    hosts = values.get("ALLOWED_HOSTS")
    named = [host for host in hosts if isinstance(host, str)] if isinstance(hosts, list | tuple) else []
    return next((host for host in named if not _LOCAL.match(host)), "")


def _about_mounts(values: Mapping[str, Any]) -> list[str]:
    path = values.get("MEDIA_URL")
    path = path.strip("/") if isinstance(path, str) and path.startswith("/") else "media"
    site = _host(values) or "pod.example.org"
    return [
        "# The media root as this server has mounted it, if not at the same path; or s3://bucket/prefix.",
        "#MEDIA_URL=file:///mnt/pod-media",
        "",
        "# Where Pod's web server shows the media: `podjobs check` looks there whether Pod sees what is written.",
        f"#POD_MEDIA_URL=https://{site}/{path}",
    ]


def _about_pod(file: PodSettingsFile) -> Iterator[str]:
    """What the file says about Pod itself that matters here."""
    remote = file.values.get("USE_REMOTE_ENCODING_TRANSCODING")
    if not remote and "USE_REMOTE_ENCODING_TRANSCODING" not in file.computed:
        yield "USE_REMOTE_ENCODING_TRANSCODING is not True in this file: if Pod runs with it, it encodes by itself."
    if "CELERY_BROKER_URL" in file.values and BROKER not in file.values:
        yield f"CELERY_BROKER_URL is not taken for {BROKER}: it is for Pod's own tasks."
