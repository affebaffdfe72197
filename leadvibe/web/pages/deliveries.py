"""Deliveries and destinations: templates/deliveries/, with the fragments that htmx replaces.

page.html lists deliveries (_list.html), delivery.html shows one (_delivery.html, which asks for
itself again while an attempt is near), destinations.html where they go, secret.html what signs.
"""

from __future__ import annotations

from dataclasses import dataclass

from leadvibe.web.pages.display import Choice, Fact, Link, Moment, Pager, Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a notice goes, with nothing secret in its label."""

    transport: str
    icon: str
    label: str


@dataclass(frozen=True, slots=True, kw_only=True)
class State:
    label: str
    tone: Tone
    next_try: Moment | None = None
    """When it is tried again; None too when that is now."""
    into_url: str = ""
    """The delivery that tells it, when another does."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryRow:
    url: str
    event: str
    trigger: str
    trigger_url: str
    """The list narrowed down to its trigger; empty for a test."""
    lead: str
    lead_url: str
    """Empty when the lead exists in the test alone."""
    place: Place
    recipient: str
    """E-mail address of the member it is personal to."""
    state: State
    problem: str
    attempts: str
    created_at: Moment


@dataclass(frozen=True, slots=True, kw_only=True)
class Chip:
    """A filter in force that no control shows."""

    label: str
    value: str
    remove_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveriesPage:
    tabs: tuple[Choice, ...]
    action_url: str
    states: tuple[Choice, ...]
    transports: tuple[Choice, ...]
    search: str
    hidden: tuple[Fact, ...]
    """Filters that the form hands on."""
    chips: tuple[Chip, ...]
    rows: tuple[DeliveryRow, ...]
    pager: Pager
    is_filtered: bool
    clear_url: str
    channels_url: str
    error: str = ""
    note: str = ""
    """What the list leaves out."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptRow:
    title: str
    outcome: str
    """What came of it: "Delivered", or the problem in plain words."""
    is_bad: bool
    figures: str
    """"503 · 120 ms"."""
    started_at: Moment
    request: str
    response: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryCard:
    """What changes while it is on its way."""

    url: str
    is_near: bool
    """Whether something may happen soon, and the fragment asks again."""
    place: Place
    channel: str
    state: State
    problem: str
    facts: tuple[Fact, ...]
    created_at: Moment
    finished_at: Moment | None
    attempts: tuple[AttemptRow, ...]
    is_under_way: bool
    resend_url: str
    """Empty for members who may not, and for what another delivery tells."""
    resend_label: str
    was_delivered: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryPage:
    title: str
    subtitle: str
    card: DeliveryCard
    lead_url: str
    summary: str
    facts: tuple[Fact, ...]
    reasons: tuple[str, ...]
    recent: tuple[str, ...]
    links: tuple[Link, ...]
    """Deliveries of the same trigger, and about the same lead."""
    list_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationRow:
    id: str
    place: Place
    state: str
    tone: Tone
    paused_until: Moment | None
    problem: str
    last_delivered_at: Moment | None
    deliveries_url: str
    resume_url: str
    """Empty when there is nothing to resume, or for members who may not."""
    secret_url: str
    """Of webhooks, for owners."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DestinationsPage:
    tabs: tuple[Choice, ...]
    rows: tuple[DestinationRow, ...]
    pager: Pager
    channels_url: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SecretPage:
    """Shown to owners, and kept by no cache."""

    address: str
    secret: str
    problem: str
    """Why there is none to show."""
    former_until: Moment | None
    rotate_url: str
    list_url: str
