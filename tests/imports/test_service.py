from __future__ import annotations

import csv
import gzip
import io
from datetime import timedelta

import pytest

from leadvibe.events import queries as event_queries
from leadvibe.identity.types import Scope
from leadvibe.imports import batches, event_file, queries, service
from leadvibe.imports.errors import BadFileError, FileTooLargeError, ImportNotFoundError
from leadvibe.imports.types import Import, ImportProgress, ImportStage, ImportState
from leadvibe.imports.uploading import PIECE_BYTES
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver, held_lock, rollback
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import process
from tests.factories import make_principal, make_rule, make_scope

MEGABYTE = 1024**2


@pytest.fixture
def scope(app) -> Scope:
    return make_scope()


@pytest.fixture
def queue(app) -> JobQueue:
    return JobQueue(app.extensions["leadvibe.redis"])


@pytest.fixture
def upload(scope, queue):
    """Return what uploads a file, as text or bytes."""

    def start(data: str | bytes, *, filename: str = "events.csv", **options) -> Import:
        content = data.encode() if isinstance(data, str) else data
        file = service.start_import(
            make_principal(scope),
            scope,
            filename=filename,
            stream=io.BytesIO(content),
            max_bytes=options.pop("max_bytes", 10 * MEGABYTE),
            queue=queue,
            now=utc_now(),
            **options,
        )
        commit()
        return file

    return start


def advance(scope: Scope, file: Import, *, ring=lambda: None, is_stopping=lambda: False) -> None:
    service.advance_import(scope, file.import_id, ring=ring, is_stopping=is_stopping)


def progress(scope: Scope, file: Import) -> ImportProgress:
    return queries.get_progress(scope, file.import_id, now=utc_now())


def errors(scope: Scope, file: Import) -> list[tuple[int, str]]:
    found = queries.list_errors(scope, file.import_id, limit=100)
    return [(error.row_number, error.reason) for error in found]


def a_file(rows: int, *, email: str = "lead{}@example.com") -> str:
    lines = (f"page_view,{email.format(number)}" for number in range(rows))
    return "\n".join(["event_type,email", *lines]) + "\n"


def stored_types(scope: Scope) -> dict[str, int]:
    return {one.name: one.event_count for one in event_queries.list_event_types(scope)}


def test_a_file_goes_all_the_way_to_scores(scope, upload):
    make_rule(scope, "page_view", 5)

    file = upload("event_type,email\npage_view,ana@example.com\npage_view,ANA@example.com\n")
    advance(scope, file)
    process.drain(scope)

    done = progress(scope, file)
    assert done.stage is ImportStage.FINISHED
    assert (done.read, done.accepted, done.failed, done.scored) == (2, 2, 0, 2)
    assert done.percent == 100
    assert done.seconds_left is None
    [lead] = driver().execute("SELECT score, event_count, source FROM leads").fetchall()
    assert lead == (10, 2, f"import:{file.import_id}")


def test_accepted_rows_wait_for_the_pipeline(scope, upload):
    file = upload(a_file(3))

    advance(scope, file)

    waiting = progress(scope, file)
    assert waiting.file.state is ImportState.FINISHED
    assert waiting.stage is ImportStage.SCORING
    assert waiting.percent < 100
    assert event_queries.inbox_status(scope).waiting == 3


def test_the_pipeline_is_rung_for_after_each_batch(scope, upload, monkeypatch):
    monkeypatch.setattr(batches, "BATCH_ROWS", 2)
    waiting: list[int] = []

    advance(
        scope,
        upload(a_file(5)),
        ring=lambda: waiting.append(event_queries.inbox_status(scope).waiting),
    )

    assert waiting == [2, 4, 5]


def test_a_bad_row_is_told_with_its_number_and_the_good_ones_are_in(scope, upload):
    file = upload(
        "event_type,email,metadata\n"
        "page_view,ana@example.com,\n"
        ",ana@example.com,\n"
        "\n"
        'page_view,bo@example.com,"{""a"":\n1}"\n'
        "page_view,bo@example.com,{oops\n"
        "page_view,cy@example.com\n"
        'page_view,"dee@example.com\n'
        "demo_request,eve@example.com,\n"
    )

    advance(scope, file)
    process.drain(scope)

    assert [row for row, _ in errors(scope, file)] == [3, 6, 7, 8]
    assert errors(scope, file)[0] == (3, "event_type is empty")
    assert progress(scope, file).failed == 4
    assert stored_types(scope) == {"page_view": 2, "demo_request": 1}


def test_a_file_of_bad_rows_alone_finishes_with_all_of_them_told(scope, upload):
    file = upload("event_type,email\n" + "page_view,\n" * 1_000)

    advance(scope, file)

    done = progress(scope, file)
    assert (done.stage, done.accepted, done.failed) == (ImportStage.FINISHED, 0, 1_000)


def test_a_header_alone_is_an_import_of_nothing(scope, upload):
    file = upload("event_type,email\n")

    advance(scope, file)

    assert progress(scope, file).stage is ImportStage.FINISHED
    assert progress(scope, file).read == 0


def test_failed_rows_can_be_had_as_a_csv_that_no_spreadsheet_computes(scope, upload):
    file = upload('event_type,email\n=1+1,\n"a ""b""",\n')
    advance(scope, file)

    text = "".join(queries.write_errors_csv(scope, file.import_id))

    reason = "the row names no lead: fill lead_id or one of its aliases"
    assert list(csv.reader(io.StringIO(text))) == [
        ["row", "reason", "content"],
        ["2", reason, "'=1+1,"],
        ["3", reason, '"a ""b""",'],
    ]


def test_what_is_kept_of_a_bad_row_can_be_stored_and_is_not_endless(scope, upload):
    file = upload(
        b"event_type,email\na\x00\xff" + b"x" * 5_000 + b",ana@example.com\n" + "ü".encode() * 2
    )

    advance(scope, file)

    [first, _] = queries.list_errors(scope, file.import_id, limit=10)
    assert first.row.startswith("a\ufffd\ufffdx")
    assert len(first.row) == 2_000


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "latin-1", "cp1252"])
def test_names_come_out_right_in_each_encoding(scope, upload, encoding):
    file = upload("event_type,external_id\npage_view,Zoë\n".encode(encoding))

    advance(scope, file)
    process.drain(scope)

    [(value,)] = driver().execute("SELECT raw_value FROM lead_aliases").fetchall()
    assert value == "Zoë"


def test_a_row_that_is_not_utf_8_fails_alone(scope, upload):
    file = upload("event_type,external_id\na,Zoë\na,Anaïs\n".encode() + b"a,M\xfcller\n")

    advance(scope, file)

    assert errors(scope, file) == [(4, "external_id is not valid UTF-8")]
    assert progress(scope, file).accepted == 2


def test_gzip_semicolons_and_other_names_of_columns_are_understood(scope, upload):
    text = "E-Mail;Event Type;Message ID;Colour\r\nana@example.com;page_view;m1;red\r\n"

    file = upload(gzip.compress(text.encode()), filename="events.csv.gz")
    advance(scope, file)

    assert file.layout.delimiter == ";"
    assert file.layout.ignored_columns == ("Colour",)
    assert file.size_bytes == len(text)
    assert progress(scope, file).accepted == 1


def test_a_message_id_counts_once_in_a_file_and_in_the_next(scope, upload):
    text = "event_type,email,message_id\na,b@c.d,m1\na,b@c.d,m1\na,b@c.d,m2\n"
    first, second = upload(text), upload(text)

    advance(scope, first)
    advance(scope, second)
    process.drain(scope)

    assert (progress(scope, first).scored, progress(scope, first).duplicates) == (2, 1)
    assert (progress(scope, second).scored, progress(scope, second).duplicates) == (0, 3)
    assert progress(scope, second).stage is ImportStage.FINISHED


def test_an_import_goes_on_where_it_was_stopped(scope, upload, monkeypatch):
    monkeypatch.setattr(batches, "BATCH_ROWS", 100)
    stops = iter([False, False, True])
    file = upload(a_file(350) + "page_view,\n")

    advance(scope, file, is_stopping=lambda: next(stops))
    stopped = queries.get_import(scope, file.import_id)
    advance(scope, file)
    process.drain(scope)

    assert (stopped.state, stopped.rows_read, stopped.last_row) == (ImportState.RUNNING, 200, 201)
    assert errors(scope, file)[0][0] == 352
    assert progress(scope, file).scored == 350
    assert driver().execute("SELECT count(*) FROM leads").fetchone() == (350,)


def test_a_worker_that_dies_between_two_batches_loses_and_doubles_nothing(
    scope, upload, monkeypatch
):
    monkeypatch.setattr(batches, "BATCH_ROWS", 100)
    file = upload(a_file(350))

    def die_after_two() -> None:
        if event_queries.inbox_status(scope).waiting == 200:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        advance(scope, file, ring=die_after_two)
    rollback()
    advance(scope, file)
    process.drain(scope)

    assert stored_types(scope) == {"page_view": 350}
    assert progress(scope, file).stage is ImportStage.FINISHED


def test_reading_goes_on_inside_a_file_of_several_pieces(scope, upload, monkeypatch):
    monkeypatch.setattr(batches, "BATCH_ROWS", 1_000)
    metadata = '"{""text"":""é' + "x" * 1_000 + '\\n""}"'
    rows = 2 * PIECE_BYTES // len(metadata)
    text = "event_type,email,metadata\n" + f"a,b@c.d,{metadata}\n" * rows
    stops = iter([False, True, False, True])
    file = upload(text)

    for _ in range(3):
        advance(scope, file, is_stopping=lambda: next(stops, False))

    done = progress(scope, file)
    assert (done.accepted, done.failed) == (rows, 0)
    assert done.file.bytes_read == done.file.size_bytes == len(text.encode())


def test_a_second_worker_leaves_an_import_alone(scope, upload):
    file = upload(a_file(3))

    with held_lock(queries.lock_key(file.import_id)):
        advance(scope, file)

    assert progress(scope, file).stage is ImportStage.QUEUED


def test_a_checkpoint_that_somebody_else_moved_stops_a_worker(scope, upload, monkeypatch):
    monkeypatch.setattr(batches, "BATCH_ROWS", 1)
    file = upload(a_file(3))

    def move() -> None:
        driver().execute("UPDATE imports SET bytes_read = bytes_read + 1 WHERE rows_read = 1")

    advance(scope, file, ring=move)

    assert progress(scope, file).read == 1
    assert event_queries.inbox_status(scope).waiting == 1


def test_a_finished_import_is_not_done_again_and_its_file_is_gone(scope, upload):
    file = upload(a_file(3))
    advance(scope, file)

    advance(scope, file)

    assert event_queries.inbox_status(scope).waiting == 3
    assert driver().execute("SELECT count(*) FROM import_chunks").fetchone() == (0,)


def test_an_import_waits_while_the_inbox_is_full(scope, upload, monkeypatch):
    monkeypatch.setattr(batches, "BATCH_ROWS", 2)
    monkeypatch.setattr(event_file, "DEEPEST_INBOX", 3)
    monkeypatch.setattr(event_file, "sleep", lambda _seconds: process.process_batch(scope))
    deepest: list[int] = []
    file = upload(a_file(9))

    advance(
        scope,
        file,
        ring=lambda: deepest.append(event_queries.inbox_status(scope).waiting),
    )

    assert progress(scope, file).accepted == 9
    assert max(deepest) <= 4


def test_an_import_gives_its_place_away_when_the_pipeline_stands_still(scope, upload, monkeypatch):
    monkeypatch.setattr(event_file, "DEEPEST_INBOX", 0)
    monkeypatch.setattr(event_file, "LONGEST_STANDSTILL_SECONDS", 0.0)
    monkeypatch.setattr(event_file, "LOOK_AGAIN_SECONDS", 0.0)
    file = upload(a_file(3))

    advance(scope, file)

    left = queries.get_import(scope, file.import_id)
    assert (left.state, left.rows_read, left.attempts) == (ImportState.RUNNING, 0, 0)


def test_a_file_that_kills_every_reader_is_given_up_with_the_reason(scope, upload, monkeypatch):
    def explode(*_args, **_kwargs):
        raise RuntimeError("a bug")

    file = upload(a_file(3))
    with monkeypatch.context() as patch:
        patch.setattr(batches.BatchReader, "read", explode)
        for _ in range(service.MOST_ATTEMPTS):
            with pytest.raises(RuntimeError):
                advance(scope, file)

    advance(scope, file)

    given_up = progress(scope, file)
    assert given_up.stage is ImportStage.FAILED
    assert given_up.is_complete
    assert "after 10 attempts (RuntimeError)" in given_up.file.error


def test_an_import_without_a_worker_is_due_and_one_with_a_worker_is_not(scope, upload):
    file = upload(a_file(3))
    later = file.created_at + timedelta(seconds=5)

    assert queries.due_imports(now=file.created_at) == []  # the job may be on its way
    assert [one.import_id for one in queries.due_imports(now=later)] == [file.import_id]
    with held_lock(queries.lock_key(file.import_id)):
        assert queries.due_imports(now=later) == []
    advance(scope, file)
    assert queries.due_imports(now=later) == []


def test_a_job_is_sent_with_the_commit_and_again_by_the_sweep(scope, upload, queue, app):
    broker = app.extensions["leadvibe.redis"]
    broker.flushdb()

    file = upload(a_file(3))
    sent = broker.keys("rq:job:*")
    broker.flushdb()
    service.resume_due_imports(queue, now=utc_now() + timedelta(seconds=5))

    assert sent == [f"rq:job:import-{file.import_id}".encode()]
    assert broker.keys("rq:job:*") == sent


def test_no_job_is_sent_for_an_upload_that_is_not_committed(scope, queue, app):
    broker = app.extensions["leadvibe.redis"]
    broker.flushdb()

    service.start_import(
        make_principal(scope),
        scope,
        filename="events.csv",
        stream=io.BytesIO(a_file(1).encode()),
        max_bytes=MEGABYTE,
        queue=queue,
        now=utc_now(),
    )
    rollback()
    commit()

    assert broker.keys("rq:job:*") == []


@pytest.mark.parametrize(("data", "error"), [(b"", BadFileError), (b"a,b\n1,2\n", BadFileError)])
def test_a_file_that_will_not_do_is_refused_before_anything_is_stored(upload, data, error):
    with pytest.raises(error):
        upload(data)

    assert driver().execute("SELECT count(*) FROM imports").fetchone() == (0,)


def test_a_file_that_is_too_large_is_refused(upload):
    with pytest.raises(FileTooLargeError):
        upload(a_file(1_000), max_bytes=1_000)


def test_folders_and_control_characters_are_no_part_of_a_filename(upload):
    assert (
        upload(a_file(1), filename="C:\\Users\\ana\\my\x07 events.csv").filename == "my events.csv"
    )
    assert upload(a_file(1), filename="../../etc/").filename == "upload.csv"


def test_an_import_of_another_unit_is_not_found(upload):
    file, elsewhere = upload(a_file(1)), make_scope()

    for look in (queries.get_import, queries.write_errors_csv):
        with pytest.raises(ImportNotFoundError):
            look(elsewhere, file.import_id)
    with pytest.raises(ImportNotFoundError):
        queries.get_progress(elsewhere, file.import_id, now=utc_now())
    assert queries.list_progress(elsewhere, limit=10, now=utc_now()) == []


def test_imports_are_listed_the_latest_first(scope, upload):
    files = [upload(a_file(1)) for _ in range(3)]

    listed = queries.list_progress(scope, limit=2, offset=1, now=utc_now())

    assert [one.file.import_id for one in listed] == [files[1].import_id, files[0].import_id]
    assert queries.count_imports(scope) == 3


def test_the_file_of_a_failed_import_is_forgotten_after_a_week(scope, upload):
    file = upload(a_file(1))
    driver().execute("UPDATE imports SET state = 'failed', finished_at = %s", (utc_now(),))

    service.forget_failed_files(now=utc_now() + timedelta(days=6))
    assert queries.read_chunk(scope, file.import_id, 0)
    service.forget_failed_files(now=utc_now() + timedelta(days=8))
    assert not queries.read_chunk(scope, file.import_id, 0)
