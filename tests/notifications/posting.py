"""Notices to post, and a way to send them that a test decides about."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from uuid import UUID

from leadvibe.identity.types import Scope
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.ids import new_id
from leadvibe.notifications import outbox
from leadvibe.notifications.deliveries import Claim
from leadvibe.notifications.dispatch import Documents, Outcome, Sending
from leadvibe.notifications.errors import TransportError
from leadvibe.notifications.outbox import Addressee
from leadvibe.notifications.types import (
    Happening,
    Notice,
    NoticeLead,
    Receipt,
    Transport,
    TriggerName,
)


def make_notice(scope: Scope, lead_id: str = "lead") -> Notice:
    return Notice(
        event=Happening.MILESTONE_REACHED,
        id=new_id(),
        fired_at=utc_now(),
        org_id=scope.org_id,
        unit_id=scope.unit_id,
        trigger=TriggerName(trigger_id="t", name="Hot", type="milestone"),
        lead=NoticeLead(
            lead_id=lead_id, best_alias="Ada", email="ada@example.com", score=85,
            engagement_level="Hot", profile_level="Okay", owner_name=None, metadata={},
        ),
        cause=None,
        summary="reached 85 points",
    )  # fmt: skip


def post(
    scope: Scope, *addresses: str, transport: Transport = Transport.WEBHOOK, **fields
) -> Notice:
    """Post a notice to addresses and commit."""
    now = fields.pop("now", None) or utc_now()
    notice = make_notice(scope, fields.pop("lead_id", "lead"))
    addressees = [Addressee(transport=transport, address=it, **fields) for it in addresses]
    outbox.post(
        scope, [outbox.Posting(notice=notice, addressees=addressees, received_at=now)], now=now
    )
    commit()
    return notice


class Posted:
    """What became of a unit's deliveries."""

    def __init__(self, scope: Scope) -> None:
        self._scope = scope

    def rows(self, *columns: str) -> list[tuple]:
        return (
            driver()
            .execute(
                f"SELECT {', '.join(columns)} FROM deliveries d"
                " JOIN destinations t USING (unit_id, destination_id)"
                " WHERE d.unit_id = %s ORDER BY d.created_at, d.delivery_id",
                (self._scope.unit_id,),
            )
            .fetchall()
        )


RECEIPT = Receipt(status=200, request="POST /", response="ok")


def refuse(*, is_temporary: bool, retry_after: float | None = None) -> TransportError:
    return TransportError(
        "no", reason="the receiver said no", is_temporary=is_temporary,
        retry_after_seconds=retry_after, status=503, request="POST /", response="no",
    )  # fmt: skip


class Wire:
    """Sends nothing, and notes what it was given; `answer` says how each attempt goes."""

    def __init__(self) -> None:
        self.sent: list[tuple[UUID, str]] = []
        self.groups: list[int] = []
        self.folded: dict[UUID, int] = {}
        self.noted: list[Outcome] = []
        self.answer: Callable[[Claim], Outcome] = lambda _claim: RECEIPT

    def prepare(self, claims: Sequence[Claim], folded: Documents) -> Sending:
        self.groups.append(len(claims))
        for claim in claims:
            self.folded[claim.delivery_id] = len(folded.get(claim.delivery_id, ()))
        return lambda: [self._send(claim) for claim in claims]

    def _send(self, claim: Claim) -> Outcome:
        self.sent.append((claim.delivery_id, claim.address))
        return self.answer(claim)

    def note_outcome(self, claim: Claim, outcome: Outcome, *, now: datetime) -> None:
        self.noted.append(outcome)
