"""Whether all is well: what waits, what failed, who works, and what was used this month."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import cast

from flask import current_app

from leadvibe.events.queries import find_last_processed, inbox_status
from leadvibe.events.types import InboxStatus
from leadvibe.http.workers import last_beats
from leadvibe.identity.types import Principal
from leadvibe.metrics.usage import get_usage
from leadvibe.web.pages.display import (
    FULL_PERCENT,
    Moment,
    Tone,
    counted,
    duration,
    share,
    thousands,
)
from leadvibe.web.pages.home import Health, HealthRow, UsageLine

DEAD_LETTERS = "/app/dead-letters"
LATE = timedelta(minutes=1)
"""An event that has waited for so long should not have."""
NEARLY_USED = 80
ROLE_NAMES = {
    "pipeline": "Pipeline",
    "jobs": "Jobs",
    "notifications": "Notifications",
    "schedule": "Schedule",
}
WHAT_ROLES_DO = {
    "pipeline": "new events wait",
    "jobs": "imports and rescores wait",
    "notifications": "nothing is sent",
    "schedule": "no decay, no snapshots",
}


def build_health(principal: Principal, *, now: datetime) -> Health:
    scope = principal.scope
    inbox, beats = inbox_status(scope), last_beats()
    rows = (*_inbox_rows(inbox, find_last_processed(scope), now=now), *_worker_rows(beats))
    tones = [row.tone for row in rows]
    tone = next((it for it in (Tone.BAD, Tone.WARN) if it in tones), Tone.OK)
    return Health(
        summary={Tone.BAD: "Needs attention", Tone.WARN: "Look here"}.get(tone, "All well"),
        tone=tone,
        rows=rows,
        usage=_usage(principal, now=now),
    )


def _inbox_rows(
    inbox: InboxStatus, last_at: datetime | None, *, now: datetime
) -> Iterator[HealthRow]:
    waited = now - inbox.oldest_at if inbox.oldest_at else timedelta(0)
    yield HealthRow(
        label="Waiting to be scored",
        value=counted(inbox.waiting, "event"),
        note=f"the oldest for {duration(waited.total_seconds())}" if waited > LATE else "",
        tone=Tone.WARN if waited > LATE else Tone.NEUTRAL,
    )
    yield HealthRow(
        label="Last processed",
        value="" if last_at else "Nothing yet",
        at=Moment.of(last_at) if last_at else None,
    )
    yield HealthRow(
        label="Dead letters",
        value=thousands(inbox.dead_letters),
        url=DEAD_LETTERS,
        note="could not be processed" if inbox.dead_letters else "",
        tone=Tone.WARN if inbox.dead_letters else Tone.NEUTRAL,
    )


def _worker_rows(beats: Mapping[str, datetime | None] | None) -> Iterator[HealthRow]:
    if beats is None:
        note = "the broker does not answer, so whether anybody works is not known"
        yield HealthRow(label="Workers", value="Unknown", note=note, tone=Tone.BAD)
        return
    missing = [role for role, at in beats.items() if at is None]
    for role in missing:
        yield HealthRow(
            label=f"{ROLE_NAMES[role]} worker",
            value="Not seen for a minute",
            note=WHAT_ROLES_DO[role],
            tone=Tone.BAD,
        )
    seen = [at for at in beats.values() if at is not None]
    if seen:
        names = ", ".join(ROLE_NAMES[role].lower() for role in beats if role not in missing)
        yield HealthRow(
            label="Workers seen",
            value=f"{len(seen)} of {len(beats)}",
            note=names,
            at=Moment.of(min(seen)),
        )


def _usage(principal: Principal, *, now: datetime) -> UsageLine:
    limit = cast("int | None", current_app.config["MONTHLY_EVENT_LIMIT"])
    usage = get_usage(principal.scope, limit=limit, now=now)
    events, used = usage.current.events, share(usage.current.events, limit or 0)
    is_shared = usage.unit_events != events
    beyond = usage.current.overage
    return UsageLine(
        month=f"{usage.current.month:%B %Y}",
        events=thousands(events),
        noun="event" if events == 1 else "events",
        of_unit=f"{thousands(usage.unit_events)} in this unit" if is_shared else "",
        limit=thousands(limit) if limit is not None else "",
        share=used,
        note=f"{thousands(beyond)} beyond the plan" if beyond else "",
        tone=_tone_of_usage(used, is_beyond=bool(beyond)) if limit is not None else Tone.NEUTRAL,
    )


def _tone_of_usage(used: int, *, is_beyond: bool) -> Tone:
    if is_beyond or used >= FULL_PERCENT:
        return Tone.BAD
    return Tone.WARN if used >= NEARLY_USED else Tone.OK
