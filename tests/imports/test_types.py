from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from leadvibe.imports.types import (
    FileKind,
    Import,
    ImportProgress,
    ImportStage,
    ImportState,
    Layout,
)

START = datetime(2026, 3, 2, 12, tzinfo=UTC)


def make_progress(
    state: ImportState = ImportState.RUNNING, *, seconds: float = 10, **values: Any
) -> ImportProgress:
    """Make an import of 1,000 bytes, so many seconds after it began."""
    made = {"scored": 0, "duplicates": 0, "unscored": 0, "scored_at": None}
    made |= {name: values.pop(name) for name in made.keys() & values.keys()}
    stored = {
        "size_bytes": 1_000,
        "bytes_read": 0,
        "last_row": 1,
        "rows_read": 0,
        "rows_accepted": 0,
        "rows_failed": 0,
        "rows_created": 0,
        "started_at": START,
        "finished_at": None,
        **values,
    }
    file = Import(
        import_id=uuid4(),
        unit_id=uuid4(),
        org_id=uuid4(),
        kind=FileKind.EVENTS,
        filename="events.csv",
        state=state,
        plan=None,
        layout=Layout(encoding="utf-8", delimiter=",", header=("event_type", "email")),
        skip_triggers=False,
        attempts=0,
        error=None,
        created_at=START,
        created_by="ana",
        **stored,
    )
    return ImportProgress(file=file, as_of=START + timedelta(seconds=seconds), **made)


def test_half_read_and_half_of_that_scored_is_a_quarter_done():
    progress = make_progress(bytes_read=500, rows_accepted=100, scored=50)

    assert progress.percent == 25
    assert progress.seconds_left == pytest.approx(30)
    assert progress.rows_per_second == pytest.approx(5)


def test_before_anything_is_scored_nothing_is_guessed():
    progress = make_progress(bytes_read=500, rows_accepted=100)

    assert progress.percent == 0
    assert progress.seconds_left is None
    assert progress.rows_per_second is None


def test_a_file_of_bad_rows_progresses_by_reading():
    assert make_progress(bytes_read=500, rows_failed=100).percent == 50


def test_a_read_file_is_not_done_until_its_last_row_is_scored():
    read = {"bytes_read": 1_000, "rows_accepted": 1_000, "finished_at": START}

    scoring = make_progress(ImportState.FINISHED, scored=999, **read)
    done = make_progress(ImportState.FINISHED, scored=900, duplicates=60, unscored=40, **read)

    assert (scoring.stage, scoring.percent) == (ImportStage.SCORING, 99)
    assert (done.stage, done.percent) == (ImportStage.FINISHED, 100)


def test_the_time_it_took_ends_with_the_last_score():
    progress = make_progress(
        ImportState.FINISHED,
        seconds=500,
        rows_accepted=1,
        scored=1,
        finished_at=START + timedelta(seconds=3),
        scored_at=START + timedelta(seconds=8),
    )

    assert progress.elapsed_seconds == 8
    assert progress.seconds_left is None


def test_a_dead_letter_that_was_retried_counts_once():
    progress = make_progress(
        ImportState.FINISHED, rows_accepted=10, scored=10, unscored=1, finished_at=START
    )

    assert progress.handled == 10


def test_a_failed_import_is_complete_and_says_so():
    progress = make_progress(ImportState.FAILED, finished_at=START)

    assert progress.is_complete
    assert progress.percent < 100


def test_an_import_that_waits_has_no_time_yet():
    progress = make_progress(ImportState.QUEUED, started_at=None)

    assert (progress.stage, progress.percent) == (ImportStage.QUEUED, 0)
    assert progress.elapsed_seconds == 0
