"""EDGE. One message to a mail server, and what is known of it afterwards: taken, not taken, or nobody can say.

SMTP has one dangerous moment: once the text was handed over and before its answer came, the server may have
sent the mail or not (RFC 1047). Only then an outcome is *unknown*; everything before can be tried again.
"""

import smtplib
from collections.abc import Callable
from typing import Any

from django.core.mail import EmailMessage, mailers
from django.core.mail.backends.smtp import EmailBackend


class MailError(Exception):
    """A message that was not certainly sent. `str()` is a line for the operator, without addresses."""


class MailUnavailable(MailError):
    """The server took nothing: try again later."""


class MailRefused(MailError):
    """The server said no for good."""


class MailUnknown(MailError):
    """The text was handed over and no answer came: it may have been sent. Never send it again."""


class _Watch:
    """What a connection has seen of its one message."""

    is_handed_over = False
    is_taken = False

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.is_handed_over = True
        code, answer = super().data(msg)  # type: ignore[misc]
        self.is_taken = code == 250
        return code, answer


class _WatchedSMTP(_Watch, smtplib.SMTP):
    pass


class _WatchedSMTPOverTLS(_Watch, smtplib.SMTP_SSL):
    pass


class WatchedBackend(EmailBackend):
    """Django's SMTP backend, which remembers how far its one message came."""

    watch: _Watch = _Watch()

    @property
    def connection_class(self) -> Callable[..., smtplib.SMTP]:  # type: ignore[override]
        return self._connect

    def _connect(self, *args: Any, **options: Any) -> smtplib.SMTP:
        made = _WatchedSMTPOverTLS(*args, **options) if self.use_ssl else _WatchedSMTP(*args, **options)
        self.watch = made
        return made


def send(message: EmailMessage, using: str = "default") -> None:
    """Send one message. Slow: no transaction may be open here.

    Raises MailUnavailable (not taken, try later), MailRefused (never), MailUnknown (perhaps taken).
    """
    backend = mailers[using]
    try:
        backend.send_messages([message])
    except (OSError, ValueError) as error:
        watch = backend.watch if isinstance(backend, WatchedBackend) else _Watch()
        if watch.is_taken:
            return
        raise _translated(error, is_handed_over=watch.is_handed_over) from error


def _translated(error: Exception, *, is_handed_over: bool) -> MailError:
    """The fault in our words. smtplib's exceptions are OSErrors; a ValueError is an address that is none."""
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in error.recipients.values()]
        return _by_code(max(codes), "the recipient")
    if isinstance(error, smtplib.SMTPResponseException):
        # The server answered, so it is known that it did not take the message.
        return _by_code(error.smtp_code, type(error).__name__)
    if isinstance(error, ValueError):
        return MailRefused("the address is no mail address")
    kind = MailUnknown if is_handed_over else MailUnavailable
    return kind(f"{type(error).__name__} {'after' if is_handed_over else 'before'} the text was handed over")


def _by_code(code: int, about: str) -> MailError:
    is_final = 500 <= code < 600 and about != "SMTPAuthenticationError"
    return (MailRefused if is_final else MailUnavailable)(f"the server answered {code} ({about})")
