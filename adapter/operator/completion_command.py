"""The command that teaches shells to complete the other commands."""

import click
from click.shell_completion import get_completion_class

PROGRAM, VARIABLE = "podjobs", "_PODJOBS_COMPLETE"


@click.command()
@click.argument("shell", type=click.Choice(["bash", "zsh", "fish"]))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print what makes SHELL complete `podjobs`.

    For bash: podjobs completion bash > ~/.local/share/bash-completion/completions/podjobs
    """
    kind = get_completion_class(shell)
    if kind is None:
        raise click.UsageError(f"The shell {shell} is not known.")
    root = context.find_root().command
    click.echo(kind(root, {}, PROGRAM, VARIABLE).source())
