"""`leadvibe db`: the version of the database."""

from __future__ import annotations

from pathlib import Path

import click

from leadvibe.cli.wiring import command_settings, connected, home_option
from leadvibe.lib import migrate


@click.group()
def db() -> None:
    """Bring the database to the version that this Leadvibe expects."""


@db.command()
@home_option
def upgrade(home: Path | None) -> None:
    """Run the migrations that are missing. Safe to run at any time, from several places."""
    with connected(command_settings(home)) as settings:
        before = migrate.upgrade(settings.database_url)
    if before.is_at_head:
        click.echo(f"The database is at {before.head}: nothing to do.")
    else:
        click.echo(f"The database went from {before.current or 'empty'} to {before.head}.")


@db.command()
@click.argument("message")
@home_option
def draft(message: str, home: Path | None) -> None:
    """Write a migration for the tables that the code has changed (for developers)."""
    with connected(command_settings(home)) as settings:
        migrate.upgrade(settings.database_url)
        click.echo(migrate.draft(settings.database_url, message))
