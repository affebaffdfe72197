"""Events that could not be processed: what went wrong, and another try or the end of them."""

from __future__ import annotations

import json
from typing import Any

from flask import Blueprint, flash, redirect, request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.events import queries, service
from leadvibe.events.types import DeadLetter
from leadvibe.http.permissions import require
from leadvibe.http.workers import ring_for_pipeline
from leadvibe.identity.permissions import Permission, can
from leadvibe.identity.types import Principal
from leadvibe.web.pages import dead_letters as models
from leadvibe.web.pages.display import Moment, Pager, Tone, counted, pager_label, query_url
from leadvibe.web.rendering import render

DEAD_LETTERS = "/app/dead-letters"
FRAGMENTS = {"dead-letters": "dead_letters/_list.html"}
SIZE = 25
MOST_PAGE_DIGITS = 9
LONGEST_PAYLOAD = 20_000

pages = Blueprint("dead_letters", __name__)


@pages.get("/dead-letters")
def show_dead_letters() -> AnyResponse:
    principal = require(Permission.READ)
    total = queries.count_dead_letters(principal.scope)
    number = min(_page_number(), _last_page(total))
    return render(
        "dead_letters/page.html",
        page=_page(principal, number, total),
        section=DEAD_LETTERS,
        fragments=FRAGMENTS,
    )


@pages.post("/dead-letters/retry")
def retry_all() -> AnyResponse:
    count = service.retry_dead_letters(require(Permission.WRITE_DATA).scope)
    ring_for_pipeline()
    flash(f"{counted(count, 'event')} will be processed again.", Tone.OK)
    return redirect(DEAD_LETTERS, 303)


@pages.post("/dead-letters/<int(max=9223372036854775807):receipt>/retry")
def retry(receipt: int) -> AnyResponse:
    service.retry_dead_letter(require(Permission.WRITE_DATA).scope, receipt)
    ring_for_pipeline()
    flash("The event will be processed again.", Tone.OK)
    return redirect(DEAD_LETTERS, 303)


@pages.post("/dead-letters/<int(max=9223372036854775807):receipt>/discard")
def discard(receipt: int) -> AnyResponse:
    service.discard_dead_letter(require(Permission.WRITE_DATA).scope, receipt)
    flash("The event is gone for good.", Tone.OK)
    return redirect(DEAD_LETTERS, 303)


def _page_number() -> int:
    text = request.args.get("page", "1")
    return max(1, int(text)) if text.isdecimal() and len(text) <= MOST_PAGE_DIGITS else 1


def _last_page(total: int) -> int:
    return max(1, -(-total // SIZE))


def _page(principal: Principal, number: int, total: int) -> models.DeadLettersPage:
    offset = (number - 1) * SIZE
    letters = queries.list_dead_letters(principal.scope, limit=SIZE, offset=offset)
    return models.DeadLettersPage(
        letters=tuple(_letter(letter) for letter in letters),
        total=counted(total, "event"),
        pager=_pager(number, offset, len(letters), total),
        retry_all_url=f"{DEAD_LETTERS}/retry",
        can_edit=can(principal, Permission.WRITE_DATA),
    )


def _pager(number: int, offset: int, shown: int, total: int) -> Pager:
    has_more = offset + shown < total
    return Pager(
        label=pager_label(offset + 1, offset + shown, total),
        previous_url=_page_url(number - 1) if number > 1 else None,
        next_url=_page_url(number + 1) if has_more else None,
    )


def _page_url(number: int) -> str:
    return query_url(DEAD_LETTERS, {"page": str(number) if number > 1 else ""})


def _letter(letter: DeadLetter) -> models.DeadLetter:
    document = json.loads(letter.payload)
    url = f"{DEAD_LETTERS}/{letter.receipt}"
    return models.DeadLetter(
        id=str(letter.receipt),
        received_at=Moment.of(letter.received_at),
        source=letter.source.partition(":")[0],
        event_type=_event_type(document),
        error=letter.error,
        payload=_spell(document),
        retry_url=f"{url}/retry",
        discard_url=f"{url}/discard",
    )


def _event_type(document: Any) -> str:
    event_type = document.get("event_type") if isinstance(document, dict) else None
    return event_type if isinstance(event_type, str) else ""


def _spell(document: Any) -> str:
    text = json.dumps(document, ensure_ascii=False, indent=2)
    return text if len(text) <= LONGEST_PAYLOAD else f"{text[:LONGEST_PAYLOAD]}\n…"
