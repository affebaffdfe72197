"""Plain words for what a notice says, the same in every message; each transport lays them out.

Nothing here is escaped: names and metadata come from visitors, and each layout has its own ways.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

from leadvibe.notifications.types import Notice, NoticeLead, Parcel, Reason, RecentAction

MOST_METADATA = 12
LONGEST_NAME = 80
LONGEST_VALUE = 200
LONGEST_SUBJECT = 150
TIMES = "\N{MULTIPLICATION SIGN}"


def one_line(text: str, *, most: int) -> str:
    """Return the text on one line of at most so many characters, without invisible ones."""
    visible = "".join(char if char.isprintable() else " " for char in text)
    line = " ".join(visible.split())
    return line if len(line) <= most else f"{line[: most - 1].rstrip()}…"


def lines_of(text: str, *, most: int) -> list[str]:
    """Return the lines of what a member wrote, cut where they are longer than that together."""
    cut = text if len(text) <= most else f"{text[: most - 1].rstrip()}…"
    return [one_line(line, most=most) for line in cut.strip().splitlines()]


def headline(notice: Notice) -> str:
    """Say in a sentence what happened: `Ada Example reached 85 points (Hot)`."""
    name = one_line(notice.lead.best_alias, most=LONGEST_NAME)
    return f"{name} {one_line(notice.summary, most=LONGEST_VALUE)}"


def subject(parcel: Parcel) -> str:
    """Return the one line that a message is known by: the member's own, or the headline."""
    wording, more = parcel.wording, len(parcel.folded)
    usual = headline(parcel.notice) + (f" and {more} more" if more else "")
    return one_line(f"{wording.subject_prefix} {wording.subject or usual}", most=LONGEST_SUBJECT)


def facts(lead: NoticeLead) -> list[tuple[str, str]]:
    """Return what counts about a lead, by label, without what is unknown."""
    known = [
        ("Score", f"{lead.score:,}"),
        ("Engagement", lead.engagement_level),
        ("Profile", lead.profile_level),
        ("Owner", lead.owner_name or ""),
    ]
    return [(label, one_line(value, most=LONGEST_VALUE)) for label, value in known if value]


def metadata_rows(lead: NoticeLead) -> list[tuple[str, str]]:
    """Return the beginning of the lead's metadata, by key, without what is empty."""
    known = [
        (key, value) for key, value in lead.metadata.items() if value not in (None, "", [], {})
    ]
    return [
        (one_line(key, most=LONGEST_NAME), one_line(_plain(value), most=LONGEST_VALUE))
        for key, value in known[:MOST_METADATA]
    ]


def reason_line(reason: Reason) -> str:
    """Say what moved the score: `demo_request +100 (2x)`, with a proper sign."""
    times = f" ({reason.count}{TIMES})" if reason.count > 1 else ""
    return f"{one_line(reason.event_type, most=LONGEST_NAME)} {reason.points:+,}{times}"


def action_line(action: RecentAction) -> str:
    """Say what the lead did: `pricing_page, 28 Nov 2026, 09:12 UTC (web)`."""
    channel = f" ({one_line(action.channel, most=LONGEST_NAME)})" if action.channel else ""
    event_type = one_line(action.event_type, most=LONGEST_NAME)
    return f"{event_type}, {moment(action.timestamp)}{channel}"


def notice_line(notice: Notice) -> str:
    """Say what happened and when, for a notice among others."""
    return f"{headline(notice)}, {moment(notice.fired_at)}"


def moment(at: datetime) -> str:
    """Return a time that stays true however late it is read: `28 Nov 2026, 09:12 UTC`."""
    at = at.astimezone(UTC)
    return f"{at.day} {at:%b %Y, %H:%M} UTC"


def _plain(value: Any) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "yes" if value else "no"
    return json.dumps(value, ensure_ascii=False, default=str)
