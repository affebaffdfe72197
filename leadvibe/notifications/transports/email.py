"""Mail over SMTP."""

from __future__ import annotations

import smtplib
import ssl
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email import policy
from email.headerregistry import Address, BaseHeader, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import EmailPolicy, Policy
from email.utils import formatdate, make_msgid
from ipaddress import ip_address
from typing import Any, Self
from urllib.parse import unquote, urlsplit

from leadvibe.lib.trust import trusted
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.types import Receipt

TIMEOUT_SECONDS = 15
SMTP_PORT = 587
SMTPS_PORT = 465
LONGEST_ANSWER = 1_000
FIRST_PERMANENT_CODE = 500  # RFC 5321: 4yz may pass later, 5yz will not


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """Where mail is handed in, and the address that it is sent from."""

    host: str
    port: int
    sender: str
    is_tls: bool = False
    """TLS from the first byte; otherwise STARTTLS whenever the server offers it."""
    username: str | None = None
    password: str | None = field(default=None, repr=False)

    @classmethod
    def at(cls, url: str, *, sender: str) -> Self:
        """Read `smtp://user:password@host:port`, or smtps:// for TLS from the first byte."""
        parts = urlsplit(url)
        is_tls = parts.scheme == "smtps"
        return cls(
            host=parts.hostname or "",
            port=parts.port or (SMTPS_PORT if is_tls else SMTP_PORT),
            sender=sender,
            is_tls=is_tls,
            username=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
        )

    @property
    def is_local(self) -> bool:
        """Say whether the way there stays on this machine."""
        try:
            return ip_address(self.host).is_loopback
        except ValueError:
            return self.host == "localhost"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mail:
    """One message to one address, in plain text and in HTML."""

    to: str
    subject: str
    text: str
    html: str = field(repr=False)
    message_id: str | None = None
    """What stands before the @ of its Message-ID; made up for each attempt if None."""
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    """Further ones, each on one line."""


def send(server: MailServer, mail: Mail) -> Receipt:
    """Hand a mail to the server. Raises TransportError."""
    message = _message(server, mail)
    try:
        with _connected(server) as connection:
            connection.send_message(message)
            code, said = connection.answer
            return Receipt(
                status=code, request=_envelope(server, mail), response=f"{code} {_text(said)}"
            )
    except smtplib.SMTPResponseException as error:
        raise _refused(server, mail, error.smtp_code, error.smtp_error, error) from error
    except smtplib.SMTPRecipientsRefused as error:
        [(code, said)] = error.recipients.values()
        raise _refused(server, mail, code, said, error) from error
    except (OSError, smtplib.SMTPException) as error:
        raise TransportError(
            f"The mail server {server.host}:{server.port} cannot be used: {error}",
            reason=_plain_reason(error),
            is_temporary=not isinstance(error, smtplib.SMTPNotSupportedError),
            request=_envelope(server, mail),
        ) from error


def _message(server: MailServer, mail: Mail) -> EmailMessage:
    message = EmailMessage(_policy(unfolded=mail.headers))
    message["From"] = Address("Leadvibe", addr_spec=server.sender)
    message["To"] = mail.to
    message["Subject"] = mail.subject
    message["Date"] = formatdate(localtime=False)
    domain = server.sender.rpartition("@")[2]
    message["Message-ID"] = (
        f"<{mail.message_id}@{domain}>" if mail.message_id else make_msgid(domain=domain)
    )
    message["Auto-Submitted"] = "auto-generated"
    for name, value in mail.headers.items():
        message[name] = value
    message.set_content(mail.text)
    message.add_alternative(mail.html, subtype="html")
    return message


class _Unfolded(UnstructuredHeader, BaseHeader):
    """A header that is sent as it stands: folding a long URL would encode it beyond use."""

    def fold(self, *, policy: Policy[Any]) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _policy(*, unfolded: Iterable[str]) -> EmailPolicy[Any]:
    headers = HeaderRegistry()
    for name in unfolded:
        headers.map_to_type(name.lower(), _Unfolded)
    return policy.default.clone(header_factory=headers)


def _envelope(server: MailServer, mail: Mail) -> str:
    """Say what was sent without its content, which may be a link that lets its reader in."""
    lines = [f"From: {server.sender}", f"To: {mail.to}", f"Subject: {mail.subject}"]
    return "\n".join([*lines, f"Server: {server.host}:{server.port}"])


class _Connection(smtplib.SMTP):
    """Keeps what the server said when it took the mail, such as the number it has in its queue."""

    answer: tuple[int, bytes] = (0, b"")

    def data(self, msg: Any) -> tuple[int, bytes]:
        self.answer = super().data(msg)
        return self.answer


class _TlsConnection(_Connection, smtplib.SMTP_SSL):
    pass


@contextmanager
def _connected(server: MailServer) -> Iterator[_Connection]:
    if server.is_tls:
        connection: _Connection = _TlsConnection(
            server.host, server.port, timeout=TIMEOUT_SECONDS, context=trusted()
        )
    else:
        connection = _Connection(server.host, server.port, timeout=TIMEOUT_SECONDS)
    with connection:
        connection.ehlo()
        is_private = server.is_tls or server.is_local
        if connection.has_extn("starttls") and not is_private:
            connection.starttls(context=trusted())
            is_private = True
        if server.username and server.password:
            _log_in(connection, server.username, server.password, is_private=is_private)
        yield connection


def _log_in(connection: smtplib.SMTP, username: str, password: str, *, is_private: bool) -> None:
    if not is_private:
        raise smtplib.SMTPNotSupportedError(
            "it offers no encryption for the password; use smtps:// or a server with STARTTLS"
        )
    connection.login(username, password)


def _refused(
    server: MailServer, mail: Mail, code: int, said: bytes | str, error: smtplib.SMTPException
) -> TransportError:
    answer = f"{code} {_text(said)}"
    if isinstance(error, smtplib.SMTPAuthenticationError):
        reason = "the mail server does not accept the user name and password set for Leadvibe"
    elif isinstance(error, smtplib.SMTPRecipientsRefused):
        reason = f"the mail server refuses the address ({answer})"
    else:
        reason = f"the mail server refuses the mail ({answer})"
    return TransportError(
        f"The mail server refused the mail to {mail.to}: {answer}",
        reason=reason,
        is_temporary=code < FIRST_PERMANENT_CODE,
        status=code,
        request=_envelope(server, mail),
        response=answer,
    )


def _text(said: bytes | str) -> str:
    text = said.decode(errors="replace") if isinstance(said, bytes) else said
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}")[:LONGEST_ANSWER]


def _plain_reason(error: Exception) -> str:
    """Say in plain words why the server cannot be used, the more special cases first."""
    if isinstance(error, smtplib.SMTPNotSupportedError):
        return "the mail server offers no safe way to sign in"
    if isinstance(error, ssl.SSLError):
        return "there is no secure connection to the mail server"
    if isinstance(error, (TimeoutError, smtplib.SMTPServerDisconnected)):
        return "the mail server did not answer"
    return "the mail server cannot be reached"
