"""What is shown of one delivery: its state, its attempts, and the notice that it tells."""

from __future__ import annotations

import json
from datetime import datetime, timedelta

from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal, Scope
from leadvibe.notifications import queries
from leadvibe.notifications.types import (
    AttemptOutcome,
    Delivery,
    DeliveryAttempt,
    DeliveryState,
    Happening,
    Notice,
)
from leadvibe.notifications.wording import action_line, facts, headline, reason_line
from leadvibe.web.delivery_paths import DELIVERIES, delivery_path
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.notice_words import HAPPENINGS, place_of, slack_names
from leadvibe.web.pages.deliveries import AttemptRow, DeliveryCard, DeliveryPage, State
from leadvibe.web.pages.display import Fact, Link, Moment, Tone, query_url

NEAR = timedelta(minutes=2)
"""How far ahead an attempt is watched for."""
MILLISECONDS = 1_000
TONES = {
    DeliveryState.DELIVERED: ("Delivered", Tone.OK),
    DeliveryState.FAILED: ("Failed", Tone.BAD),
    DeliveryState.FOLDED: ("Told with another", Tone.NEUTRAL),
}
OUTCOMES = {
    AttemptOutcome.DELIVERED: "Delivered",
    AttemptOutcome.TEMPORARY: "Failed, may work later",
    AttemptOutcome.PERMANENT: "Failed for good",
}


def state_of(delivery: Delivery, *, now: datetime) -> State:
    """Say how far a delivery has come, and when it is tried next."""
    if delivery.state is DeliveryState.WAITING:
        is_due = delivery.due_at is None or delivery.due_at <= now
        return State(
            label="Waiting",
            tone=Tone.WARN if delivery.problem else Tone.INFO,
            next_try=None if is_due or delivery.due_at is None else Moment.of(delivery.due_at),
        )
    label, tone = TONES[delivery.state]
    into = delivery.folded_into
    return State(label=label, tone=tone, into_url=delivery_path(into) if into else "")


def lead_url(delivery: Delivery) -> str:
    """Return the lead's page; tests are about a lead that has none."""
    return "" if delivery.event is Happening.TEST else lead_path(delivery.lead_id)


def build_card(principal: Principal, delivery: Delivery, *, now: datetime) -> DeliveryCard:
    """Return what changes while a delivery is on its way."""
    scope = principal.scope
    attempts = queries.list_attempts(scope, delivery.delivery_id)
    is_waiting = delivery.state is DeliveryState.WAITING
    may_resend = can(principal, Permission.WRITE_DATA)
    is_near = is_waiting and (delivery.due_at is None or delivery.due_at <= now + NEAR)
    return DeliveryCard(
        url=delivery_path(delivery.delivery_id),
        is_near=is_near,
        place=place_of(delivery.transport, delivery.address, slack_names(scope)),
        channel=_channel_name(scope, delivery),
        state=state_of(delivery, now=now),
        problem=delivery.problem or "",
        facts=_facts(delivery),
        created_at=Moment.of(delivery.created_at),
        finished_at=Moment.of(delivery.finished_at) if delivery.finished_at else None,
        attempts=tuple(_attempt(it) for it in reversed(attempts)),
        is_under_way=is_waiting and delivery.attempts > len(attempts),
        resend_url=delivery_path(delivery.delivery_id, "/resend")
        if may_resend and delivery.state is not DeliveryState.FOLDED
        else "",
        resend_label="Try now" if is_waiting else "Resend",
        was_delivered=any(it.outcome is AttemptOutcome.DELIVERED for it in attempts),
    )


def build_page(notice: Notice, card: DeliveryCard, delivery: Delivery) -> DeliveryPage:
    """Return the whole page: the card, and what is told as it was when it happened."""
    event, is_test = HAPPENINGS[notice.event], notice.event is Happening.TEST
    return DeliveryPage(
        title=notice.trigger.name if is_test else headline(notice),
        subtitle=headline(notice) if is_test else f"{event}: {notice.trigger.name}",
        card=card,
        lead_url=lead_url(delivery),
        summary=headline(notice),
        facts=tuple(Fact(label, value) for label, value in facts(notice.lead)),
        reasons=tuple(reason_line(it) for it in notice.reasons),
        recent=tuple(action_line(it) for it in notice.recent),
        links=_links(delivery),
        list_url=DELIVERIES,
    )


def _channel_name(scope: Scope, delivery: Delivery) -> str:
    """Return the name of the channel it goes through, as long as there is one."""
    channels = queries.list_channels(scope) if delivery.channel_id else []
    return next((it.name for it in channels if it.channel_id == delivery.channel_id), "")


def _facts(delivery: Delivery) -> tuple[Fact, ...]:
    known = (("For", delivery.recipient), ("ID", str(delivery.delivery_id)))
    return tuple(Fact(label, value) for label, value in known if value)


def _links(delivery: Delivery) -> tuple[Link, ...]:
    wanted = (
        ("Deliveries of this trigger", "trigger_id", str(delivery.trigger_id or "")),
        ("Deliveries about this lead", "lead_id", delivery.lead_id),
        ("Deliveries to this destination", "destination_id", str(delivery.destination_id)),
    )
    return tuple(
        Link(label, query_url(DELIVERIES, {name: value})) for label, name, value in wanted if value
    )


def _attempt(attempt: DeliveryAttempt) -> AttemptRow:
    figures = [str(attempt.status or ""), _took(attempt.milliseconds)]
    return AttemptRow(
        title=f"Attempt {attempt.attempt:,}",
        outcome=OUTCOMES[attempt.outcome] + (f": {attempt.problem}" if attempt.problem else ""),
        is_bad=attempt.outcome is not AttemptOutcome.DELIVERED,
        figures=" · ".join(it for it in figures if it),
        started_at=Moment.of(attempt.started_at),
        request=_readable(attempt.request),
        response=_readable(attempt.response),
    )


def _readable(message: str) -> str:
    """Indent the JSON of a message; what is none, or was cut short, stays as it is."""
    head, gap, body = message.partition("\n\n")
    try:
        content = json.loads(body)
    except ValueError:
        return message
    return head + gap + json.dumps(content, ensure_ascii=False, indent=2)


def _took(milliseconds: int) -> str:
    return (
        f"{milliseconds} ms"
        if milliseconds < MILLISECONDS
        else f"{milliseconds / MILLISECONDS:.1f} s"
    )
