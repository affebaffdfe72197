"""The job that sends what is due to people and other systems."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from flask import current_app

from leadvibe.jobs.units import is_stopping, outlasting_outages
from leadvibe.metrics.service import note_slack_latencies
from leadvibe.notifications.deliveries import Claim
from leadvibe.notifications.dispatch import Dispatcher
from leadvibe.notifications.types import Transport


def deliver() -> None:
    """Send until nothing is due. Several workers may do so at once, each delivery goes to one."""
    with outlasting_outages("the deliveries"):
        dispatcher = Dispatcher(current_app.extensions["leadvibe.senders"], on_delivered=_measure)
        dispatcher.run(is_stopping=is_stopping)


def _measure(claims: Sequence[Claim], now: datetime) -> None:
    note_slack_latencies(
        (now - claim.received_at).total_seconds()
        for claim in claims
        if claim.transport is Transport.SLACK and claim.received_at is not None
    )
