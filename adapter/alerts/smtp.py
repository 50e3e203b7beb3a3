"""Sends mails by SMTP. Source: RFC 5321; RFC 3834 (Auto-Submitted)."""

import smtplib
import ssl
from email.message import EmailMessage
from email.utils import formatdate, make_msgid

from adapter.operation_settings.alerts import AlertSettings
from podjobs.contract.redaction import redact


class MailError(Exception):
    """The mail server has not taken a mail; the message says why, and which setting to look at."""


def write_mail(settings: AlertSettings, subject: str, text: str) -> EmailMessage:
    """Write a mail to the administrators.

    Args:
        settings: sender and receivers.
        subject: line breaks and control characters in it become spaces.
        text: lines of any length, of characters only: see visible_text.py.
    """
    mail = EmailMessage()
    mail["From"] = settings.default_from_email
    mail["To"] = ", ".join(settings.admins)
    mail["Subject"] = _one_line(f"{settings.email_subject_prefix}{subject}")
    mail["Date"] = formatdate(localtime=True)
    mail["Message-ID"] = make_msgid("podjobs")
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(text, cte="quoted-printable")
    return mail


def _one_line(text: str) -> str:
    return " ".join("".join(mark if mark.isprintable() else " " for mark in text).split())[:200]


def send_mail(settings: AlertSettings, mail: EmailMessage) -> list[str]:
    """Send a mail; takes up to EMAIL_TIMEOUT seconds for each of some exchanges.

    Returns:
        The addresses that the server refuses, if it has taken the mail for others.

    Raises:
        MailError: it was not taken; a retry may help.
    """
    where = f"{settings.email_host}:{settings.email_port}"
    context = ssl.create_default_context()
    try:
        if settings.email_use_ssl:
            server: smtplib.SMTP = smtplib.SMTP_SSL(
                settings.email_host, settings.email_port, timeout=settings.email_timeout, context=context
            )
        else:
            server = smtplib.SMTP(settings.email_host, settings.email_port, timeout=settings.email_timeout)
        with server:
            if settings.email_use_tls:
                server.starttls(context=context)
            if settings.email_host_user:
                server.login(settings.email_host_user, settings.email_host_password.get_secret_value())
            return list(server.send_message(mail))
    except smtplib.SMTPAuthenticationError as error:
        raise MailError(
            f"The mail server {where} does not accept EMAIL_HOST_USER and EMAIL_HOST_PASSWORD: {_said(error)}"
        ) from error
    except smtplib.SMTPNotSupportedError as error:
        raise MailError(
            f"The mail server {where}: {error} Set EMAIL_USE_TLS or EMAIL_USE_SSL as it expects."
        ) from error
    except smtplib.SMTPRecipientsRefused as error:
        raise MailError(f"The mail server {where} refuses all addresses of ADMINS: {redact(str(error))}") from error
    except ssl.SSLError as error:
        raise MailError(
            f"The mail server {where} cannot be reached by TLS: {error}. Look at EMAIL_USE_TLS, EMAIL_USE_SSL and "
            "EMAIL_PORT, and at its certificate."
        ) from error
    except UnicodeError as error:
        raise MailError(f"{settings.email_host!r} cannot be the name of a mail server. Correct EMAIL_HOST.") from error
    except (smtplib.SMTPException, OSError) as error:
        raise MailError(
            f"The mail server {where} cannot be used: {_said(error)}. Look at EMAIL_HOST and EMAIL_PORT."
        ) from error


def _said(error: Exception) -> str:
    if isinstance(error, smtplib.SMTPResponseException):
        text = error.smtp_error
        return redact(text.decode("utf-8", "replace") if isinstance(text, bytes) else str(text))
    return redact(str(error) or type(error).__name__)
