"""The environment of each program of the stack: its own settings, and what every program needs. Pure.

What is not listed here stays with whoever starts the stack: a token, a password or a key reaches the program that uses
it, and no other.
"""

from collections.abc import Iterable, Mapping

from adapter.media_root_settings import MediaRootSettings
from adapter.operation_settings.alerts import AlertSettings
from adapter.operation_settings.prices import PriceSettings
from adapter.record_settings import RecordSettings
from adapter.runner_settings import RunnerClientSettings
from adapter.settings import adapter_settings
from local.functions import SETTINGS
from local.lambda_service.clients import client_environment, service_credentials
from local.object_store import ACCESS_KEY, JWT_KEYS, SECRET_KEY
from podjobs.entry.rq.settings import WorkerSettings
from podjobs.language_settings import LanguageSettings
from podjobs.secret_store.references import VARIABLE, names_aws
from podjobs.settings import SETTINGS_FILE_VARIABLE, EndpointSettings, MediaSettings, PodSettings

EVERY_PROGRAM = frozenset({
    "HOME", "LANG", "LANGUAGE", "LOGNAME", "PATH", "SHELL", "TEMP", "TMP", "TMPDIR", "TZ", "USER", "VIRTUAL_ENV",
})  # fmt: skip
EVERY_PROGRAM_PREFIXES = ("LC_", "LD_", "MALLOC_", "PYTHON", "POD_FUNCTIONS_")
"""The last is for marks by which whoever starts a stack finds its processes again."""
PROXIES = frozenset({"ALL_PROXY", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY"})
PROXY_EXCEPTIONS = ("NO_PROXY", "no_proxy")
CERTIFICATES = frozenset({"SSL_CERT_DIR", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"})
OUTWARD = PROXIES | {name.lower() for name in PROXIES} | CERTIFICATES
"""For programs that open connections beyond this machine's stack. A proxy's URL may contain a login."""
MODEL_PREFIXES = ("CT2_", "CUDA_", "HF_", "HUGGINGFACE_", "MKL_", "NVIDIA_", "OMP_", "XDG_CACHE_")
"""For speech models: where they are kept, how they are loaded and computed."""
OUTWARD_FUNCTIONS = frozenset({"notification", "transcription", "xapi"})
"""Functions that reach Pod, Hugging Face or the LRS."""
FETCHING_FUNCTIONS = frozenset({"encoding"})
"""Functions that fetch files from web servers; directly, as a proxy would hide which addresses these have."""
MODEL_FUNCTIONS = frozenset({"transcription"})
STAND_IN_SETTINGS = frozenset({"ENCODING_TRANSCODING_CELERY_BROKER_URL", "POD_API_TOKEN", "VIDEO_RENDITIONS"})
"""What the stand-in for Pod reads, beside where the media are."""
RQ_URL = "PODJOBS_RQ_URL"
"""Where the queues of RQ are. Of the three settings that may say so, workers are given this one alone."""
"""For pools of RQ workers."""
AWS_PREFIXES = ("AWS_", "BOTO_")
"""For programs that reach media on an object storage, or secrets in AWS: how boto3 finds credentials, certificates and
regions. Files of the user are found by HOME, which every program has. Source: boto3's guides «Credentials» and
«Configuration»."""
FUNCTION_URL, LAMBDA = "PODJOBS_FUNCTION_URL_", "lambda:"
"""How settings begin that say where functions are, and their values if these are on AWS Lambda."""
TRACE_PREFIXES = ("OTEL_",)
"""For programs that send spans: how OpenTelemetry's library is configured. Its headers may contain a token."""
CALLING_COMMAND = "check"
"""The command that calls functions as the adapter does, and needs what the adapter has."""
SETTINGS_OF_COMMANDS: Mapping[str, tuple[type[PodSettings], ...]] = {
    "cost": (PriceSettings,),
    "mail-test": (AlertSettings,),
    "runner-client": (RunnerClientSettings,),
    "show": (LanguageSettings,),
    "job": (LanguageSettings,),
    "submit": (MediaRootSettings,),
}
"""What commands read beside where jobs and messages are."""
RUNNER_PORT = "PODJOBS_RUNNER_PORT"
"""With it, the adapter serves results: it alone of all that it does reads media."""
OBJECT_STORAGE_URL = "s3://"
"""How MEDIA_URL begins if media are on an object storage."""


def names_of(kind: type[PodSettings]) -> frozenset[str]:
    """The names of the settings of a class, as in the environment."""
    return frozenset(name.upper() for name in kind.model_fields)


def all_settings() -> frozenset[str]:
    """The names of all settings that any program reads."""
    return frozenset().union(names_of(adapter_settings()), names_of(WorkerSettings), *map(names_of, SETTINGS.values()))


def plain_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of a program that has no settings.

    Args:
        given: the operator's environment and settings.
    """
    return _select(given, EVERY_PROGRAM, EVERY_PROGRAM_PREFIXES)


def adapter_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The adapter's environment; Redis may be on another machine."""
    names = EVERY_PROGRAM | CERTIFICATES | names_of(adapter_settings())
    invokes_lambda = any(name.startswith(FUNCTION_URL) and url.startswith(LAMBDA) for name, url in given.items())
    aws = _select(given, OUTWARD, AWS_PREFIXES) if invokes_lambda else {}
    media = media_environment(given) if given.get(RUNNER_PORT, "0") != "0" else {}
    prefixes = EVERY_PROGRAM_PREFIXES + TRACE_PREFIXES
    return _select(given, names, prefixes) | aws | media | secrets_environment(given)


def lambda_adapter_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The adapter's environment where it invokes the functions of the Lambda service."""
    return adapter_environment(given) | client_environment(given)


def lambda_service_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of the Lambda service, without the functions that it runs."""
    return plain_environment(given) | service_credentials(given)


def function_environment(name: str, given: Mapping[str, str]) -> dict[str, str]:
    """A function's environment."""
    names = EVERY_PROGRAM | names_of(SETTINGS[name])
    if name in OUTWARD_FUNCTIONS:
        names |= OUTWARD
    if name in FETCHING_FUNCTIONS:
        names |= CERTIFICATES
    models = MODEL_PREFIXES if name in MODEL_FUNCTIONS else ()
    prefixes = EVERY_PROGRAM_PREFIXES + TRACE_PREFIXES + models
    environment = _select(given, names, prefixes) | secrets_environment(given)
    return environment | (media_environment(given) if issubclass(SETTINGS[name], MediaSettings) else {})


def worker_environment(name: str, given: Mapping[str, str]) -> dict[str, str]:
    """The environment of the workers of a function: the function's, and where their queue is."""
    own = names_of(WorkerSettings)
    if given.get(RQ_URL):  # then no other Redis matters
        own -= {name for name in own if name.endswith("_URL")} - {RQ_URL}
    return function_environment(name, given) | _select(given, CERTIFICATES | own, ())


def stand_in_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of the stand-in for Pod."""
    names = EVERY_PROGRAM | CERTIFICATES | STAND_IN_SETTINGS
    return _select(given, names, EVERY_PROGRAM_PREFIXES) | media_environment(given)


def media_environment(given: Mapping[str, str]) -> dict[str, str]:
    """What whoever opens the media needs: where they are and, if that is an object storage, what its client reads.

    Args:
        given: the operator's environment and settings.
    """
    names = EVERY_PROGRAM | (names_of(MediaSettings) - names_of(EndpointSettings))
    if not given.get("MEDIA_URL", "").startswith(OBJECT_STORAGE_URL):
        return _select(given, names, EVERY_PROGRAM_PREFIXES)
    return _select(given, names | OUTWARD, EVERY_PROGRAM_PREFIXES + AWS_PREFIXES)


def secrets_environment(given: Mapping[str, str]) -> dict[str, str]:
    """What whoever reads settings from AWS Secrets Manager needs besides: credentials, region, certificates, proxies.

    Args:
        given: the operator's environment and settings.
    """
    return _select(given, OUTWARD, AWS_PREFIXES) if names_aws(given.get(VARIABLE, "")) else {}


def object_store_environment(given: Mapping[str, str]) -> dict[str, str]:
    """The environment of the embedded S3 server: the credentials that it accepts, and the keys of its inner parts."""
    return plain_environment(given) | _select(given, {ACCESS_KEY, SECRET_KEY} | JWT_KEYS, ())


def command_environment(inherited: Mapping[str, str], given: Mapping[str, str], command: str = "") -> dict[str, str]:
    """The environment of an operator's command: that of the terminal, with the settings of such commands alone.

    Args:
        inherited: the environment of the terminal.
        given: the operator's environment and settings.
        command: its name; some have more settings than others.
    """
    calls_functions = command == CALLING_COMMAND
    more = (adapter_settings(),) if calls_functions else SETTINGS_OF_COMMANDS.get(command, ())
    own = names_of(RecordSettings).union(*map(names_of, more))
    foreign = all_settings() | {SETTINGS_FILE_VARIABLE}
    kept = {
        name: value for name, value in inherited.items() if name not in foreign and not name.startswith(AWS_PREFIXES)
    }
    calling = client_environment(given) if calls_functions else {}
    return kept | _select(given, own, ()) | secrets_environment(given) | calling


def _select(given: Mapping[str, str], names: Iterable[str], prefixes: tuple[str, ...]) -> dict[str, str]:
    wanted = frozenset(names)
    return {name: value for name, value in given.items() if name in wanted or name.startswith(prefixes)}
