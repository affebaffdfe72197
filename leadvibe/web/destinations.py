"""Destinations: where notices go, whether they get there, and what webhooks are signed with."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.http.permissions import require_member
from leadvibe.http.sealing import sealer
from leadvibe.http.workers import job_queue
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.lib.clock import utc_now
from leadvibe.lib.paging import PageRequest
from leadvibe.notifications import destinations, queries
from leadvibe.notifications.addresses import shown_address
from leadvibe.notifications.deliveries import ring_for_deliveries
from leadvibe.notifications.errors import NoSecretError
from leadvibe.notifications.types import Destination, SigningSecret, Transport
from leadvibe.web.delivery_paths import DELIVERIES, DESTINATIONS, destination_path, tabs
from leadvibe.web.delivery_query import PAGE_SIZE, page_number
from leadvibe.web.notice_words import SlackNames, place_of, slack_names
from leadvibe.web.pages.deliveries import DestinationRow, DestinationsPage, SecretPage
from leadvibe.web.pages.display import Moment, Pager, Tone, pager_label, query_url
from leadvibe.web.redirects import NOTIFICATIONS
from leadvibe.web.rendering import render

FRAGMENTS = {"destinations": "deliveries/_destinations.html"}
TONES = {"working": Tone.OK, "failing": Tone.WARN, "never used": Tone.NEUTRAL}

pages = Blueprint("destinations", __name__)


@pages.get("/deliveries/destinations")
def show_destinations() -> AnyResponse:
    principal = require_member(Permission.READ)
    total = queries.count_destinations(principal.scope)
    number = min(page_number(request.args), max(1, -(-total // PAGE_SIZE)))
    asked = PageRequest(number, PAGE_SIZE)
    names, now = slack_names(principal.scope), utc_now()
    rows = [
        _row(principal, it, names, now=now)
        for it in queries.list_destinations(principal.scope, asked)
    ]
    page = DestinationsPage(
        tabs=tabs(DESTINATIONS),
        rows=tuple(rows),
        pager=Pager(
            label=pager_label(asked.offset + 1, asked.offset + len(rows), total),
            previous_url=_page_url(number - 1) if number > 1 else None,
            next_url=_page_url(number + 1) if asked.offset + len(rows) < total else None,
        ),
        channels_url=NOTIFICATIONS,
    )
    return render(
        "deliveries/destinations.html", page=page, section=DELIVERIES, fragments=FRAGMENTS
    )


@pages.post("/deliveries/destinations/<uuid:destination_id>/resume")
def resume(destination_id: UUID) -> AnyResponse:
    scope = require_member(Permission.WRITE_DATA).scope
    destinations.resume(scope, destination_id, now=utc_now())
    ring_for_deliveries(job_queue())
    flash("What waits for it is tried now.", Tone.OK)
    return redirect(DESTINATIONS, 303)


@pages.get("/deliveries/destinations/<uuid:destination_id>/secret")
def show_secret(destination_id: UUID) -> AnyResponse:
    """Show what signs; it is made now if there is none yet."""
    scope, secret, problem = require_member(Permission.OWN).scope, None, ""
    try:
        secret = destinations.get_secret(scope, destination_id, sealer(), now=utc_now())
    except NoSecretError as error:
        problem = error.message
    found = queries.get_destination(scope, destination_id)
    return _answer_secret(found, secret, problem)


@pages.post("/deliveries/destinations/<uuid:destination_id>/rotate")
def rotate(destination_id: UUID) -> AnyResponse:
    scope = require_member(Permission.OWN).scope
    destinations.rotate_secret(scope, destination_id, sealer(), now=utc_now())
    flash("Notices are signed with a new secret from now on.", Tone.OK)
    return redirect(destination_path(destination_id, "/secret"), 303)


def _answer_secret(
    destination: Destination, secret: SigningSecret | None, problem: str
) -> AnyResponse:
    former_until = secret.former_until if secret else None
    is_signed = destination.transport is Transport.WEBHOOK
    page = SecretPage(
        address=shown_address(destination.transport, destination.address),
        secret=secret.secret if secret else "",
        problem=problem,
        former_until=Moment.of(former_until) if former_until else None,
        rotate_url=destination_path(destination.destination_id, "/rotate") if is_signed else "",
        list_url=DESTINATIONS,
    )
    response = render("deliveries/secret.html", page=page, section=DELIVERIES)
    response.headers["Cache-Control"] = "no-store"
    return response


def _page_url(number: int) -> str:
    return query_url(DESTINATIONS, {"page": str(number) if number > 1 else ""})


def _row(
    principal: Principal, destination: Destination, names: SlackNames, *, now: datetime
) -> DestinationRow:
    until, state = destination.paused_until, destination.state(now=now)
    is_paused = until is not None and until > now
    may_resume = can(principal, Permission.WRITE_DATA) and (is_paused or destination.failures > 0)
    is_signed = destination.transport is Transport.WEBHOOK
    last_at, id_ = destination.last_delivered_at, destination.destination_id
    return DestinationRow(
        id=str(id_),
        place=place_of(destination.transport, destination.address, names),
        state="Paused" if is_paused else state.capitalize(),
        tone=Tone.BAD if is_paused else TONES.get(state, Tone.NEUTRAL),
        paused_until=Moment.of(until) if until and is_paused else None,
        problem=destination.problem or "",
        last_delivered_at=Moment.of(last_at) if last_at else None,
        deliveries_url=query_url(DELIVERIES, {"destination_id": str(id_)}),
        resume_url=destination_path(id_, "/resume") if may_resume else "",
        secret_url=destination_path(id_, "/secret")
        if is_signed and can(principal, Permission.OWN)
        else "",
    )
