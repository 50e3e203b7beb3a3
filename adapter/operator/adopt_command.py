"""The command that writes a `.env` from Pod's own settings file."""

import os
import secrets
import uuid
from pathlib import Path

import click

from adapter.operator.adoption import Adoption, adopt_settings
from adapter.operator.terminal import EXIT_FAILURE, EXIT_USAGE, exit_with
from podjobs.pod_settings_file import UnreadableFileError, read_settings_file
from podjobs.secret_store.documents import setting_names

PRIVATE = 0o600


@click.command()
@click.argument("settings_file", type=click.Path(path_type=Path, dir_okay=False))
@click.option(
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path(".env"),
    show_default=True,
    help="The file to write; only its owner may read it.",
)
@click.option("--force", is_flag=True, help="Replace it if it exists.")
def adopt(settings_file: Path, output: Path, *, force: bool) -> None:
    """Write the settings file .env from Pod's SETTINGS_FILE, settings_local.py.

    That is read, never executed. Secrets are written to the file, and never printed. The exit status is 1 if something
    has to be added to the file, 2 if none was written.
    """
    try:
        found = read_settings_file(settings_file)
    except UnreadableFileError as error:
        exit_with(f"{settings_file} {str(error).rstrip('.')}.", EXIT_USAGE)
    adoption = adopt_settings(found, setting_names(), secrets.token_hex(32))
    title = f"# Written by `podjobs adopt` from {settings_file.name}. All settings: docs/settings.md."
    try:
        write_private(output, "\n".join([title, "", *adoption.lines]) + "\n", replace=force)
    except FileExistsError:
        exit_with(f"{output} exists. Give --force to replace it, or --output with another name.", EXIT_USAGE)
    except OSError as error:
        exit_with(f"{output} cannot be written: {error.strerror}. Give --output with another place.", EXIT_USAGE)
    _tell(adoption, output)
    raise SystemExit(EXIT_FAILURE if adoption.missing else 0)


def write_private(path: Path, text: str, *, replace: bool) -> None:
    """Write a file that only its owner may read, complete or not at all.

    Args:
        path: the file.
        text: its content.
        replace: whether it may exist.

    Raises:
        FileExistsError: it does.
        OSError: it cannot be written.
    """
    beside = path.with_name(f".{path.name}.{uuid.uuid4().hex}")
    descriptor = os.open(beside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, PRIVATE)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        if replace:
            beside.replace(path)
        else:
            path.hardlink_to(beside)  # which fails if there is one
    finally:
        beside.unlink(missing_ok=True)


def _tell(adoption: Adoption, output: Path) -> None:
    click.echo(f"{output} is written; only its owner may read it.")
    click.echo(f"Taken over: {', '.join(adoption.taken) or 'nothing'}.")
    for sentence in (*adoption.not_understood, *adoption.left):
        click.echo(sentence)
    if adoption.missing:
        click.echo(f"Missing: {', '.join(adoption.missing)}. Add them to {output}.")
    click.echo("If the media are mounted at another path here, set MEDIA_URL there. Then: scripts/podjobs check")
