"""Putting back into a draft a rule that was taken out of it.

Only as it is in force: what the draft itself had changed of it is nowhere any more.
"""

from __future__ import annotations

from uuid import UUID

from leadvibe.engine.rules import Config, LevelKind
from leadvibe.lib.errors import ConflictError
from leadvibe.scoring import editing
from leadvibe.scoring.errors import RuleNotFoundError
from leadvibe.web.pages.notices import Undo
from leadvibe.web.scoring_bar import Drafted


def restoring(drafted: Drafted, kind: LevelKind, rule_id: UUID) -> Undo | None:
    """Return the form that puts a rule back, while it is in the draft as it is in force."""
    try:
        is_in_force = editing.get_rule(drafted.live, kind, rule_id)[1]
        is_drafted = editing.get_rule(drafted.config, kind, rule_id)[1]
    except RuleNotFoundError:
        return None
    url = drafted.path(f"/{kind}/rules/{rule_id}/restore")
    return Undo(url=url) if is_in_force == is_drafted else None


def put_back(drafted: Drafted, config: Config, kind: LevelKind, rule_id: UUID) -> Config:
    """Add the rule in force to the ruleset of the draft that it was in."""
    try:
        ruleset, rule = editing.get_rule(drafted.live, kind, rule_id)
    except RuleNotFoundError:
        raise ConflictError("The rule is not in force any more: add it anew.") from None
    return editing.add_rule(config, kind, ruleset.ruleset_id, rule)
