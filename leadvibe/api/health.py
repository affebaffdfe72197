"""Whether this server lives, and whether it can work."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from flask import current_app
from redis import Redis, RedisError

from leadvibe.lib.db import OUTAGES
from leadvibe.lib.errors import UnavailableError
from leadvibe.lib.migrate import head_revision
from leadvibe.metrics import queries


@dataclass(frozen=True, slots=True)
class Health:
    status: Literal["ok"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Readiness:
    """What this server needs. Without the broker it works too, only later."""

    status: Literal["ready"]
    database: Literal["reachable"]
    revision: str
    redis: Literal["reachable", "unreachable"]


def check_health() -> Health:
    """Whether the process lives; asks nobody else."""
    return Health("ok")


def check_readiness() -> Readiness:
    """Whether requests can be served: the database answers and has the tables of this version."""
    return Readiness(
        status="ready",
        database="reachable",
        revision=_checked_revision(),
        redis="reachable" if _answers_ping() else "unreachable",
    )


def _checked_revision() -> str:
    expected = head_revision()
    try:
        revision = queries.find_revision()
    except OUTAGES:
        raise UnavailableError(
            "The database does not answer: start it, or correct DATABASE_URL.",
            fields={"database": "is unreachable"},
        ) from None
    if revision is None or revision != expected:
        raise UnavailableError(
            f"The database is at migration {revision or 'none'} and this version needs"
            f" {expected}: run `leadvibe db upgrade`.",
            fields={"migrations": f"are at {revision or 'none'} instead of {expected}"},
        )
    return revision


def _answers_ping() -> bool:
    try:
        return bool(cast("Redis", current_app.extensions["leadvibe.redis"]).ping())
    except RedisError:
        return False
