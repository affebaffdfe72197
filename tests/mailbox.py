"""A real SMTP server, what arrives in it, and the worker that sends it there."""

from __future__ import annotations

import socket
from email import message_from_bytes, policy

import pytest
from aiosmtpd.controller import Controller

from leadvibe.jobs.mails import send_link_mail
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit
from leadvibe.notifications.queries import due_link_mails


class Mailbox:
    """Keeps what arrives; refuses addresses by their first letter."""

    def __init__(self):
        self.arrived = []

    async def handle_RCPT(self, server, session, envelope, address, options):  # noqa: N802
        codes = {"t": "450 try later", "p": "550 no such mailbox"}
        if address[0] in codes:
            return codes[address[0]]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):  # noqa: N802
        message = message_from_bytes(envelope.content, policy=policy.default)
        self.arrived.append((envelope.mail_from, envelope.rcpt_tos, message))
        return "250 OK"


@pytest.fixture
def mailbox():
    return Mailbox()


@pytest.fixture
def serve(mailbox):
    """Return a way to start the server; it answers on a port of its own choosing."""
    running = []

    def start(**options):
        controller = Controller(mailbox, hostname="127.0.0.1", port=_free_port(), **options)
        controller.start()
        running.append(controller)
        return controller.port

    yield start
    for controller in running:
        controller.stop()


def send_due_mails(app) -> int:
    """Do what a worker of the application does; returns how many mails it tried to send."""
    commit()
    with app.app_context():
        due = due_link_mails(now=utc_now())
        for member_id in due:
            send_link_mail(str(member_id))
    return len(due)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
