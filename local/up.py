"""`scripts/up`: the stack in the foreground, until SIGTERM or Ctrl-C."""

import signal
import sys
import threading
import time
from pathlib import Path
from types import FrameType

from local.configuration import Configuration, configure, read_operator_settings
from local.lambda_service.emulator import emulator_binary
from local.ports import choose_ports, remembered_ports
from local.stack import Stack, StackError, hold_state
from local.transports import DELIVERY, Transport
from podjobs.contract.redaction import redact
from podjobs.contract.workflows import XAPI, all_functions
from podjobs.settings import SettingsError

EXIT_FAILURE, EXIT_USAGE = 1, 2
LOOK_S = 0.5
REMIND_S = 20.0


def up(state_dir: Path, env_file: Path) -> int:
    """Run the stack until a signal stops it.

    Args:
        state_dir: where it keeps its files.
        env_file: settings in addition to the environment.

    Returns:
        The exit status.
    """
    stopping = threading.Event()

    def stop(_signal: int, _frame: FrameType | None) -> None:
        stopping.set()

    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
        signal.signal(number, stop)
    try:
        with hold_state(state_dir):
            given = read_operator_settings(env_file)
            configuration = configure(state_dir, given, choose_ports(given, remembered_ports(state_dir)))
            _check_emulator(configuration)
            _introduce(configuration)
            _serve(Stack(configuration, _write_log), stopping)
    except SettingsError as error:
        _print(str(error))
        return EXIT_USAGE
    except (StackError, OSError) as error:
        _print(str(error))
        return EXIT_FAILURE
    return 0


def _serve(stack: Stack, stopping: threading.Event) -> None:
    ready, remind_at = False, time.monotonic() + REMIND_S
    try:
        stack.start()
        while not stopping.wait(LOOK_S if ready else LOOK_S / 2):
            stack.look_after()
            if ready:
                continue
            missing = stack.missing()
            if not missing:
                ready = True
                print("ready", flush=True)
            elif time.monotonic() > remind_at:
                remind_at += REMIND_S
                _print(f"Not ready yet: no answer from {', '.join(missing)}. The lines above may say why.")
    finally:
        stack.stop()


def _check_emulator(configuration: Configuration) -> None:
    if configuration.transport is Transport.LAMBDA and not emulator_binary().exists():
        raise SettingsError(f"{DELIVERY}: AWS Lambda's emulator is not installed. Run scripts/setup --lambda.")


def _introduce(configuration: Configuration) -> None:
    """Print which embedded parts stand in for what is not set."""
    if configuration.own_redis:
        _print(
            f"ENCODING_TRANSCODING_CELERY_BROKER_URL is not set: Redis runs here, as {configuration.broker_url} "
            f"(this machine only), with its data in {configuration.state_dir}."
        )
    if configuration.own_pod:
        _print("POD_API_URL is not set: a stand-in answers the calls that Pod would receive.")
    for function in all_functions():
        if not configuration.runs(function):
            _print(
                f"{function.enabled_by} is not set: the queue {function.queue} is not read. "
                "Leave Pod's worker of that queue running."
            )
    if configuration.runs(XAPI):
        broker = configuration.environment.get("XAPI_CELERY_BROKER_URL", configuration.broker_url)
        lrs = redact(configuration.environment.get("XAPI_LRS_URL", "the LRS of a secret"))
        _print(f"xAPI statements of the queue {XAPI.queue} in {redact(broker)} go to {lrs}.")
    media = configuration.media_dir or configuration.environment["MEDIA_URL"]
    _print(f"Media root: {media} (Pod calls it {configuration.environment['MEDIA_ROOT']}).")
    if not configuration.makes_media_dir and (obstacle := configuration.find_media_obstacle()):
        _print(obstacle)


def _print(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def _write_log(line: bytes) -> None:
    sys.stderr.buffer.write(line)
    sys.stderr.buffer.flush()
