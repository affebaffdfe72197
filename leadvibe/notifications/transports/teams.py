"""Cards to Microsoft Teams, by the URL of a workflow that posts what it receives.

What visitors and members wrote goes into runs of text, which Teams shows as they are: a TextBlock
and a fact would read it as Markdown, links included.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from leadvibe.lib.outbound import Outbound
from leadvibe.notifications import wording
from leadvibe.notifications.addresses import masked_url
from leadvibe.notifications.exchange import compact_json, exchange, settle
from leadvibe.notifications.types import Parcel, Receipt

MOST_BYTES = 28 * 1024  # of a message, by Teams
MOST_REASONS = 3
MOST_ACTIONS = 5
MOST_FOLDED = 10
LONGEST_MESSAGE = 4_000
MOST_LINES = 40  # of the message, which leaves room for the facts whatever it says

Block = dict[str, Any]


def send(outbound: Outbound, url: str, parcel: Parcel, *, now: datetime) -> Receipt:
    """Post a parcel as a card. Raises TransportError, which like the receipt hides the query."""
    headers = {"X-Leadvibe-Delivery": str(parcel.delivery_id)}
    made = exchange(
        outbound,
        "POST",
        url,
        headers=headers,
        content=message_of(parcel),
        shown_url=masked_url(url),
    )
    return settle(made, receiver="Teams", now=now)


def message_of(parcel: Parcel) -> bytes:
    """Return the message as JSON; what comes last in the card is left out where it is too long."""
    blocks = list(_blocks(parcel))
    while len(message := compact_json(_message(parcel, blocks))) > MOST_BYTES:
        blocks.pop()
    return message


def _message(parcel: Parcel, blocks: Sequence[Block]) -> dict[str, Any]:
    card = {
        "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
        "type": "AdaptiveCard",
        "version": "1.4",
        "body": blocks,
        "actions": [{"type": "Action.OpenUrl", "title": "Open lead", "url": parcel.lead_url}],
        "msteams": {"width": "Full"},
    }
    kind = "application/vnd.microsoft.card.adaptive"
    attachment = {"contentType": kind, "contentUrl": None, "content": card}
    return {"type": "message", "summary": wording.subject(parcel), "attachments": [attachment]}


def _blocks(parcel: Parcel) -> Iterable[Block]:
    """Return the card from top to bottom, the most important first."""
    notice = parcel.notice
    yield _rich(_run(wording.subject(parcel), weight="Bolder", size="Large"))
    message = wording.lines_of(parcel.wording.message, most=LONGEST_MESSAGE)
    yield from (_rich(_run(line or " "), spacing="Small") for line in message[:MOST_LINES])
    yield from _facts(wording.facts(notice.lead))
    yield from _list("Why", map(wording.reason_line, notice.reasons[:MOST_REASONS]))
    yield from _list("Recent actions", map(wording.action_line, notice.recent[:MOST_ACTIONS]))
    yield from _list("Also", map(wording.notice_line, parcel.folded[:MOST_FOLDED]))


def _facts(facts: Iterable[tuple[str, str]]) -> Iterable[Block]:
    for label, value in facts:
        yield _rich(_run(f"{label}: ", weight="Bolder"), _run(value), spacing="Small")


def _list(title: str, lines: Iterable[str]) -> Iterable[Block]:
    for position, line in enumerate(lines):
        if position == 0:
            yield _rich(_run(title, weight="Bolder"), spacing="Medium")
        yield _rich(_run(f"• {line}"), spacing="Small")


def _rich(*runs: Block, spacing: str = "Default") -> Block:
    return {"type": "RichTextBlock", "inlines": list(runs), "spacing": spacing}


def _run(text: str, **looks: str) -> Block:
    return {"type": "TextRun", "text": text, **looks}
