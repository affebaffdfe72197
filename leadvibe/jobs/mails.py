"""The job that mails a member the link they wait for."""

from __future__ import annotations

from uuid import UUID

from flask import current_app

from leadvibe.jobs.units import outlasting_outages
from leadvibe.lib.clock import utc_now
from leadvibe.notifications import service


def send_link_mail(member_id: str) -> None:
    """Try to send the mail if it is due. Called twice, or by two workers, it sends one."""
    with outlasting_outages(f"the mail to member {member_id}"):
        service.deliver_link(
            UUID(member_id),
            mailer=current_app.extensions["leadvibe.mailer"],
            public_url=current_app.config["PUBLIC_URL"],
            now=utc_now(),
        )
