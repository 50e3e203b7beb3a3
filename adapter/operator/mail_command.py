"""The command that tries whether mails arrive."""

import click

from adapter.alerts.mails import compose_test
from adapter.alerts.smtp import MailError, send_mail, write_mail
from adapter.operation_settings.alerts import AlertSettings
from adapter.operator.terminal import EXIT_FAILURE, EXIT_USAGE, exit_with, settings_or_exit


@click.command("mail-test")
def mail_test() -> None:
    """Send a mail to ADMINS, and say what the mail server answers."""
    settings = settings_or_exit(AlertSettings)
    if not settings.admins:
        exit_with("ADMINS is not set: nobody gets mail. Set it to addresses with commas between them.", EXIT_USAGE)
    mail = compose_test(settings.language)
    try:
        refused = send_mail(settings, write_mail(settings, mail.subject, mail.text))
    except MailError as error:
        exit_with(str(error), EXIT_FAILURE)
    if refused:
        exit_with(f"The mail server refuses some addresses of ADMINS: {', '.join(refused)}.", EXIT_FAILURE)
    where = f"{settings.email_host}:{settings.email_port}"
    click.echo(f"The mail server {where} has taken a mail to {', '.join(settings.admins)}.")
