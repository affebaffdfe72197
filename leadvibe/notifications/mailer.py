"""The way to the mail server, for whoever has mail to send."""

from __future__ import annotations

from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.transports.email import Mail, MailServer, send
from leadvibe.notifications.types import Receipt


class Mailer:
    """Hands mail to the server, or says that there is none."""

    def __init__(self, server: MailServer | None) -> None:
        self._server = server

    @property
    def can_send(self) -> bool:
        return self._server is not None

    def send(self, mail: Mail) -> Receipt:
        """Hand a mail to the server and wait until it has it. Raises TransportError."""
        if self._server is None:
            raise TransportError(
                "SMTP_URL and MAIL_FROM are not set for this process",
                reason="the workers know no mail server",
                is_temporary=False,
            )
        return send(self._server, mail)
