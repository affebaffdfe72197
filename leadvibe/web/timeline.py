"""What happened with a lead, newest first, batch by batch: each begins where the last one ended."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import groupby
from uuid import UUID

from leadvibe.engine.policies import LEAD_MERGED_TYPE, LEAD_UNMERGED_TYPE
from leadvibe.events.queries import TimelinePosition, list_event_types
from leadvibe.events.types import Event, Order
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.leadlist.history import (
    EVENT_RANK,
    NOTE_RANK,
    ORDER_RANK,
    STATUS_RANK,
    TRIGGER_RANK,
    HistoryFilter,
    Item,
    Kind,
    Place,
    place_of,
)
from leadvibe.leads.notes import Note
from leadvibe.leads.statuses import StatusChange
from leadvibe.scoring.types import LedgerEntry, Ruleset
from leadvibe.scoring.wording import signed
from leadvibe.triggers.types import EmittedEvent
from leadvibe.web.delivery_paths import DELIVERIES
from leadvibe.web.event_icons import event_icon
from leadvibe.web.event_positions import EPOCH, MICROSECOND, read_position, write_position
from leadvibe.web.facts import list_facts, summarize
from leadvibe.web.forms.lead import NoteForm
from leadvibe.web.lead_state import LeadState
from leadvibe.web.pages.display import Choice, Link, Moment, query_url
from leadvibe.web.pages.explanation import direction
from leadvibe.web.pages.lead import Drafts
from leadvibe.web.pages.timeline import (
    HistoryControls,
    Older,
    Points,
    Timeline,
    TimelineDay,
    TimelineEvent,
    TimelineNote,
)
from leadvibe.web.recorded_filter import STATUS_LABELS
from leadvibe.web.trigger_words import KIND_LABELS as TRIGGER_KINDS

SURFACES = {
    "nexus": "the Nexus ERP API",
    "octanist": "the Octanist API",
    "wordpress": "WordPress",
    "import": "an import",
}
"""What changes of status come in by, besides pages and our own API."""

BATCH = 50
NEWEST_ID = "timeline-newest"
OFFERED_TYPES = 200

_OTHER = re.compile(r"([0-9]{1,20})-([ntos])-((?:[0-9a-f]{2}){1,2000})")
_RANKS = {"n": NOTE_RANK, "t": TRIGGER_RANK, "o": ORDER_RANK, "s": STATUS_RANK}
_LETTERS = {rank: letter for letter, rank in _RANKS.items()}

REASONS = {
    "inorganic": "Too many of these in too short a time",
    "inorganic_grouped": "One of a burst, of which the first counted",
    "metadata_filter": "Left out by an attribute filter",
}
KINDS = (
    ("", "Everything"),
    (Kind.EVENT, "Events"),
    (Kind.NOTE, "Notes"),
    (Kind.TRIGGER, "Triggers"),
    (Kind.ORDER, "Orders"),
    (Kind.STATUS, "Status"),
    (Kind.CHANGE, "Decay and merges"),
)
NOTHING = {
    Kind.NOTE: ("No notes yet", "Write down what no event says: a call, a promise, a doubt."),
    Kind.TRIGGER: ("No trigger has fired", "Triggers that fire for this lead appear here."),
    Kind.ORDER: ("No orders", "Orders that are recorded for this lead appear here."),
    Kind.STATUS: ("No change of status", "How far sales is with this lead appears here."),
    Kind.CHANGE: ("No decay and no merges", "What Leadvibe does to this lead appears here."),
}
CHANGES = {LEAD_MERGED_TYPE: "Leads merged into this one", LEAD_UNMERGED_TYPE: "Leads taken out"}


@dataclass(frozen=True, slots=True, kw_only=True)
class TimelineQuery:
    """Which stretch of history is asked for: from the newest on, or from before a place."""

    state: LeadState
    filter: HistoryFilter
    before: Place | None = None
    event_id: UUID | None = None
    """The event that the address names, to be marked."""

    @property
    def batch_id(self) -> str:
        """The id under which a link waits for this batch."""
        return NEWEST_ID if self.before is None else f"timeline-{write_place(self.before)}"

    @property
    def is_narrowed(self) -> bool:
        return self.filter.kind is not None or bool(self.filter.event_type)


def read_filter(state: LeadState) -> HistoryFilter:
    """Read what the history is narrowed to; what makes no sense does not narrow it."""
    kind, event_type = state.get("kind"), state.get("type").replace("\0", "")
    return HistoryFilter(Kind(kind) if kind in set(Kind) else None, event_type)


def write_place(place: Place) -> str:
    """Spell a place for an address: microseconds of the epoch, what it is, and which one."""
    if place.rank == EVENT_RANK:
        return write_position(TimelinePosition(place.at, place.receipt, UUID(place.key)))
    micros = (place.at - EPOCH) // MICROSECOND
    key = place.key.encode().hex() if place.rank == ORDER_RANK else place.key
    return f"{micros}-{_LETTERS[place.rank]}-{key}"


def read_place(text: str) -> Place | None:
    """Read what write_place wrote; None for anything else."""
    if event := read_position(text):
        return Place(event.occurred_at, EVENT_RANK, event.receipt, event.event_id.hex)
    other = _OTHER.fullmatch(text)
    if other is None:
        return None
    micros, letter, key = other.groups()
    try:
        at = EPOCH + int(micros) * MICROSECOND
        return Place(at, _RANKS[letter], 0, _key(letter, key))
    except (OverflowError, ValueError):
        return None


def _key(letter: str, spelled: str) -> str:
    if letter != "o":
        return UUID(spelled).hex
    key = bytes.fromhex(spelled).decode()
    if "\0" in key:
        raise ValueError(key)
    return key


def place_behind(event: Event) -> Place:
    """Return the first place behind an event: what comes before it begins with the event."""
    return place_of(event)._replace(key=UUID(int=event.event_id.int + 1).hex)


def build_timeline(
    principal: Principal,
    query: TimelineQuery,
    items: Sequence[Item],
    *,
    entries: Sequence[LedgerEntry],
    rulesets: Sequence[Ruleset],
    drafts: Drafts,
    now: datetime,
) -> Timeline:
    """Arrange a batch by days; one item more than BATCH says that there are older ones.

    A batch that goes on in the day where the last one ended does not name that day again.
    """
    shown = items[:BATCH]
    line = _Line(principal, query, _points(entries, rulesets), drafts)
    days = tuple(
        TimelineDay(label=_day_label(day, query, now), events=tuple(map(line.of, of_day)))
        for day, of_day in groupby(shown, key=_day)
    )
    title, text = _nothing(query.filter)
    return Timeline(
        id=query.batch_id,
        days=days,
        older=_older(query, shown[-1]) if len(items) > BATCH else None,
        newest_url=query.state.url() if query.before is not None else "",
        empty_title=title,
        empty_text=text,
        controls=_controls(principal, query, drafts),
    )


def _controls(principal: Principal, query: TimelineQuery, drafts: Drafts) -> HistoryControls:
    state, wanted = query.state, query.filter
    names = [it.name for it in list_event_types(principal.scope)[:OFFERED_TYPES] if not it.hidden]
    if wanted.event_type and wanted.event_type not in names:
        names.append(wanted.event_type)
    can_write = can(principal, Permission.WRITE_DATA)
    is_new = drafts.note is not None and not drafts.note_id
    return HistoryControls(
        kinds=tuple(
            Choice(
                label,
                str(kind),
                not wanted.event_type and wanted.kind == (kind or None),
                state.url(kind=str(kind), type=""),
            )
            for kind, label in KINDS
        ),
        types=tuple(Choice(name, name, name == wanted.event_type) for name in sorted(names)),
        type_name=wanted.event_type,
        action_url=state.path,
        kept=tuple(
            (name, value) for name, value in state.params.items() if name not in {"kind", "type"}
        ),
        clear_url=state.url(kind="", type="") if query.is_narrowed else "",
        note_form=(drafts.note if is_new else NoteForm()) if can_write else None,
        note_url=f"{state.path}/notes",
    )


def _nothing(wanted: HistoryFilter) -> tuple[str, str]:
    if wanted.event_type:
        return f"No {wanted.event_type}", "This lead has no event of this type."
    return NOTHING.get(
        wanted.kind or Kind.EVENT,
        ("Nothing happened yet", "Events appear here as soon as they are processed."),
    )


def _day(item: Item) -> date:
    return place_of(item).at.astimezone(UTC).date()


def _day_label(day: date, query: TimelineQuery, now: datetime) -> str:
    if (
        query.before is not None
        and query.event_id is None
        and day == query.before.at.astimezone(UTC).date()
    ):
        return ""
    today = now.astimezone(UTC).date()
    if day == today:
        return "Today"
    if day == today - timedelta(days=1):
        return "Yesterday"
    return f"{day:%A}, {day.day} {day:%B %Y}"


def _older(query: TimelineQuery, last: Item) -> Older:
    place = write_place(place_of(last))
    return Older(url=query.state.url(before=place), id=f"timeline-{place}")


@dataclass(frozen=True, slots=True)
class _Line:
    """How each item is shown to who asks."""

    principal: Principal
    query: TimelineQuery
    points: Mapping[UUID, tuple[Points, ...]]
    drafts: Drafts

    def of(self, item: Item) -> TimelineEvent:
        if isinstance(item, Event):
            return self._event(item)
        if isinstance(item, Order):
            return self._order(item)
        if isinstance(item, StatusChange):
            return self._status(item)
        return self._trigger(item) if isinstance(item, EmittedEvent) else self._note(item)

    def _event(self, event: Event) -> TimelineEvent:
        reason = event.suppression_reason
        return TimelineEvent(
            id=f"event-{event.event_id}",
            event_type=CHANGES.get(event.event_type, event.event_type),
            at=Moment.of(event.occurred_at),
            channel=event.channel,
            icon=event_icon(event.event_type, event.channel),
            summary=summarize(event.event_type, event.metadata),
            points=self.points.get(event.event_id, ()),
            reason=REASONS.get(reason, reason) if reason else "",
            metadata=list_facts(event.metadata),
            is_linked=event.event_id == self.query.event_id,
        )

    def _order(self, order: Order) -> TimelineEvent:
        return TimelineEvent(
            id=f"order-{order.order_id.encode().hex()}",
            event_type="Order",
            at=Moment.of(order.ordered_at),
            channel="order",
            icon="shopping-cart",
            summary=f"{order.amount:,.2f} {order.currency} · {order.status}",
            metadata=list_facts({"order": order.order_id, "items": list(order.items)}),
        )

    def _status(self, change: StatusChange) -> TimelineEvent:
        surface = SURFACES.get(change.via.partition(":")[0])
        by = f"{change.changed_by} over {surface}" if surface else change.changed_by
        return TimelineEvent(
            id=f"status-{change.change_id}",
            event_type=STATUS_LABELS[change.status],
            at=Moment.of(change.changed_at),
            channel="status",
            icon="handshake",
            summary=f"from {STATUS_LABELS[change.before]} · by {by}",
        )

    def _trigger(self, emitted: EmittedEvent) -> TimelineEvent:
        told = {"trigger_id": str(emitted.trigger_id), "lead_id": emitted.lead_id}
        return TimelineEvent(
            id=f"trigger-{emitted.emitted_id}",
            event_type=emitted.trigger_name or TRIGGER_KINDS[emitted.kind][0],
            at=Moment.of(emitted.occurred_at),
            channel="trigger",
            icon="zap",
            summary=f"{TRIGGER_KINDS[emitted.kind][0]} · {emitted.summary}",
            link=Link("Who was told", query_url(DELIVERIES, told)),
        )

    def _note(self, note: Note) -> TimelineEvent:
        return TimelineEvent(
            id=f"note-{note.note_id}",
            event_type=note.author_name,
            at=Moment.of(note.created_at),
            channel="note",
            icon="sticky-note",
            note=self._open_note(note)
            if self._may_change(note)
            else TimelineNote(
                text=note.text, was_edited=note.was_edited, edited_by=note.edited_by or ""
            ),
        )

    def _may_change(self, note: Note) -> bool:
        is_own = note.author_id == self.principal.member_id
        return can(self.principal, Permission.OWN) or (
            is_own and can(self.principal, Permission.WRITE_DATA)
        )

    def _open_note(self, note: Note) -> TimelineNote:
        url, is_open = f"{self.query.state.path}/notes/{note.note_id}", False
        form = NoteForm(data={"text": note.text, "state": note.updated_at.isoformat()})
        if self.drafts.note is not None and self.drafts.note_id == str(note.note_id):
            form, is_open = self.drafts.note, True
        return TimelineNote(
            text=note.text,
            was_edited=note.was_edited,
            edited_by=note.edited_by or "",
            form=form,
            is_open=is_open,
            save_url=url,
            delete_url=f"{url}/delete",
            delete_id=f"delete-note-{note.note_id}",
        )


def _points(
    entries: Sequence[LedgerEntry], rulesets: Sequence[Ruleset]
) -> Mapping[UUID, tuple[Points, ...]]:
    """Sum what each ruleset made of each event, in the order of the rulesets."""
    sums: dict[UUID, dict[UUID, int]] = {}
    for entry in entries:
        of_event = sums.setdefault(entry.event_id, {})
        of_event[entry.ruleset_id] = of_event.get(entry.ruleset_id, 0) + entry.delta
    return {
        event_id: tuple(
            _point(ruleset, of_event[ruleset.ruleset_id])
            for ruleset in rulesets
            if ruleset.ruleset_id in of_event
        )
        for event_id, of_event in sums.items()
    }


def _point(ruleset: Ruleset, delta: int) -> Points:
    return Points(
        text=signed(delta),
        ruleset=ruleset.name,
        direction=direction(delta),
        is_primary=ruleset.is_primary,
    )
