"""The group of the operator's commands: each is imported when it is called, so that none waits for the others."""

from importlib import import_module

import click

COMMANDS = {
    "status": "adapter.operator.status_command:status",
    "jobs": "adapter.operator.job_commands:jobs",
    "show": "adapter.operator.job_commands:show",
    "why": "adapter.operator.why_command:why",
    "watch": "adapter.operator.watch_command:watch",
    "cost": "adapter.operator.cost_command:cost",
    "cancel": "adapter.operator.cancel_commands:cancel",
    "retry": "adapter.operator.cancel_commands:retry",
    "submit": "adapter.operator.submit_commands:submit",
    "pause": "adapter.operator.pause_commands:pause",
    "resume": "adapter.operator.pause_commands:resume",
    "adapters": "adapter.operator.drain_commands:adapters",
    "drain": "adapter.operator.drain_commands:drain",
    "dead": "adapter.operator.dead_letter_commands:dead",
    "check": "adapter.operator.check_command:check",
    "adopt": "adapter.operator.adopt_command:adopt",
    "clean": "adapter.operator.clean_command:clean",
    "mail-test": "adapter.operator.mail_command:mail_test",
    "runner-client": "adapter.operator.runner_command:runner_client",
    "handback": "adapter.operator.handback_command:handback",
    "takeover": "adapter.operator.handback_command:takeover",
    "completion": "adapter.operator.completion_command:completion",
    "worker": "adapter.operator.worker_command:worker",
}
"""Each command's name, and where it is: module and variable; in the order in which they are listed."""
ALIASES = {"job": "show"}
"""Names of earlier versions."""


class CommandGroup(click.Group):
    """Finds commands by the table."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The names of all commands."""
        return [*COMMANDS, *super().list_commands(ctx)]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import a command; None: there is none of that name."""
        place = COMMANDS.get(ALIASES.get(cmd_name, cmd_name))
        if place is None:
            return super().get_command(ctx, cmd_name)
        module, _, variable = place.partition(":")
        command: click.Command = getattr(import_module(module), variable)
        return command
