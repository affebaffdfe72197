"""Messages to Slack channels and people.

What people and leads have written is escaped, and everything is cut to what Block Kit accepts: a
message that is too long arrives shortened rather than not at all.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from leadvibe.notifications import wording
from leadvibe.notifications.slack_api import SlackApi, record_of
from leadvibe.notifications.types import (
    Happening,
    Notice,
    Parcel,
    Reason,
    Receipt,
    RecentAction,
    SlackTargetKind,
)

EVENT_TYPE = "leadvibe_notice"
LONGEST_SECTION = 3_000
LONGEST_FIELD = 1_900  # of 2,000, with the label
LONGEST_URL = 3_000
LONGEST_LINE = 200  # ten of them fit into a section
MOST_BLOCKS = 50
STRONGEST_REASONS = 3
LATEST_ACTIONS = 5
MOST_FOLDED = 10

_WHAT = {
    Happening.MILESTONE_REACHED: "Milestone",
    Happening.MILESTONE_EXITED: "Milestone",
    Happening.SEQUENCE_COMPLETED: "Sequence",
    Happening.PATTERN_MATCHED: "Pattern",
    Happening.SURGE_DETECTED: "Surge",
    Happening.TEST: "Test",
}

Block = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """A channel or a person in a workspace; for a person a direct message is opened first."""

    token: str = field(repr=False)
    kind: SlackTargetKind
    id: str
    base_url: str


def send(target: Target, parcel: Parcel) -> Receipt:
    """Write a message about a lead. Raises SlackError, a TransportError."""
    event = {"event_type": EVENT_TYPE, "event_payload": {"delivery_id": str(parcel.delivery_id)}}
    message = {"text": fallback(parcel), "blocks": blocks(parcel), "metadata": event}
    return _post(target, message)


def send_text(target: Target, text: str) -> Receipt:
    """Write a plain text. Raises SlackError, a TransportError."""
    return _post(target, {"text": fitted(text, LONGEST_SECTION)})


def fallback(parcel: Parcel) -> str:
    """Return the message where there is room for one line: notifications and old clients."""
    return fitted(wording.headline(parcel.notice), LONGEST_SECTION)


def blocks(parcel: Parcel) -> list[Block]:
    """Return the message as Block Kit has it."""
    notice = parcel.notice
    parts = [
        _section(f"*{fallback(parcel)}*"),
        _written(parcel.wording.message),
        _standing(notice),
        _list("Strongest reasons", map(_reason_line, _strongest(notice.reasons))),
        _list("Latest actions", map(_action_line, notice.recent[:LATEST_ACTIONS])),
        _list("Also", _folded_lines(parcel.folded)),
        _button(parcel.lead_url),
        _footer(notice),
    ]
    return [part for part in parts if part is not None][:MOST_BLOCKS]


def escaped(text: str) -> str:
    """Return text that Slack shows as it is, without making links or mentions of it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def fitted(text: str, longest: int) -> str:
    """Return escaped text of at most so many characters, with no escape cut through."""
    whole = escaped(text.strip())
    if len(whole) <= longest:
        return whole
    cut = whole[: longest - 1]
    start, ampersand, rest = cut.rpartition("&")
    return f"{start if ampersand and ';' not in rest else cut}…"


def _post(target: Target, message: dict[str, Any]) -> Receipt:
    api = SlackApi(target.base_url, target.token)
    body = {
        "channel": _channel_of(api, target),
        "unfurl_links": False,
        "unfurl_media": False,
        **message,
    }
    answer = api.call("chat.postMessage", body, as_json=True)
    said = {name: answer.get(name) for name in ("ok", "channel", "ts")}
    return Receipt(status=200, request=record_of(body), response=record_of(said))


def _channel_of(api: SlackApi, target: Target) -> str:
    if target.kind is SlackTargetKind.CHANNEL:
        return target.id
    opened = api.call("conversations.open", {"users": target.id})
    return str(opened["channel"]["id"])


def _standing(notice: Notice) -> Block:
    fields = [
        _markdown(f"*{label}*\n{fitted(value, LONGEST_FIELD)}")
        for label, value in wording.facts(notice.lead)
    ]
    return {"type": "section", "fields": fields}


def _written(message: str) -> Block | None:
    return _section(fitted(message, LONGEST_SECTION)) if message.strip() else None


def _list(title: str, lines: Iterable[str]) -> Block | None:
    listed = [f"• {line}" for line in lines]
    return _section("\n".join([f"*{title}*", *listed])) if listed else None


def _strongest(reasons: Iterable[Reason]) -> list[Reason]:
    return sorted(reasons, key=lambda it: -abs(it.points))[:STRONGEST_REASONS]


def _reason_line(reason: Reason) -> str:
    return fitted(wording.reason_line(reason), LONGEST_LINE)


def _action_line(action: RecentAction) -> str:
    event_type = wording.one_line(action.event_type, most=wording.LONGEST_NAME)
    return f"{fitted(event_type, LONGEST_LINE)}, {_when(action.timestamp)}"


def _folded_lines(folded: tuple[Notice, ...]) -> list[str]:
    lines = [
        f"{fitted(wording.one_line(it.summary, most=LONGEST_LINE), LONGEST_LINE)},"
        f" {_when(it.fired_at)}"
        for it in folded[:MOST_FOLDED]
    ]
    more = len(folded) - len(lines)
    return [*lines, f"and {more:,} more"] if more else lines


def _button(url: str) -> Block | None:
    if not url or len(url) > LONGEST_URL:
        return None
    text = {"type": "plain_text", "text": "Open lead"}
    button = {"type": "button", "text": text, "url": url, "action_id": "open_lead"}
    return {"type": "actions", "elements": [button]}


def _footer(notice: Notice) -> Block:
    name = wording.one_line(notice.trigger.name, most=wording.LONGEST_NAME)
    what = f"{_WHAT[notice.event]}: {fitted(name, LONGEST_LINE)}"
    return {
        "type": "context",
        "elements": [_markdown(f"{what} · {_when(notice.fired_at)}")],
    }


def _when(at: datetime) -> str:
    """Return a time that Slack shows in the reader's own zone."""
    text = f"{at:%Y-%m-%d %H:%M} UTC"
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time}}|{text}>"


def _section(text: str) -> Block:
    return {"type": "section", "text": _markdown(text)}


def _markdown(text: str) -> Block:
    return {"type": "mrkdwn", "text": text}
