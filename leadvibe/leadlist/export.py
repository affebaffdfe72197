"""An audience as a file that people open in spreadsheets."""

from __future__ import annotations

from collections.abc import Iterator

from leadvibe.identity.types import Scope
from leadvibe.leadlist.queries import stream_members
from leadvibe.lib.spreadsheets import write_csv
from leadvibe.segments.membership import Audience

COLUMNS = (
    "lead_id", "name", "detail", "score", "owner_name", "last_event_at", "last_event_type",
    "event_count", "session_count", "created_at",
)  # fmt: skip


def write_members(scope: Scope, audience: Audience) -> Iterator[str]:
    """Yield CSV text of everybody in an audience, the highest score first, as it is read."""
    lines = stream_members(scope, audience)
    return write_csv(COLUMNS, (tuple(getattr(line, name) for name in COLUMNS) for line in lines))
