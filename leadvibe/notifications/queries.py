"""Reads of what is on its way to people."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from pydantic import TypeAdapter
from sqlalchemy import ColumnElement, Row, Select, and_, func, select, tuple_

from leadvibe.identity.models import MemberRow
from leadvibe.identity.types import Scope
from leadvibe.lib.db import session
from leadvibe.lib.paging import PageRequest
from leadvibe.notifications.errors import (
    ChannelNotFoundError,
    DeliveryNotFoundError,
    DestinationNotFoundError,
)
from leadvibe.notifications.models import (
    ChannelRow,
    DeliveryAttemptRow,
    DeliveryCountRow,
    DeliveryRow,
    DestinationRow,
    LinkMailRow,
    NoticeRow,
)
from leadvibe.notifications.types import (
    AttemptOutcome,
    Channel,
    ChannelType,
    Delivery,
    DeliveryAttempt,
    DeliveryFilter,
    DeliveryState,
    Destination,
    Happening,
    LinkMail,
    MailState,
    Notice,
    Transport,
)

NOTICE: TypeAdapter[Notice] = TypeAdapter(Notice)
"""Reads a notice from its document."""


def list_link_mails(org_id: UUID) -> dict[UUID, LinkMail]:
    """Return the organisation's mails with links by member, without stale ones."""
    is_current = and_(
        MemberRow.org_member_id == LinkMailRow.org_member_id,
        MemberRow.session_epoch == LinkMailRow.session_epoch,
    )
    rows = session().scalars(
        select(LinkMailRow)
        .join(MemberRow, is_current)
        .where(LinkMailRow.org_id == org_id)
        .execution_options(populate_existing=True)
    )
    return {row.org_member_id: link_mail_of(row) for row in rows}


def due_link_mails(*, now: datetime) -> list[UUID]:
    """Return the members of all organisations whom a mail should be sent to by now."""
    statement = select(LinkMailRow.org_member_id).where(
        LinkMailRow.state == MailState.WAITING, LinkMailRow.due_at <= now
    )
    return list(session().scalars(statement))


def link_mail_of(row: LinkMailRow) -> LinkMail:
    """Return the mail that a row holds."""
    return LinkMail(
        org_member_id=row.org_member_id,
        is_invitation=row.is_invitation,
        state=MailState(row.state),
        attempts=row.attempts,
        problem=row.problem,
        asked_at=row.asked_at,
        due_at=row.due_at,
    )


def list_channels(scope: Scope) -> list[Channel]:
    """Return the unit's channels, by name."""
    return [channel_of(row) for row in session().scalars(_channels(scope))]


def get_channel(scope: Scope, channel_id: UUID) -> Channel:
    """Return a channel. Raises ChannelNotFoundError."""
    statement = _channels(scope).where(ChannelRow.channel_id == channel_id)
    row = session().scalar(statement)
    if row is None:
        raise ChannelNotFoundError(f"There is no notification channel '{channel_id}' in this unit.")
    return channel_of(row)


def _channels(scope: Scope) -> Select[ChannelRow]:
    # Channels are written beside the session, which must not answer with what it has read before.
    return (
        select(ChannelRow)
        .where(ChannelRow.unit_id == scope.unit_id)
        .order_by(ChannelRow.name)
        .execution_options(populate_existing=True)
    )


def channel_of(row: ChannelRow) -> Channel:
    """Return the channel that a row holds; what is secret of its configuration stays sealed."""
    return Channel(
        channel_id=row.channel_id,
        name=row.name,
        type=ChannelType(row.type),
        config=row.config,
        created_at=row.created_at,
        updated_at=row.updated_at,
        created_by=row.created_by,
        updated_by=row.updated_by,
    )


def list_destinations(scope: Scope, page: PageRequest) -> list[Destination]:
    """Return the unit's destinations, by transport and address."""
    statement = (
        _destinations(scope)
        .order_by(DestinationRow.transport, DestinationRow.address)
        .limit(page.size)
        .offset(page.offset)
    )
    return [_destination(row) for row in session().execute(statement)]


def find_destinations(
    scope: Scope, places: Collection[tuple[str, str]]
) -> dict[tuple[str, str], Destination]:
    """Return the destinations that are known of these, by transport and address."""
    place = tuple_(DestinationRow.transport, DestinationRow.address)
    statement = _destinations(scope).where(place.in_(places))
    rows = session().execute(statement) if places else ()
    return {(it.transport, it.address): it for it in map(_destination, rows)}


def count_destinations(scope: Scope) -> int:
    """Return how many destinations the unit has."""
    where = DestinationRow.unit_id == scope.unit_id
    return session().scalar(select(func.count()).where(where)) or 0


def get_destination(scope: Scope, destination_id: UUID) -> Destination:
    """Return a destination. Raises DestinationNotFoundError."""
    statement = _destinations(scope).where(DestinationRow.destination_id == destination_id)
    row = session().execute(statement).one_or_none()
    if row is None:
        raise DestinationNotFoundError(f"There is no destination '{destination_id}' in this unit.")
    return _destination(row)


def list_deliveries(scope: Scope, wanted: DeliveryFilter, page: PageRequest) -> list[Delivery]:
    """Return the unit's deliveries, the newest first."""
    statement = (
        _deliveries(scope)
        .where(*_as_wanted(wanted))
        .order_by(DeliveryRow.created_at.desc(), DeliveryRow.delivery_id.desc())
        .limit(page.size)
        .offset(page.offset)
    )
    return [_delivery(row) for row in session().execute(statement)]


def count_deliveries(scope: Scope, wanted: DeliveryFilter) -> int:
    """Return how many deliveries of the unit are as wanted."""
    is_here = DeliveryRow.unit_id == scope.unit_id
    return session().scalar(select(func.count()).where(is_here, *_as_wanted(wanted))) or 0


def get_delivery(scope: Scope, delivery_id: UUID) -> Delivery:
    """Return a delivery. Raises DeliveryNotFoundError."""
    statement = _deliveries(scope).where(DeliveryRow.delivery_id == delivery_id)
    row = session().execute(statement).one_or_none()
    if row is None:
        raise DeliveryNotFoundError(f"There is no delivery '{delivery_id}' in this unit.")
    return _delivery(row)


def list_deliveries_of(scope: Scope, notice_id: UUID) -> list[Delivery]:
    """Return all deliveries that tell a notice, in the order in which they were made."""
    statement = (
        _deliveries(scope)
        .where(DeliveryRow.notice_id == notice_id)
        .order_by(DeliveryRow.delivery_id)
    )
    return [_delivery(row) for row in session().execute(statement)]


def list_attempts(scope: Scope, delivery_id: UUID) -> list[DeliveryAttempt]:
    """Return the attempts at a delivery in their order; none for one that is not there."""
    columns: tuple[Any, ...] = (
        DeliveryAttemptRow.attempt,
        DeliveryAttemptRow.started_at,
        DeliveryAttemptRow.milliseconds,
        DeliveryAttemptRow.outcome,
        DeliveryAttemptRow.status,
        DeliveryAttemptRow.problem,
        DeliveryAttemptRow.request,
        DeliveryAttemptRow.response,
    )
    statement = (
        select(*columns)
        .where(
            DeliveryAttemptRow.unit_id == scope.unit_id,
            DeliveryAttemptRow.delivery_id == delivery_id,
        )
        .order_by(DeliveryAttemptRow.attempt)
    )
    return [_attempt(row) for row in session().execute(statement)]


def get_notice_document(scope: Scope, notice_id: UUID) -> dict[str, Any]:
    """Return what is told, as it was written when it happened."""
    statement = select(NoticeRow.document).where(
        NoticeRow.unit_id == scope.unit_id, NoticeRow.notice_id == notice_id
    )
    document: dict[str, Any] = session().scalars(statement).one()
    return document


def get_notice(scope: Scope, notice_id: UUID) -> Notice:
    """Return what is told, as `get_notice_document` does."""
    return NOTICE.validate_python(get_notice_document(scope, notice_id))


def count_outcomes() -> dict[tuple[str, str], int]:
    """Return how many attempts ended how, by transport and outcome, across all units."""
    columns = (DeliveryCountRow.transport, DeliveryCountRow.outcome, DeliveryCountRow.deliveries)
    rows = session().execute(select(*columns).order_by(*columns[:2]))
    return {(transport, outcome): count for transport, outcome, count in rows}


def count_waiting() -> int:
    """Return how many deliveries of all units wait for an attempt."""
    is_waiting = DeliveryRow.state == DeliveryState.WAITING
    return session().scalar(select(func.count()).where(is_waiting)) or 0


def _destinations(scope: Scope) -> Select[Any]:
    columns: tuple[Any, ...] = (
        DestinationRow.destination_id,
        DestinationRow.transport,
        DestinationRow.address,
        DestinationRow.failures,
        DestinationRow.paused_until,
        DestinationRow.problem,
        DestinationRow.last_delivered_at,
        DestinationRow.secret.is_not(None).label("has_secret"),
        DestinationRow.created_at,
    )
    return select(*columns).where(DestinationRow.unit_id == scope.unit_id)


def _deliveries(scope: Scope) -> Select[Any]:
    columns: tuple[Any, ...] = (
        DeliveryRow.delivery_id,
        DeliveryRow.notice_id,
        DeliveryRow.event,
        DeliveryRow.destination_id,
        DeliveryRow.transport,
        DestinationRow.address,
        DeliveryRow.channel_id,
        DeliveryRow.trigger_id,
        DeliveryRow.trigger_name,
        DeliveryRow.lead_id,
        DeliveryRow.lead_name,
        MemberRow.email.label("recipient"),
        DeliveryRow.state,
        DeliveryRow.attempts,
        DeliveryRow.problem,
        DeliveryRow.created_at,
        DeliveryRow.due_at,
        DeliveryRow.finished_at,
        DeliveryRow.folded_into,
    )
    is_destination = and_(
        DestinationRow.unit_id == DeliveryRow.unit_id,
        DestinationRow.destination_id == DeliveryRow.destination_id,
    )
    return (
        select(*columns)
        .select_from(DeliveryRow)
        .join(DestinationRow, is_destination)
        .outerjoin(MemberRow, MemberRow.org_member_id == DeliveryRow.recipient_id)
        .where(DeliveryRow.unit_id == scope.unit_id)
    )


def _as_wanted(wanted: DeliveryFilter) -> Sequence[ColumnElement[bool]]:
    compared: tuple[tuple[Any, object], ...] = (
        (DeliveryRow.state, wanted.state),
        (DeliveryRow.transport, wanted.transport),
        (DeliveryRow.trigger_id, wanted.trigger_id),
        (DeliveryRow.lead_id, wanted.lead_id),
        (DeliveryRow.destination_id, wanted.destination_id),
    )
    conditions = [column == value for column, value in compared if value is not None]
    if wanted.lead_ids is not None:
        conditions.append(DeliveryRow.lead_id.in_(wanted.lead_ids))
    return conditions


def _delivery(row: Row[Any]) -> Delivery:
    read = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's own name for what is public
    state = DeliveryState(read["state"])
    read |= {
        "event": Happening(read["event"]),
        "transport": Transport(read["transport"]),
        "state": state,
        "due_at": read["due_at"] if state is DeliveryState.WAITING else None,
    }
    return Delivery(**read)


def _destination(row: Row[Any]) -> Destination:
    read = dict(row._mapping)  # noqa: SLF001 - as above
    return Destination(**read | {"transport": Transport(read["transport"])})


def _attempt(row: Row[Any]) -> DeliveryAttempt:
    read = dict(row._mapping)  # noqa: SLF001 - as above
    return DeliveryAttempt(**read | {"outcome": AttemptOutcome(read["outcome"])})
