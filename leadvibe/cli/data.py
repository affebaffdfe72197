"""`leadvibe import` and `leadvibe scores`: files in, and the proof that scores are right."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from itertools import zip_longest
from pathlib import Path
from typing import BinaryIO, Protocol
from uuid import UUID

import click
from flask import Flask
from redis import RedisError

from leadvibe.cli.acting import (
    acting_in,
    named_organization,
    named_unit,
    org_option,
    ou_option,
    record,
)
from leadvibe.cli.application import opened_app
from leadvibe.cli.wiring import home_option
from leadvibe.identity.types import Scope
from leadvibe.imports import queries as import_queries
from leadvibe.imports import service as imports
from leadvibe.imports.types import Import, ImportProgress
from leadvibe.leads import queries as lead_queries
from leadvibe.lib import heartbeat
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, rollback
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import process, rescore
from leadvibe.pipeline.rescore import Discrepancy, Step
from leadvibe.rescoring import queries as rescores
from leadvibe.rescoring import service as rescoring
from leadvibe.rescoring.rewriting import advance_rescore
from leadvibe.rescoring.types import Rescore

LOOK_SECONDS = 0.5
SHOWN_ERRORS = 5
SHOWN_DISCREPANCIES = 20
SHOWN_LENGTH = 200
NEEDED_ROLES = ("jobs", "pipeline")


@click.group("import")
def import_group() -> None:
    """Bring in data from files."""


@import_group.command("events")
@click.argument("file", type=click.File("rb"))
@org_option
@ou_option
@click.option("--wait", is_flag=True, help="Show the progress until the last row is scored.")
@home_option
def import_events(
    file: BinaryIO,
    org: str,
    ou: str | None,
    wait: bool,  # noqa: FBT001 - a click flag
    home: Path | None,
) -> None:
    """Import a CSV file of events, which may be gzip; - reads standard input.

    Without running workers, --wait does their work here. Prints the import as JSON.
    """
    with opened_app(home) as app:
        scope = _scope(org, ou)
        made = imports.start_import(
            acting_in(scope),
            scope,
            filename=Path(file.name).name,
            stream=file,
            max_bytes=app.config["MAX_UPLOAD_MB"] * 1024**2,
            queue=JobQueue(app.extensions["leadvibe.redis"]),
            now=utc_now(),
        )
        record("import events", scope.org_id, scope.unit_id)
        commit()
        if wait:
            _follow(scope, made, work_here=not _has_workers(app))
        progress = import_queries.get_progress(scope, made.import_id, now=utc_now())
        _report(scope, progress)


@click.group()
def scores() -> None:
    """Prove or repair what is stored about scores."""


@scores.command()
@org_option
@ou_option
@home_option
def verify(org: str, ou: str | None, home: Path | None) -> None:
    """Compare stored scores and ledger with a replay of all events; exit with 1 if they differ."""
    with opened_app(home):
        scope = _scope(org, ou)
        steps = list(_walk(scope, rescore.verify(scope), label="Verifying"))
        found = [discrepancy for step in steps for discrepancy in step.found]
        for one in found[:SHOWN_DISCREPANCIES]:
            click.echo(f"{one.lead_id or 'unit'}: {_told(one)}")
        leads = steps[-1].leads_done if steps else 0
        if found:
            raise click.ClickException(
                f"{len(found):,} differences in {leads:,} leads: `leadvibe scores rebuild`"
                " repairs them from the events"
            )
        click.echo(f"{leads:,} leads: scores, ledger and replay agree")


@scores.command()
@org_option
@ou_option
@home_option
def rebuild(org: str, ou: str | None, home: Path | None) -> None:
    """Write scores, ledger and sessions anew from the events."""
    with opened_app(home):
        scope = _scope(org, ou)
        steps = list(_walk(scope, rescore.rebuild(scope), label="Rebuilding"))
        rescore.refresh_headlines(scope)
        record("scores rebuild", scope.org_id, scope.unit_id)
        commit()
        click.echo(f"{steps[-1].leads_done if steps else 0:,} leads are written anew")


@scores.command("rescore")
@org_option
@ou_option
@home_option
def rescore_all(org: str, ou: str | None, home: Path | None) -> None:
    """Score all leads anew, as if the current rules had always been in force.

    Does here what a worker would. Interrupted, it is gone on with by the workers.
    """
    with opened_app(home) as app:
        scope = _scope(org, ou)
        queue = JobQueue(app.extensions["leadvibe.redis"])
        made = rescoring.request_rescore(acting_in(scope), scope, queue=queue, now=utc_now())
        record("scores rescore", scope.org_id, scope.unit_id)
        commit()
        done = _rescore(app, scope, made)
        if done.error:
            raise click.ClickException(f"The rescore failed: {done.error}")
        click.echo(f"{done.leads_done:,} leads are scored under version {done.version}")
        if done.events_returned:
            click.echo(f"{done.events_returned:,} events that were put aside come in again")


def _rescore(app: Flask, scope: Scope, made: Rescore) -> Rescore:
    """Do the rescore, or wait while a worker that was quicker does."""
    ring, current = app.extensions["leadvibe.bell"].ring, made
    with click.progressbar(length=made.leads_total, label="Rescoring", file=sys.stderr) as bar:

        def show(it: Rescore) -> None:
            bar.update(it.leads_done - bar.pos)

        while not current.is_complete:
            advance_rescore(scope, made.walk_id, ring=ring, progress=show)
            current = rescores.get_rescore(scope, made.walk_id)
            rollback()
            if not current.is_complete:
                show(current)
                time.sleep(LOOK_SECONDS)
    if not _has_workers(app):
        process.drain(scope)
    return current


def _told(one: Discrepancy) -> str:
    """Say what differs; of two lists the first place where they do."""
    what, stored, replayed = one.what, one.stored, one.replayed
    if isinstance(stored, list) and isinstance(replayed, list):
        pairs = enumerate(zip_longest(stored, replayed), start=1)
        place, (stored, replayed) = next((n, pair) for n, pair in pairs if pair[0] != pair[1])
        what = f"{what} no. {place}"
    return f"{what} is {_shortened(stored)}, a replay says {_shortened(replayed)}"


def _shortened(value: object) -> str:
    if value is None:
        return "missing"
    text = str(value)
    return text if len(text) <= SHOWN_LENGTH else f"{text[:SHOWN_LENGTH]}…"


class _Bar(Protocol):
    """What we use of click's progress bar."""

    pos: int

    def update(self, n_steps: int) -> None: ...


def _walk(scope: Scope, steps: Iterator[Step], *, label: str) -> Iterator[Step]:
    """Pass the steps on, showing how far they are."""
    total = lead_queries.count_leads(scope)
    rollback()
    with click.progressbar(length=total, label=label, file=sys.stderr) as bar:
        for step in steps:
            bar.update(step.leads_done - bar.pos)
            yield step


def _follow(scope: Scope, made: Import, *, work_here: bool) -> None:
    with click.progressbar(length=100, label=made.filename, file=sys.stderr) as bar:
        if work_here:
            _work(scope, made.import_id, show=lambda: _show(scope, made.import_id, bar))
        while not _show(scope, made.import_id, bar).is_complete:
            time.sleep(LOOK_SECONDS)


def _work(scope: Scope, import_id: UUID, *, show: Callable[[], object]) -> None:
    """Do what the workers would: read and score, batch by batch."""

    def score_batch() -> None:
        process.process_batch(scope)
        show()

    imports.advance_import(scope, import_id, ring=score_batch, is_stopping=lambda: False)
    while process.process_batch(scope).claimed:
        show()


def _show(scope: Scope, import_id: UUID, bar: _Bar) -> ImportProgress:
    progress = import_queries.get_progress(scope, import_id, now=utc_now())
    rollback()
    bar.update(progress.percent - bar.pos)
    return progress


def _report(scope: Scope, progress: ImportProgress) -> None:
    """Print the import as JSON, and the first rows that failed beside it."""
    errors = import_queries.list_errors(scope, progress.file.import_id, limit=SHOWN_ERRORS)
    for error in errors:
        click.echo(f"row {error.row_number}: {error.reason}", err=True)
    if progress.failed > len(errors):
        click.echo(f"… and {progress.failed - len(errors):,} more rows", err=True)
    click.echo(
        json.dumps(
            {
                "import_id": str(progress.file.import_id),
                "filename": progress.file.filename,
                "stage": progress.stage,
                "accepted": progress.accepted,
                "failed": progress.failed,
                "scored": progress.scored,
                "duplicates": progress.duplicates,
                "seconds": round(progress.elapsed_seconds, 1),
            }
        )
    )
    if progress.file.error:
        raise click.ClickException(progress.file.error)


def _has_workers(app: Flask) -> bool:
    broker = app.extensions["leadvibe.redis"]
    try:
        return all(heartbeat.find_last_beat(broker, role) for role in NEEDED_ROLES)
    except RedisError:
        return False


def _scope(org: str, ou: str | None) -> Scope:
    return named_unit(named_organization(org), ou).scope
