"""What the pages about triggers look up in a unit: names, and what is not heard."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from leadvibe.engine.levels import UNCLASSIFIED
from leadvibe.engine.policies import SYSTEM_TYPES, Reach
from leadvibe.engine.rules import Config, LevelKind
from leadvibe.engine.triggers import Milestone, types_of
from leadvibe.identity.types import Scope
from leadvibe.notifications.queries import list_channels
from leadvibe.notifications.slack import find_connection
from leadvibe.notifications.types import SlackConnection, SlackTargetKind
from leadvibe.scoring import queries as scoring
from leadvibe.scoring.types import Ruleset
from leadvibe.triggers.types import Setup
from leadvibe.web.trigger_words import Names

_LEVELS: Mapping[str, tuple[LevelKind, str]] = {
    "engagement_levels": (LevelKind.ENGAGEMENT, "engagement level"),
    "profile_levels": (LevelKind.PROFILE, "profile level"),
    "account_levels": (LevelKind.ACCOUNT, "account level"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    config: Config
    rulesets: list[Ruleset]
    slack: SlackConnection | None
    names: Names

    @property
    def is_in_slack(self) -> bool:
        return self.slack is not None and self.slack.is_connected

    def level_names(self, kind: LevelKind) -> list[str]:
        return [*(level.name for level in self.config.levels_of(kind)), UNCLASSIFIED]

    def warnings(self, setup: Setup) -> Iterator[str]:
        """Yield what keeps a trigger from firing, or from telling somebody."""
        yield from self._unheard(setup)
        shape = setup.shape
        if isinstance(shape, Milestone) and shape.ruleset_id not in {None, *self.names.rulesets}:
            yield "Its ruleset is deleted, so that no score can reach it: choose another."
        for field, (kind, noun) in _LEVELS.items():
            for name in set(getattr(setup.filters, field)) - {*self.level_names(kind)}:
                yield f"There is no {noun} “{name}” any more."
        told = setup.recipients
        if told.slack_target_id and not self.is_in_slack:
            yield "Slack is not connected, so that nothing arrives there."
        if _leads_nowhere(told.webhook_url):
            yield "Its webhook leads nowhere: names that end in .invalid are made up."
        if told.are_none and not self.names.default_target:
            yield "It tells nobody: what it finds stands in the history alone."

    def _unheard(self, setup: Setup) -> Iterator[str]:
        decided = self.config.policies.event_types
        for name in sorted(types_of(setup.shape)):
            decision = decided.get(name)
            if name in SYSTEM_TYPES:
                yield f"Triggers do not hear “{name}”: Leadvibe writes it itself."
            elif decision is not None and decision.hidden:
                yield f"Triggers do not hear “{name}”: that event type is hidden."
            elif decision is not None and decision.reach is not Reach.ACTIVATE:
                yield f"Triggers do not hear “{name}”: that event type is held back from them."


def _leads_nowhere(url: str) -> bool:
    try:
        return (urlsplit(url).hostname or "").endswith(".invalid")
    except ValueError:
        return False


def look_up(scope: Scope) -> Facts:
    config = scoring.get_config(scope, scoring.current_version(scope))
    rulesets = scoring.list_rulesets(scope)
    connection = find_connection(scope)
    names = Names(
        rulesets={it.ruleset_id: it.name for it in rulesets},
        primary=next((it.name for it in rulesets if it.is_primary), ""),
        channels={it.channel_id: it.name for it in list_channels(scope)},
        default_target=_default_target(connection),
    )
    return Facts(config=config, rulesets=rulesets, slack=connection, names=names)


def _default_target(connection: SlackConnection | None) -> str:
    """Say where in Slack goes what names no destination."""
    default = connection.default if connection and connection.is_connected else None
    if default is None:
        return ""
    if default.kind is SlackTargetKind.CHANNEL:
        return f"Slack #{default.name}" if default.name else f"Slack channel {default.id}"
    return f"{default.name or default.id} in Slack"
