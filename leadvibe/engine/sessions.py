"""Visits: runs of a lead's events without a long gap between them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

from leadvibe.engine.facts import Session


def group_sessions(
    open_session: Session | None, moments: Iterable[tuple[datetime, timedelta]]
) -> list[Session]:
    """Return the sessions that the moments continue or begin, oldest first.

    A moment is an event's time, in ascending order, with the longest gap before it that still
    continues a session (a gap of exactly that length does). The first session returned is the open
    one when it was continued; one that was not is left out, for nothing about it changed.
    """
    sessions: list[Session] = []
    current = open_session
    for at, timeout in moments:
        if current is not None and at - current.ended_at <= timeout:
            current = Session(current.started_at, at, current.event_count + 1)
            sessions[-1:] = [current]  # empty only when it is the open one that goes on
        else:
            current = Session(at, at, 1)
            sessions.append(current)
    return sessions
