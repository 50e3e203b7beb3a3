"""`python -m local`: what scripts/run, scripts/up and scripts/podjobs call."""

import os
import sys
from pathlib import Path
from typing import Any, NoReturn

import click

from adapter.door.celery_studio import LAYOUT_HELP, LAYOUTS
from local.configuration import configure, pod_settings, read_operator_settings
from local.demonstration import Demonstration
from local.environments import adapter_environment, command_environment, plain_environment, worker_environment
from local.functions import SETTINGS
from local.ports import choose_ports, remembered_ports
from local.programs import REPOSITORY
from local.recording import Recorded
from local.run import run
from local.stack import running_environment
from local.transports import Transport
from local.up import EXIT_USAGE, up
from podjobs.logs import configure_logs
from podjobs.settings import SettingsError

state_option = click.option(
    "--state",
    "state_dir",
    type=click.Path(path_type=Path, file_okay=False, resolve_path=True),
    default=REPOSITORY / ".podjobs",
    show_default=".podjobs in the repository",
    help="Folder for the stack's data: the embedded Redis, the embedded media root.",
)
env_file_option = click.option(
    "--env-file",
    type=click.Path(path_type=Path),
    default=REPOSITORY / ".env",
    show_default=".env in the repository",
    help="File of NAME=value lines; the environment takes precedence.",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def local() -> None:
    """Run everything on one machine."""
    # what concerns the person at the terminal is printed, and stdout belongs to that
    configure_logs("local", "CRITICAL")


@local.command("up")
@state_option
@env_file_option
def up_command(state_dir: Path, env_file: Path) -> None:
    """Accept jobs from a real Pod, in the foreground; prints `ready` once it does."""
    sys.exit(up(state_dir, env_file))


@local.command("run")
@click.argument("videos", metavar="[VIDEO]", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--cut", type=(float, float), metavar="START END", default=(0, 0), help="Only encode this part (seconds)."
)
@click.option(
    "--studio",
    "is_studio",
    is_flag=True,
    help="VIDEO is a recording of Pod's studio, PRESENTATION [PRESENTER]: compose it, then encode the result.",
)
@click.option("--layout", type=click.Choice([*LAYOUTS, "alone"]), default="mid", show_default=True, help=LAYOUT_HELP)
@click.option("--start", "start_s", type=click.FloatRange(min=0), help="With --studio: leave out what is before, in s.")
@click.option("--end", "end_s", type=click.FloatRange(min=0), help="With --studio: leave out what is after, in s.")
@click.option("--transcribe", "language", metavar="LANGUAGE", default="", help="Transcribe it, too: en, fr, … or auto.")
@click.option("--s3", "on_s3", is_flag=True, help="Keep the media in a bucket of a local S3 server, not in a folder.")
@click.option(
    "--delivery",
    type=click.Choice([transport.value for transport in Transport]),
    default=Transport.HTTP.value,
    show_default=True,
    help="How steps reach the functions: over HTTP, through RQ, or as AWS Lambda does.",
)
@click.option(
    "--door",
    type=click.Choice(["celery", "runner"]),
    default="celery",
    show_default=True,
    help="How it is requested: by Celery messages, or through the runner API, as Pod from 4.2 on does.",
)
@click.option("--output", type=click.Path(path_type=Path), help="Folder for the result.  [default: ./demo/<name>]")
@click.option("--no-open", is_flag=True, help="Print the result and stop, instead of serving a page that plays it.")
def run_command(  # noqa: PLR0913, PLR0917 - one for each option
    videos: tuple[Path, ...],
    cut: tuple[float, float],
    language: str,
    delivery: str,
    door: str,
    output: Path | None,
    *,
    on_s3: bool,
    no_open: bool,
    is_studio: bool,
    **studio: Any,
) -> None:
    """Encode VIDEO, or a sample, and show what was made."""
    recording = _read_recording(videos, studio) if is_studio else None
    if recording and (any(cut) or language):
        raise click.UsageError("With --studio, say --start and --end in place of --cut; --transcribe is not possible.")
    if not is_studio and (len(videos) > 1 or studio["start_s"] or studio["end_s"]):
        raise click.UsageError("Name one VIDEO, or say --studio; --start and --end are for --studio, --cut for others.")
    if is_studio and door == "runner":
        raise click.UsageError("--studio is not possible with --door runner: Pod describes recordings otherwise there.")
    wanted = Demonstration(
        None if is_studio else next(iter(videos), None),
        cut,
        output,
        shows_page=not no_open,
        language=language,
        on_s3=on_s3,
        transport=Transport(delivery),
        recording=recording,
        through_runner=door == "runner",
    )
    sys.exit(run(wanted))


def _read_recording(videos: tuple[Path, ...], studio: dict[str, Any]) -> Recorded:
    if len(videos) not in {1, 2}:
        raise click.UsageError("--studio takes one or two files: what was shown, and who spoke.")
    start_s, end_s = studio["start_s"] or 0.0, studio["end_s"]
    if end_s is not None and end_s <= start_s:
        raise click.UsageError(f"From {start_s:g} s to {end_s:g} s nothing is left: the end must be after the start.")
    presenter = videos[1] if videos[1:] else None
    return Recorded(videos[0], presenter, studio["layout"], start_s, end_s)


@local.command("podjobs", context_settings={"ignore_unknown_options": True, "help_option_names": []})
@state_option
@env_file_option
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def podjobs_command(state_dir: Path, env_file: Path, arguments: tuple[str, ...]) -> None:
    """Run one of the adapter's commands with the settings of `up`."""
    if arguments[:1] == ("adopt",):
        _become_adapter(arguments, dict(os.environ))  # it writes the settings
    try:
        given = read_operator_settings(env_file)
        if arguments[:1] == ("worker",):
            _become_adapter(arguments, _worker_environment(arguments, given))
        configuration = configure(state_dir, given, remembered_ports(state_dir) or choose_ports(given))
    except SettingsError as error:
        click.echo(str(error), err=True)
        sys.exit(EXIT_USAGE)
    # a secret that was made up at the start is known to the stack that runs
    given = configuration.handed_on | running_environment(state_dir, "adapter")
    if arguments[:1] == ("run",):
        _become_adapter(arguments, adapter_environment(given))
    environment = command_environment(os.environ, given, "".join(arguments[:1]))
    _become_adapter(arguments, environment)


def _worker_environment(arguments: tuple[str, ...], given: dict[str, str]) -> dict[str, str]:
    """That of a server that has nothing but workers: what is not set is not made up."""
    names = [name for name in arguments[1:2] if name in SETTINGS]
    given = pod_settings(given) | given
    return worker_environment(names[0], given) if names else plain_environment(given)


def _become_adapter(arguments: tuple[str, ...], environment: dict[str, str]) -> NoReturn:
    os.execve(  # noqa: S606 - the same Python, our own module
        sys.executable, [sys.executable, "-m", "adapter", *arguments], environment
    )


if __name__ == "__main__":
    local(prog_name="python -m local")
