"""Levels of the profile and account scores, drafts, and a quick way to suppressed events.

Why: every kind of score has levels, so units that are older than those get the ones that new units
begin with. Until now there was no session surge: a unit that scored without it goes on so until
somebody chooses otherwise. Both are changes of configuration and so make a version.

Revision ID: 0005
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "0005"
down_revision = "0004"

BY = "leadvibe"
SUMMARY = "Added levels for profile and account scores"
SURGE_OFF = {"mode": "off", "bands": [], "idle_reset_seconds": 1800, "cap_percent": 100}
LEVELS = {
    "profile": (
        ("Poor Fit", 0, 24, "#94a3b8"),
        ("Okay Fit", 25, 49, "#fbbf24"),
        ("Strong Fit", 50, 74, "#f97316"),
        ("Perfect Fit", 75, None, "#ef4444"),
    ),
    "account": (
        ("Low", 0, 24, "#94a3b8"),
        ("Medium", 25, 49, "#fbbf24"),
        ("High", 50, None, "#ef4444"),
    ),
}
CONFIG_VERSIONS = sa.table(
    "config_versions",
    sa.column("unit_id", sa.Uuid()),
    sa.column("version", sa.Integer()),
    sa.column("config", JSONB()),
    sa.column("summary", sa.Text()),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("created_by", sa.Text()),
)
CONFIG_ITEMS = sa.table(
    "config_items",
    sa.column("unit_id", sa.Uuid()),
    sa.column("kind", sa.Text()),
    sa.column("item_id", sa.Uuid()),
    sa.column("body", JSONB()),
    sa.column("created_at", sa.DateTime(timezone=True)),
    sa.column("updated_at", sa.DateTime(timezone=True)),
    sa.column("created_by", sa.Text()),
    sa.column("updated_by", sa.Text()),
)
LEVEL_TABLE = sa.table(
    "levels",
    sa.column("unit_id", sa.Uuid()),
    sa.column("level_id", sa.Uuid()),
    sa.column("kind", sa.Text()),
    sa.column("name", sa.Text()),
    sa.column("min_score", sa.Integer()),
    sa.column("max_score", sa.Integer()),
    sa.column("color", sa.Text()),
    sa.column("order", sa.Integer()),
    sa.column("created_by", sa.Text()),
    sa.column("updated_by", sa.Text()),
)


def upgrade() -> None:
    op.create_table(
        "scoring_drafts",
        sa.Column("unit_id", sa.Uuid(), nullable=False),
        sa.Column("draft_id", sa.Uuid(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column(
            "base_version", sa.Integer(), nullable=False, comment="the version it was copied from"
        ),
        sa.Column("config", JSONB(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("updated_by", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("unit_id", "draft_id", name="pk_scoring_drafts"),
        sa.UniqueConstraint("unit_id", "name", name="uq_scoring_drafts_unit_id_name"),
    )
    op.create_index(
        "ix_events_suppressed",
        "events",
        ["unit_id", "suppression_reason", "event_type"],
        postgresql_where=sa.text("suppression_reason IS NOT NULL"),
    )
    for unit_id, version, config in _latest_versions():
        _bring_up_to_date(unit_id, version, config)


def _latest_versions() -> list[Any]:
    statement = """
        SELECT DISTINCT ON (unit_id) unit_id, version, config FROM config_versions
        ORDER BY unit_id, version DESC
    """
    rows = op.get_bind().execute(sa.text(statement).columns(*CONFIG_VERSIONS.c[:3]))
    return list(rows)


def _bring_up_to_date(unit_id: UUID, version: int, config: dict[str, Any]) -> None:
    now = datetime.now(UTC)
    levels = list(_missing_levels(unit_id))
    if not levels and "policies" in config:
        return
    who = {"unit_id": unit_id, "created_by": BY, "updated_by": BY}
    op.bulk_insert(LEVEL_TABLE, [{**level, **who} for level in levels])
    if "policies" not in config:
        config["policies"] = {"surge": SURGE_OFF}
        item = {"kind": "surge_policy", "item_id": unit_id, "body": SURGE_OFF}
        op.bulk_insert(CONFIG_ITEMS, [{**item, **who, "created_at": now, "updated_at": now}])
    _complete(unit_id, config)
    config["levels"] = [
        *config.get("levels", ()), *({**it, "level_id": str(it["level_id"])} for it in levels),
    ]  # fmt: skip
    made = {
        "unit_id": unit_id,
        "version": version + 1,
        "config": {**config, "version": version + 1},
        "summary": SUMMARY,
        "created_at": now,
        "created_by": BY,
    }
    op.bulk_insert(CONFIG_VERSIONS, [made])


def _missing_levels(unit_id: UUID) -> Iterator[dict[str, Any]]:
    statement = sa.text("SELECT DISTINCT kind FROM levels WHERE unit_id = :unit")
    there = set(op.get_bind().scalars(statement, {"unit": unit_id}))
    for kind in LEVELS.keys() - there:
        for order, (name, low, high, color) in enumerate(LEVELS[kind]):
            yield {
                "level_id": uuid4(),
                "kind": kind,
                "name": name,
                "min_score": low,
                "max_score": high,
                "color": color,
                "order": order,
            }


def _complete(unit_id: UUID, config: dict[str, Any]) -> None:
    """Write down what older versions left out."""
    bind, bound = op.get_bind(), {"unit": unit_id}
    sets = sa.text("SELECT ruleset_id, score_column FROM rulesets WHERE unit_id = :unit")
    rules = sa.text("SELECT rule_id, icon FROM rules WHERE unit_id = :unit")
    columns = {str(key): value for key, value in bind.execute(sets, bound)}
    icons = {str(key): value for key, value in bind.execute(rules, bound)}
    for ruleset in config.get("rulesets", ()):
        ruleset["score_column"] = columns.get(ruleset["ruleset_id"], "total_score")
        for rule in ruleset.get("rules", ()):
            rule["icon"] = icons.get(rule["rule_id"])
