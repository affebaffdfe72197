"""The live feed: the latest events as a list, which scripts ask for again as news come in."""

from __future__ import annotations

from collections.abc import Collection

from leadvibe.engine.levels import LevelCut
from leadvibe.identity.types import Scope
from leadvibe.metrics.latest import LatestEvent, list_latest
from leadvibe.scoring.queries import list_levels
from leadvibe.web.event_icons import event_icon
from leadvibe.web.facts import summarize
from leadvibe.web.home_range import HomeRange
from leadvibe.web.lead_paths import lead_path
from leadvibe.web.level_badges import badge_of
from leadvibe.web.pages.display import Moment, query_url, thousands
from leadvibe.web.pages.home import Feed, FeedRow

ROWS = 12
STREAM = "/stream"


def build_feed(scope: Scope, span: HomeRange, hidden: Collection[str]) -> Feed:
    cut = LevelCut(list_levels(scope))
    return Feed(
        rows=tuple(_row(it, cut) for it in list_latest(scope, hidden=hidden, limit=ROWS)),
        url=span.url(),
        stream_url=query_url(STREAM, {"ouId": str(scope.unit_id)}),
    )


def _row(event: LatestEvent, cut: LevelCut) -> FeedRow:
    url = query_url(lead_path(event.lead_id), {"event": str(event.event_id)})
    return FeedRow(
        id=f"feed-{event.event_id}",
        at=Moment.of(event.occurred_at),
        lead=event.lead_name,
        lead_url=f"{url}#event-{event.event_id}",
        event_type=event.event_type,
        summary=summarize(event.event_type, event.metadata),
        channel=event.channel,
        icon=event_icon(event.event_type, event.channel),
        level=badge_of(cut, event.score),
        score=thousands(event.score),
    )
