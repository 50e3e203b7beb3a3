"""The command that makes a token for a client of the runner API."""

import json

import click

from adapter.door.runner.clients import NewToken
from adapter.operator.terminal import EXIT_USAGE, exit_with, settings_or_exit
from adapter.runner_settings import CLIENT_NAME, RunnerClient, RunnerClientSettings

SETTING = "PODJOBS_RUNNER_CLIENTS"


@click.command("runner-client")
@click.argument("name", metavar="NAME")
@click.option("--host", "hosts", multiple=True, required=True, help="Where it may be called back; may be repeated.")
@click.option("--source-host", "sources", multiple=True, help="Where its files are, if elsewhere; may be repeated.")
@click.option("--private", is_flag=True, help="These hosts may be addresses of the local network.")
def runner_client(name: str, hosts: tuple[str, ...], sources: tuple[str, ...], *, private: bool) -> None:
    """Make a token for NAME, a Pod that hands tasks over through HTTP, and write the setting that lets it in.

    The token is shown once: put it into Pod, at the runner manager with the URL of this adapter. Nothing is changed
    here: put the line into the adapter's settings, and restart it. A client that is there already gets one more token;
    remove the earlier one once Pod has the new one.
    """
    known = settings_or_exit(RunnerClientSettings).podjobs_runner_clients
    made = NewToken.make()
    given: dict[str, object] = {"token_sha256": [made.digest], "notify_hosts": hosts}
    given |= {"source_hosts": sources} if sources else {}
    given |= {"private": True} if private else {}
    if name in known:
        given["token_sha256"] = [*known[name].token_sha256, made.digest]
    try:
        client = RunnerClientSettings.model_validate({SETTING.lower(): {name: given}}).podjobs_runner_clients[name]
    except ValueError:
        exit_with(
            f"The name must match {CLIENT_NAME}, and a host must be a name or an address, with a port or without, such "
            "as pod.example.org or 10.0.0.5:8000.",
            EXIT_USAGE,
        )
    written = {one: _write(settings) for one, settings in {**known, name: client}.items()}
    click.echo(f"The token of {name}, for Pod's column «token»; it is not shown again:\n\n{made.token}\n")
    click.echo("The adapter's setting:\n")
    click.echo(f"{SETTING}='{json.dumps(written, separators=(',', ':'))}'")


def _write(client: RunnerClient) -> dict[str, object]:
    found = client.model_dump(mode="json", exclude_defaults=True)
    digests = found["token_sha256"]
    return found | {"token_sha256": digests[0] if len(digests) == 1 else digests}
