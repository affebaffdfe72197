"""Contact properties kept up to date in HubSpot, which knows contacts by their e-mail address."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from http import HTTPStatus
from itertools import islice
from typing import Any

from leadvibe.lib.outbound import Answer, Outbound
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.exchange import (
    FOR_SERVICES,
    Exchange,
    compact_json,
    exchange,
    failure,
)
from leadvibe.notifications.types import Parcel, Receipt
from leadvibe.notifications.wording import one_line

MOST_AT_ONCE = 100  # contacts in one request, by HubSpot
CONTACT_GROUP = "contactinformation"  # every HubSpot account has it
LONGEST_REASON = 300
NEXT_DAY_SECONDS = 60 * 60
"""How soon to look again whether the limit of requests a day is lifted."""

_TEMPORARY_CATEGORIES = {"RATE_LIMITS", "INTERNAL_ERROR", "TIMEOUT"}

Outcome = Receipt | TransportError


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """A private app's token, and which contact properties to write.

    `base_url` is a setting of the installation, and so may lead to a private address.
    """

    token: str = field(repr=False)
    base_url: str
    score_property: str
    level_property: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Portal:
    """The HubSpot account that a token opens."""

    portal_id: int
    account_type: str
    domain: str


def send_many(
    outbound: Outbound, connection: Connection, parcels: Sequence[Parcel], *, now: datetime
) -> list[Outcome]:
    """Write the leads' scores and levels, and return for each parcel in turn how that went.

    Of several parcels for one address the latest is written, and its outcome is that of all.
    """
    latest: dict[str, Parcel] = {}
    for parcel in sorted(parcels, key=lambda parcel: parcel.notice.fired_at):
        latest[_email(parcel)] = parcel
    latest.pop("", None)
    outcomes: dict[str, Outcome] = {}
    for batch in _batches(latest):
        outcomes |= _write(outbound, connection, batch, now=now)
    return [outcomes.get(_email(parcel)) or _without_email() for parcel in parcels]


def ensure_properties(outbound: Outbound, connection: Connection, *, now: datetime) -> None:
    """Create the contact properties that HubSpot lacks. Raises TransportError."""
    wanted = [
        (connection.score_property, "number", "Leadvibe score"),
        (connection.level_property, "string", "Leadvibe level"),
    ]
    for name, kind, label in wanted:
        found = _ask(outbound, connection, "GET", f"/crm/v3/properties/contacts/{name}")
        if found.answer.status == HTTPStatus.NOT_FOUND:
            _create_property(outbound, connection, name=name, kind=kind, label=label, now=now)
        elif _content(found, now=now).get("type") != kind:
            reason = f"the HubSpot property {name} is not a {kind}; choose another name"
            raise TransportError(reason, reason=reason, is_temporary=False)


def describe(outbound: Outbound, connection: Connection, *, now: datetime) -> Portal:
    """Return the account that the token opens. Raises TransportError."""
    content = _content(_ask(outbound, connection, "GET", "/account-info/v3/details"), now=now)
    return Portal(
        portal_id=int(content.get("portalId") or 0),
        account_type=str(content.get("accountType") or ""),
        domain=str(content.get("uiDomain") or ""),
    )


def _create_property(
    outbound: Outbound, connection: Connection, *, name: str, kind: str, label: str, now: datetime
) -> None:
    wanted = {
        "name": name,
        "label": label,
        "type": kind,
        "fieldType": "number" if kind == "number" else "text",
        "groupName": CONTACT_GROUP,
        "description": "Kept up to date by Leadvibe",
    }
    made = _ask(outbound, connection, "POST", "/crm/v3/properties/contacts", wanted)
    if made.answer.status != HTTPStatus.CONFLICT:  # else somebody was faster
        _content(made, now=now)


def _write(
    outbound: Outbound, connection: Connection, batch: Mapping[str, Parcel], *, now: datetime
) -> dict[str, Outcome]:
    """Write contacts by address, at most MOST_AT_ONCE."""
    inputs = [_contact(connection, email, parcel) for email, parcel in batch.items()]
    path = "/crm/v3/objects/contacts/batch/upsert"
    try:
        made = _ask(outbound, connection, "POST", path, {"inputs": inputs})
        if _may_be_one_contact(made.answer) and len(batch) > 1:
            first, rest = _halves(batch)
            return _write(outbound, connection, first, now=now) | _write(
                outbound, connection, rest, now=now
            )
        content = _content(made, now=now)
    except TransportError as error:
        return dict.fromkeys(batch, error)
    return _outcomes(made, content, batch)


def _contact(connection: Connection, email: str, parcel: Parcel) -> dict[str, Any]:
    lead = parcel.notice.lead
    return {
        "id": email,
        "idProperty": "email",
        "objectWriteTraceId": str(parcel.delivery_id),
        "properties": {
            "email": email,
            connection.score_property: str(lead.score),
            connection.level_property: lead.engagement_level,
        },
    }


def _may_be_one_contact(answer: Answer) -> bool:
    """Say whether HubSpot may have refused all contacts because of one, without naming it."""
    is_about_all = "PROPERTY_DOESNT_EXIST" in answer.text
    return answer.status == HTTPStatus.BAD_REQUEST and not is_about_all


def _outcomes(
    made: Exchange, content: Mapping[str, Any], batch: Mapping[str, Parcel]
) -> dict[str, Outcome]:
    """Tell the contacts apart in an answer that speaks of them all.

    Errors name contacts by trace or by address. One that names none is about every contact that
    is not among the results.
    """
    written = {name for result in content.get("results") or [] for name in _names(result)}
    errors = [(_refused(made, error), _names(error)) for error in content.get("errors") or []]
    known = {name for email, parcel in batch.items() for name in (email, str(parcel.delivery_id))}
    outcomes: dict[str, Outcome] = {}
    for email, parcel in batch.items():
        names = {email, str(parcel.delivery_id)}
        own = [error for error, named in errors if named & names]
        anonymous = [error for error, named in errors if not named & known]
        outcomes[email] = next(iter(own or ([] if written & names else anonymous)), made.receipt)
    return outcomes


def _names(item: Mapping[str, Any]) -> set[str]:
    """Return what a result or an error calls the contacts that it is about."""
    context, properties = item.get("context") or {}, item.get("properties") or {}
    found = [item.get("objectWriteTraceId"), properties.get("email")]
    for value in context.values():
        found += value if isinstance(value, list) else [value]
    return {name.strip().lower() for name in found if isinstance(name, str)}


def _refused(made: Exchange, error: Mapping[str, Any]) -> TransportError:
    said = one_line(str(error.get("message") or "no reason given"), most=LONGEST_REASON)
    reason = f"HubSpot refuses the contact: {said}"
    return TransportError(
        reason,
        reason=reason,
        is_temporary=error.get("category") in _TEMPORARY_CATEGORIES,
        status=made.answer.status,
        request=made.request,
        response=made.response,
    )


def _ask(
    outbound: Outbound,
    connection: Connection,
    method: str,
    path: str,
    content: Mapping[str, Any] | None = None,
) -> Exchange:
    return exchange(
        outbound,
        method,
        connection.base_url.rstrip("/") + path,
        headers={"Authorization": f"Bearer {connection.token}"},
        content=None if content is None else compact_json(content),
        limits=FOR_SERVICES,
    )


def _content(made: Exchange, *, now: datetime) -> dict[str, Any]:
    """Return what a success says. Raises TransportError for anything else."""
    if not made.is_success:
        raise _failure(made, now=now)
    content = _json(made.answer)
    if content is None:
        reason = "HubSpot's answer makes no sense"
        raise TransportError(
            reason,
            reason=reason,
            is_temporary=True,
            status=made.answer.status,
            request=made.request,
            response=made.response,
        )
    return content


def _failure(made: Exchange, *, now: datetime) -> TransportError:
    error = failure(made, receiver="HubSpot", now=now, reason=_reason(made.answer))
    if error.is_temporary and error.retry_after_seconds is None:
        error.retry_after_seconds = _pause_seconds(made.answer)
    return error


def _reason(answer: Answer) -> str | None:
    said = one_line(str((_json(answer) or {}).get("message") or ""), most=LONGEST_REASON)
    if answer.status == HTTPStatus.UNAUTHORIZED:
        return "HubSpot does not accept the token; enter a new one"
    if answer.status == HTTPStatus.FORBIDDEN:
        return f"the HubSpot token lacks a permission ({said or 'HubSpot does not say which'})"
    if answer.status == HTTPStatus.TOO_MANY_REQUESTS:
        return "HubSpot asks us to slow down"
    if answer.status < HTTPStatus.INTERNAL_SERVER_ERROR and said:
        return f"HubSpot refuses it: {said}"
    return None


def _pause_seconds(answer: Answer) -> float | None:
    """Return how long HubSpot's own headers ask to wait, in the place of Retry-After."""
    if answer.status != HTTPStatus.TOO_MANY_REQUESTS:
        return None
    if answer.headers.get("X-HubSpot-RateLimit-Daily-Remaining") == "0" or "DAILY" in answer.text:
        return NEXT_DAY_SECONDS
    interval = answer.headers.get("X-HubSpot-RateLimit-Interval-Milliseconds", "")
    return int(interval) / 1000 if interval.isascii() and interval.isdigit() else None


def _json(answer: Answer) -> dict[str, Any] | None:
    try:
        content = json.loads(answer.text)
    except ValueError:
        return None
    return content if isinstance(content, dict) else None


def _email(parcel: Parcel) -> str:
    return (parcel.notice.lead.email or "").strip().lower()


def _without_email() -> TransportError:
    reason = "the lead has no e-mail address, by which HubSpot knows contacts"
    return TransportError(reason, reason=reason, is_temporary=False)


def _batches(parcels: Mapping[str, Parcel]) -> Iterator[dict[str, Parcel]]:
    left = iter(parcels.items())
    while batch := dict(islice(left, MOST_AT_ONCE)):
        yield batch


def _halves(batch: Mapping[str, Parcel]) -> tuple[dict[str, Parcel], dict[str, Parcel]]:
    items = list(batch.items())
    middle = len(items) // 2
    return dict(items[:middle]), dict(items[middle:])
