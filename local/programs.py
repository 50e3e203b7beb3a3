"""The programs of the stack and the supervisord configuration that runs them. Pure."""

import sys
from dataclasses import dataclass, field
from pathlib import Path

from local.configuration import Configuration
from local.environments import (
    RQ_URL,
    adapter_environment,
    function_environment,
    lambda_adapter_environment,
    lambda_service_environment,
    object_store_environment,
    plain_environment,
    stand_in_environment,
    worker_environment,
)
from local.lambda_service.functions import LONGEST_TIMEOUT_S, LambdaFunction
from local.object_store import BUCKET, server_argv, server_binary, server_dir, server_ports
from local.ports import LAMBDA, POD, REDIS, S3
from local.processes import bound_to_parent
from local.transports import Transport
from podjobs.contract.workflows import Function
from podjobs.settings import SettingsError

REPOSITORY = Path(__file__).resolve().parents[1]
LIBRARY = REPOSITORY / "layers" / "podjobs" / "python"
PYTHONPATH = f"{REPOSITORY}:{LIBRARY}"
LAUNCHER = (sys.executable, "-I", "-S", str(Path(__file__).with_name("launcher.py")))
"""The command that starts a program in its own environment; the file with the environment and the program follow."""
SPARE_THREADS = 8
"""Threads of a function beyond its slots: for health checks, and to answer «busy» immediately."""
OTHER_SLOTS = 16
"""Slots of the functions that wait for others most of the time: the default of their settings."""

LAMBDA_TIMEOUT = "LAMBDA_TIMEOUT_S"
"""A setting of scripts/up: the time-out of all functions in the Lambda service, in whole seconds. Unset: Lambda's
longest, as the adapter does not wait for longer than a step may take anyway."""

# Stopping: the adapter first, so that it gives back its entries; then the functions; Redis and the S3 server last, once
# all is written.
STORAGE_ORDER, WORK_ORDER, ADAPTER_ORDER = 1, 2, 3
ADAPTER_STOP_S, WORK_STOP_S, STORAGE_STOP_S = 5, 1, 2
"""Seconds from SIGTERM to SIGKILL; together less than the 10 s within which the stack must be gone."""
OBJECT_STORE_STOP_S = 1
"""It takes longer than we have. What it has stored is on disk, and is removed after the demonstration."""


@dataclass(frozen=True)
class Program:
    """One program and how it is kept running."""

    name: str
    argv: tuple[str, ...]
    order: int
    """Started in this order, stopped in the reverse."""
    stop_s: int
    environment: dict[str, str] = field(default_factory=dict, repr=False)
    """All of it. May contain secrets: never written to supervisord's configuration, which anybody may read."""


def programs_of(configuration: Configuration) -> tuple[Program, ...]:
    """List what to run."""
    programs = [_redis(configuration)] if configuration.own_redis else []
    if configuration.own_object_store:
        programs.append(_object_store(configuration))
    if configuration.own_pod:
        programs.append(_pod(configuration))
    given = configuration.handed_on | {"PYTHONPATH": PYTHONPATH}
    if configuration.transport is Transport.LAMBDA:
        programs.append(_lambda_service(configuration, given))
    else:
        make = _workers if configuration.transport is Transport.RQ else _function
        programs += [make(function, configuration, given) for function in configuration.functions]
    argv = (sys.executable, "-m", "adapter", "run")
    own = lambda_adapter_environment if configuration.transport is Transport.LAMBDA else adapter_environment
    programs.append(Program("adapter", argv, ADAPTER_ORDER, ADAPTER_STOP_S, own(given)))
    return tuple(programs)


def redis_dir(configuration: Configuration) -> Path:
    """Where the embedded Redis keeps its data."""
    return configuration.state_dir / "redis"


def _redis(configuration: Configuration) -> Program:
    # An append-only file, written before the answer: nothing that was accepted is lost when redis-server is killed.
    # With `everysec`, the default, it answers first while its disk is busy, and up to two seconds may be lost.
    argv: tuple[str, ...] = ("redis-server", "--bind", "127.0.0.1", "--port", str(configuration.ports[REDIS]))
    argv += ("--dir", str(redis_dir(configuration)), "--save", "")
    argv += ("--appendonly", "yes", "--appendfsync", "always")
    return Program("redis", argv, STORAGE_ORDER, STORAGE_STOP_S, plain_environment(configuration.environment))


def _object_store(configuration: Configuration) -> Program:
    folder, ports = server_dir(configuration.state_dir), server_ports(configuration.ports)
    argv = tuple(server_argv(str(server_binary()), folder, ports, BUCKET))
    return Program(S3, argv, STORAGE_ORDER, OBJECT_STORE_STOP_S, object_store_environment(configuration.environment))


def _pod(configuration: Configuration) -> Program:
    argv: tuple[str, ...] = (sys.executable, "-m", "local.pod", "--port", str(configuration.ports[POD]))
    environment = stand_in_environment(configuration.environment) | {"PYTHONPATH": PYTHONPATH}
    return Program("pod", argv, WORK_ORDER, WORK_STOP_S, environment)


def _function(function: Function, configuration: Configuration, given: dict[str, str]) -> Program:
    name = function.name
    slots = int(given.get(f"PODJOBS_{name.upper()}_SLOTS", OTHER_SLOTS))
    # twice the slots: steps of an adapter that died still run while its successor delivers them again
    environment = function_environment(name, given) | {"THREADS": str(2 * slots + SPARE_THREADS)}
    argv: tuple[str, ...] = (
        str(Path(sys.executable).with_name("functions-framework")),
        "--source",
        str(_source(name)),
        "--target",
        "handle",
    )
    argv += ("--signature-type", "http", "--host", "127.0.0.1", "--port", str(configuration.ports[name]))
    return Program(name, argv, WORK_ORDER, WORK_STOP_S, environment)


def _workers(function: Function, configuration: Configuration, given: dict[str, str]) -> Program:
    name = function.name
    # the adapter stops before them, and has given the steps their time
    own = {RQ_URL: configuration.rq_url, "PODJOBS_WORKER_GRACE_S": "0"}
    argv: tuple[str, ...] = (sys.executable, "-m", "podjobs.entry.rq", "--source", str(_source(name)))
    # where nobody says how many, the function knows: as many as there are processors, or fewer if each needs a model
    if count := given.get(f"PODJOBS_CONCURRENCY_{name.upper()}", function.concurrency):
        argv += ("--concurrency", str(count))
    return Program(name, argv, WORK_ORDER, WORK_STOP_S, worker_environment(name, given | own))


def _lambda_service(configuration: Configuration, given: dict[str, str]) -> Program:
    environment = lambda_service_environment(given)
    timeout_s = _lambda_timeout_s(given)
    for function in configuration.functions:
        name = function.name
        one = LambdaFunction(
            name=name,
            source=_source(name).parent,
            concurrency=int(given[f"PODJOBS_CONCURRENCY_{name.upper()}"]),
            timeout_s=timeout_s,
            environment=function_environment(name, given),
        )
        environment |= one.as_variable()
    folder = configuration.state_dir / LAMBDA
    argv = (sys.executable, "-m", "local.lambda_service", "--port", str(configuration.ports[LAMBDA]))
    environment["PYTHONPATH"] = PYTHONPATH
    return Program(LAMBDA, (*argv, "--folder", str(folder)), WORK_ORDER, WORK_STOP_S, environment)


def _lambda_timeout_s(given: dict[str, str]) -> int:
    text = given.get(LAMBDA_TIMEOUT, str(LONGEST_TIMEOUT_S))
    if not text.isdecimal() or not 1 <= int(text) <= LONGEST_TIMEOUT_S:
        raise SettingsError(f"{LAMBDA_TIMEOUT}: {text!r} is no time-out. Write seconds, 1 to {LONGEST_TIMEOUT_S}.")
    return int(text)


def _source(name: str) -> Path:
    return REPOSITORY / "functions" / name / "main.py"


def environment_file(folder: Path, program: Program) -> Path:
    """Where a program's environment is kept, as JSON."""
    return folder / f"{program.name}.json"


def supervisord_conf(programs: tuple[Program, ...], environments: Path, *, as_root: bool) -> str:
    """Write supervisord's configuration.

    Args:
        programs: what to run.
        environments: the folder of their environments.
        as_root: the user is root, which supervisord requires to be stated.
    """
    lines = [
        "[supervisord]",
        "nodaemon=true",
        "logfile=/dev/null",
        "logfile_maxbytes=0",
        "pidfile=%(here)s/supervisord.pid",
    ]
    if as_root:
        lines.append("user=root")
    for order in (STORAGE_ORDER, WORK_ORDER, ADAPTER_ORDER):
        members = [program for program in programs if program.order == order]
        if members:
            names = ",".join(program.name for program in members)
            # the programs of a group stop together, the groups one after another
            lines += ["", f"[group:{_GROUPS[order]}]", f"programs={names}", f"priority={order}"]
        for program in members:
            lines += ["", *_program_section(program, environment_file(environments, program))]
    return "\n".join(lines) + "\n"


_GROUPS = {STORAGE_ORDER: "storage", WORK_ORDER: "work", ADAPTER_ORDER: "dispatch"}


def _program_section(program: Program, environment: Path) -> list[str]:
    return [
        f"[program:{program.name}]",
        f"command={_command_line((*bound_to_parent(), *LAUNCHER, str(environment), *program.argv))}",
        "autorestart=true",
        "startsecs=1",
        # endlessly, each time a second later: what is down today may be back tomorrow
        "startretries=1000000",
        f"stopwaitsecs={program.stop_s}",
        "stopasgroup=true",
        "killasgroup=true",
        "redirect_stderr=true",
        "stdout_logfile=/dev/stdout",
        "stdout_logfile_maxbytes=0",
    ]


def _command_line(argv: tuple[str, ...]) -> str:
    """Quote for supervisord: it splits like a shell, expands `%`, and takes ` ;` and ` #` for comments."""
    return " ".join('"' + _escaped(part) + '"' for part in argv)


def _escaped(part: str) -> str:
    quoted = part.replace("\\", "\\\\").replace('"', '\\"').replace("%", "%%")
    return quoted.replace(" ;", ' "";').replace(" #", ' ""#')  # the quotes close and open again
