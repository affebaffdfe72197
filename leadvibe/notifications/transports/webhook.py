"""Signed JSON posts to an address of the customer.

They are signed twice: as the Standard Webhooks specification has it, which libraries in many
languages verify, and with one plain HMAC of the body for receivers that have none.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadvibe.lib.outbound import Outbound
from leadvibe.notifications.addresses import masked_url
from leadvibe.notifications.exchange import compact_json, exchange, settle
from leadvibe.notifications.types import Cause, Notice, Parcel, Receipt

SECRET_PREFIX = "whsec_"  # noqa: S105  # the beginning of every secret, and none itself
SECRET_BYTES = 32  # Standard Webhooks asks for 24 to 64


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to post. The first secret is the current one, others are on their way out.

    `auth_header` is sent as Authorization: one line of printable ASCII.
    """

    url: str
    secrets: tuple[str, ...] = field(default=(), repr=False)
    auth_header: str | None = field(default=None, repr=False)


def new_secret() -> str:
    """Make a secret to sign with, as it is shown to the receiver."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def send(outbound: Outbound, target: Target, parcel: Parcel, *, now: datetime) -> Receipt:
    """Post a parcel, signed as of `now`. Raises TransportError."""
    body = compact_json(payload_of(parcel))
    headers = {
        "X-Leadvibe-Event": parcel.notice.event.value,
        "X-Leadvibe-Delivery": str(parcel.delivery_id),
        **signatures(target.secrets, message_id=str(parcel.delivery_id), body=body, now=now),
    }
    if target.auth_header:
        headers["Authorization"] = target.auth_header
    made = exchange(
        outbound, "POST", target.url, headers=headers, content=body,
        shown_url=masked_url(target.url),
    )  # fmt: skip
    return settle(made, receiver="the webhook", now=now)


def signatures(
    all_secrets: tuple[str, ...], *, message_id: str, body: bytes, now: datetime
) -> dict[str, str]:
    """Return the headers by which the receiver knows who sent the body, and when."""
    timestamp = str(int(now.timestamp()))
    headers = {"webhook-id": message_id, "webhook-timestamp": timestamp}
    if all_secrets:
        signed = f"{message_id}.{timestamp}.".encode() + body
        headers["webhook-signature"] = " ".join(_standard(each, signed) for each in all_secrets)
        plain = hmac.new(all_secrets[0].encode(), body, hashlib.sha256).hexdigest()
        headers["X-Leadvibe-Signature"] = f"sha256={plain}"
    return headers


def _standard(secret: str, signed: bytes) -> str:
    key = base64.b64decode(secret.removeprefix(SECRET_PREFIX))
    return "v1," + base64.b64encode(hmac.digest(key, signed, "sha256")).decode()


def payload_of(parcel: Parcel) -> dict[str, Any]:
    """Return what a webhook is told, as JSON."""
    payload = _notice(parcel.notice)
    payload["lead"]["url"] = parcel.lead_url
    payload["folded"] = [_notice(each) for each in parcel.folded]
    return payload


def _notice(notice: Notice) -> dict[str, Any]:
    trigger, lead = notice.trigger, notice.lead
    return {
        "event": notice.event.value,
        "id": str(notice.id),
        "fired_at": _timestamp(notice.fired_at),
        "org_id": str(notice.org_id),
        "unit_id": str(notice.unit_id),
        "trigger": {"trigger_id": trigger.trigger_id, "name": trigger.name, "type": trigger.type},
        "lead": {
            "lead_id": lead.lead_id,
            "best_alias": lead.best_alias,
            "score": lead.score,
            "engagement_level": lead.engagement_level,
            "profile_level": lead.profile_level,
            "owner_name": lead.owner_name,
            "metadata": dict(lead.metadata),
        },
        "cause": _cause(notice.cause) if notice.cause else None,
        "details": dict(notice.details),
        "summary": notice.summary,
        "reasons": [
            {"event_type": each.event_type, "points": each.points, "count": each.count}
            for each in notice.reasons
        ],
    }


def _cause(cause: Cause) -> dict[str, Any]:
    return {
        "event_id": str(cause.event_id),
        "event_type": cause.event_type,
        "timestamp": _timestamp(cause.timestamp),
        "metadata": dict(cause.metadata),
    }


def _timestamp(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")
