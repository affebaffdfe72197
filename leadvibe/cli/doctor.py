"""`leadvibe doctor`: what is reachable, migrated and running."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import click
from redis import Redis, RedisError
from sqlalchemy import create_engine, pool, text
from sqlalchemy.exc import SQLAlchemyError

from leadvibe.cli.wiring import (
    command_settings,
    connected,
    embedded_servers,
    home_option,
    needs_embedded_servers,
)
from leadvibe.events.queries import inbox_status
from leadvibe.lib import embedded, migrate
from leadvibe.lib.clock import utc_now
from leadvibe.lib.errors import UnavailableError
from leadvibe.lib.heartbeat import BACKGROUND_ROLES, FRESH_SECONDS, find_last_beat
from leadvibe.settings import Settings

CONNECT_SECONDS = 5
STALE_INBOX_SECONDS = 300  # scoring that is this late does not keep up, or does not run


@dataclass(frozen=True, slots=True)
class Finding:
    """What one check found out."""

    name: str
    is_well: bool
    detail: str


@click.command()
@home_option
def doctor(home: Path | None) -> None:
    """Say what is reachable, migrated and running; exit with 1 when something is not."""
    settings = command_settings(home)
    findings = [check_servers(settings)]
    with connected(settings) as complete:
        findings += [check(complete) for check in CHECKS]
    for finding in findings:
        _print(finding)
    if not all(finding.is_well for finding in findings):
        raise click.exceptions.Exit(1)


def check_servers(settings: Settings) -> Finding:
    """Look before `connected` starts what does not run."""
    if not needs_embedded_servers(settings):
        return Finding("servers", is_well=True, detail="external: DATABASE_URL and REDIS_URL")
    if embedded.is_running(settings.home, which=embedded_servers(settings)):
        return Finding("servers", is_well=True, detail=f"embedded, in {settings.home}")
    return Finding(
        "servers",
        is_well=False,
        detail=f"not running in {settings.home}, started for this check: run `leadvibe up`",
    )


def check_database(settings: Settings) -> Finding:
    engine = create_engine(
        settings.database_url,
        poolclass=pool.NullPool,
        connect_args={"connect_timeout": CONNECT_SECONDS},
    )
    try:
        with engine.connect() as connection:
            version = connection.scalar(text("SHOW server_version"))
    except SQLAlchemyError as error:
        return Finding("database", is_well=False, detail=f"cannot be reached: {_reason(error)}")
    return Finding("database", is_well=True, detail=f"PostgreSQL {version}")


def check_broker(settings: Settings) -> Finding:
    try:
        with _broker(settings) as broker:
            server = broker.info("server")
    except RedisError as error:
        return Finding("broker", is_well=False, detail=f"cannot be reached: {_reason(error)}")
    assert isinstance(server, dict)
    name = server.get("server_name", "redis").capitalize()
    version = server.get("valkey_version", server["redis_version"])
    return Finding("broker", is_well=True, detail=f"{name} {version}")


def check_migrations(settings: Settings) -> Finding:
    try:
        revisions = migrate.current_and_head(settings.database_url)
    except UnavailableError as error:
        return Finding("migrations", is_well=False, detail=f"unknown: {error}")
    if revisions.is_at_head:
        return Finding("migrations", is_well=True, detail=f"at {revisions.head}")
    return Finding(
        "migrations",
        is_well=False,
        detail=f"at {revisions.current or 'none'}, this Leadvibe needs {revisions.head}:"
        " run `leadvibe db upgrade`",
    )


def check_role(role: str, settings: Settings) -> Finding:
    try:
        with _broker(settings) as broker:
            last_beat = find_last_beat(broker, role)
    except RedisError as error:
        return Finding(role, is_well=False, detail=f"unknown: {_reason(error)}")
    if last_beat is None:
        return Finding(
            role,
            is_well=False,
            detail=f"no sign of life for {FRESH_SECONDS} s:"
            f" run `leadvibe up` or `leadvibe worker --role {role}`",
        )
    seconds = max(0, round((utc_now() - last_beat).total_seconds()))
    return Finding(role, is_well=True, detail=f"alive {seconds} s ago")


def check_inbox(settings: Settings) -> Finding:
    """Say what waits for the pipeline; events that failed are shown, and are nobody's outage."""
    from leadvibe.app import create_app  # noqa: PLC0415 - importing it takes longer than all else

    try:
        with create_app(settings).app_context():
            status = inbox_status()
    except (SQLAlchemyError, RedisError) as error:
        return Finding("inbox", is_well=False, detail=f"unknown: {_reason(error)}")
    detail = f"{status.waiting:,} waiting, {status.dead_letters:,} that could not be processed"
    if status.oldest_at is None:
        return Finding("inbox", is_well=True, detail=detail)
    oldest_seconds = max(0, round((utc_now() - status.oldest_at).total_seconds()))
    return Finding(
        "inbox",
        is_well=oldest_seconds < STALE_INBOX_SECONDS,
        detail=f"{detail}, the oldest for {oldest_seconds:,} s",
    )


CHECKS: tuple[Callable[[Settings], Finding], ...] = (
    check_database,
    check_broker,
    check_migrations,
    *(partial(check_role, role) for role in BACKGROUND_ROLES),
    check_inbox,
)


def _broker(settings: Settings) -> Redis:
    return Redis.from_url(settings.redis_url, socket_connect_timeout=CONNECT_SECONDS)


def _reason(error: Exception) -> str:
    """Return the first line of what went wrong: drivers add pages of background."""
    cause = getattr(error, "orig", None) or error
    return str(cause).strip().partition("\n")[0]


def _print(finding: Finding) -> None:
    mark = click.style("ok    ", fg="green") if finding.is_well else click.style("FAILED", fg="red")
    click.echo(f"{finding.name:<12} {mark}  {finding.detail}")
