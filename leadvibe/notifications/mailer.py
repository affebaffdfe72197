"""Mail that somebody is waiting for, such as a reset link: sent beside the request, right away.

Not for deliveries, which must survive a crash: these are asked for by a person, who asks again.
"""

from __future__ import annotations

import logging
from concurrent.futures import Future, ThreadPoolExecutor, wait

from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.transports.email import Mail, MailServer, send

THREADS = 2

_log = logging.getLogger(__name__)


class Mailer:
    """Sends mail in the background, or says that it cannot when there is no server."""

    def __init__(self, server: MailServer | None) -> None:
        self._server = server
        self._threads = ThreadPoolExecutor(THREADS, thread_name_prefix="mail")
        self._underway: set[Future[bool]] = set()

    @property
    def can_send(self) -> bool:
        return self._server is not None

    def post(self, mail: Mail) -> None:
        """Send a mail soon; a failure is logged, for nobody waits for it."""
        assert self._server is not None, "ask can_send first"
        future = self._threads.submit(_deliver, self._server, mail)
        self._underway.add(future)
        future.add_done_callback(self._underway.discard)

    def send(self, mail: Mail) -> bool:
        """Send a mail now and say whether the server took it; a failure is logged."""
        assert self._server is not None, "ask can_send first"
        return _deliver(self._server, mail)

    def drain(self, *, timeout_seconds: float) -> None:
        """Wait for what is under way."""
        wait(list(self._underway), timeout=timeout_seconds)


def _deliver(server: MailServer, mail: Mail) -> bool:
    try:
        send(server, mail)
    except TransportError:
        _log.exception("mail to %s was not sent", mail.to)
        return False
    return True
