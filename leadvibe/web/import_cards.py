"""An import or sample data in words and numbers: what a person who waits for it wants to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from leadvibe.imports.encoding import LATIN_1, UTF_8
from leadvibe.imports.types import (
    Effect,
    FileKind,
    ImportProgress,
    ImportStage,
    ImportState,
    RowError,
    SampleLoad,
    SampleStage,
    Undo,
    UndoState,
)
from leadvibe.lib.clock import utc_now
from leadvibe.web.pages import imports as models
from leadvibe.web.pages.display import (
    Fact,
    Moment,
    Tone,
    counted,
    duration,
    file_size,
    thousands,
)
from leadvibe.web.pages.imports import ImportCard, ImportPage, SampleSection
from leadvibe.web.redirects import IMPORTS, SAMPLE

LONGEST_CONTENT = 300

ENCODINGS = {UTF_8: "UTF-8", LATIN_1: "Latin-1 (Windows-1252)"}

STATUSES = {
    ImportStage.QUEUED: ("Queued", Tone.NEUTRAL),
    ImportStage.READING: ("Reading", Tone.INFO),
    ImportStage.SCORING: ("Scoring", Tone.INFO),
    ImportStage.FINISHED: ("Finished", Tone.OK),
    ImportStage.FAILED: ("Failed", Tone.BAD),
}
UNDO_STATUSES = {
    UndoState.QUEUED: ("Undoing", Tone.INFO),
    UndoState.RUNNING: ("Undoing", Tone.INFO),
    UndoState.FINISHED: ("Undone", Tone.NEUTRAL),
    UndoState.FAILED: ("Undoing failed", Tone.BAD),
}
SAMPLE_STATUSES = {
    SampleStage.QUEUED: ("Queued", Tone.NEUTRAL),
    SampleStage.LOADING: ("Loading", Tone.INFO),
    SampleStage.SCORING: ("Scoring", Tone.INFO),
    SampleStage.FINISHED: ("Finished", Tone.OK),
    SampleStage.FAILED: ("Failed", Tone.BAD),
}
SAMPLE_ID = "sample-data"
"""Of the section about it, which asks the imports page for itself while something happens."""

WITH_ERRORS = ("Finished with errors", Tone.WARN)
SEPARATORS = {",": "comma", ";": "semicolon", "\t": "tab", "|": "pipe", ":": "colon", " ": "space"}


def import_path(import_id: UUID) -> str:
    """Return the path of the import's page, which is also where its card is asked for again."""
    return f"{IMPORTS}/{import_id}"


def build_card(
    progress: ImportProgress, undo: Undo | None = None, *, with_figures: bool
) -> ImportCard:
    """Arrange an import as lists and its own page show it."""
    file, url = progress.file, import_path(progress.file.import_id)
    status, tone = UNDO_STATUSES[undo.state] if undo else _status(progress)
    is_undoing = undo is not None and not undo.is_over
    return ImportCard(
        id=str(file.import_id),
        url=url,
        file_name=file.filename,
        status=status,
        tone=tone,
        started_at=Moment.of(file.created_at),
        started_by=file.created_by,
        kind="Leads" if file.kind is FileKind.LEADS else "Events",
        is_running=is_undoing if undo else not progress.is_complete,
        progress_url=url,
        progress=_percent(progress, undo),
        summary=_summary(progress),
        figures=tuple(_figures(progress)) if with_figures else (),
        failed=thousands(progress.failed) if progress.failed else "",
        problem=_problem(progress, undo),
        note=f"Undone by {undo.asked_by}, imported by"
        if undo and undo.state is UndoState.FINISHED
        else "",
    )


def build_page(
    progress: ImportProgress,
    errors: Sequence[RowError],
    undo: Undo | None = None,
    *,
    can_undo: bool = False,
) -> ImportPage:
    """Arrange an import's own page; `errors` are its first rows that failed."""
    is_read = progress.file.state in {ImportState.FINISHED, ImportState.FAILED}
    until = progress.file.undoable_until
    is_open = (undo is None or undo.state is UndoState.FAILED) and (
        until is not None and until > utc_now()
    )
    is_undoable = can_undo and is_read and is_open
    url = import_path(progress.file.import_id)
    return ImportPage(
        card=build_card(progress, undo, with_figures=True),
        undo_url=f"{url}/undo" if is_undoable else "",
        undo_until=Moment.of(until) if is_undoable and until else None,
        undone=tuple(sentences_of(undo.effect, is_done=True)) if undo else (),
        errors=tuple(_row_error(error) for error in errors),
        errors_label=_errors_label(len(errors), progress.failed),
        errors_url=f"{import_path(progress.file.import_id)}/errors.csv",
        facts=tuple(_facts(progress)),
        list_url=IMPORTS,
    )


def build_sample(load: SampleLoad | None) -> SampleSection:
    """Arrange the section about sample data; None means that nobody has asked for any."""
    if load is None:
        return SampleSection(load_url=SAMPLE)
    status, tone = SAMPLE_STATUSES[load.stage]
    has_failed = load.stage is SampleStage.FAILED
    return SampleSection(
        load_url=SAMPLE if has_failed else "",
        wipe_url="" if has_failed else f"{SAMPLE}/wipe",
        status=status,
        tone=tone,
        asked_at=Moment.of(load.created_at),
        asked_by=load.created_by,
        is_running=not load.is_complete,
        progress=load.percent,
        figures=tuple(_sample_figures(load)),
        problem=load.error or "",
    )


def _percent(progress: ImportProgress, undo: Undo | None) -> int | None:
    if undo is not None:
        return undo.percent if undo.total else None
    return None if progress.stage is ImportStage.QUEUED else progress.percent


def _problem(progress: ImportProgress, undo: Undo | None) -> str:
    if undo is not None and undo.state is UndoState.FAILED:
        return undo.error or ""
    return progress.file.error or "" if progress.stage is ImportStage.FAILED else ""


def sentences_of(effect: Effect, *, is_done: bool) -> Iterator[str]:
    """Say what undoing takes away and puts back, or has."""
    removed, rescored, put_back, separated = _DONE if is_done else _TO_DO
    counts = (
        (removed, effect.events, "event", ""),
        (removed, effect.leads_removed, "lead", " that nothing else knows"),
        (rescored, effect.leads_rescored, "other lead", " without these events"),
        (put_back, effect.properties_restored, "property", " of leads that stay"),
        (put_back, effect.owners_restored, "owner", " of leads that stay"),
        (removed, effect.identifiers_removed, "identifier", " of leads that stay"),
        (separated, effect.visitors_separated, "visitor", " whom it made known"),
    )
    for verb, count, noun, rest in counts:
        if count:
            yield f"{verb} {counted(count, noun, _PLURALS.get(noun))}{rest}."


_DONE = ("Removed", "Rescored", "Put back", "Separated")
_TO_DO = ("Removes", "Rescores", "Puts back", "Separates")


def remainders_of(effect: Effect) -> Iterator[str]:
    """Say what undoing leaves as it is."""
    if effect.properties_kept:
        what = counted(effect.properties_kept, "property", "properties")
        yield f"{what} that the import set: changed again since, or of merged leads."
    if effect.identifiers_kept:
        yield f"{counted(effect.identifiers_kept, 'identifier')} of leads active since the import."
    yield "Messages that were sent meanwhile, and the count of events in your usage."


_PLURALS = {"property": "properties"}


def _sample_figures(load: SampleLoad) -> Iterator[Fact]:
    if load.percent is None:
        return
    yield Fact("Leads", thousands(load.leads))
    yield Fact("Events", thousands(load.events))
    yield Fact("Rules", thousands(load.rules))
    yield Fact("Scored", thousands(load.handled))


def _status(progress: ImportProgress) -> tuple[str, Tone]:
    if progress.stage is ImportStage.FINISHED and (progress.failed or progress.unscored):
        return WITH_ERRORS
    return STATUSES[progress.stage]


def _summary(progress: ImportProgress) -> str:
    if progress.stage is not ImportStage.FINISHED:
        return ""
    return f"{counted(progress.read, 'row')} in {duration(progress.elapsed_seconds)}"


def _figures(progress: ImportProgress) -> Iterator[Fact]:
    if progress.stage is ImportStage.QUEUED:
        return
    yield Fact("Read", thousands(progress.read))
    if progress.file.kind is FileKind.LEADS:
        yield from _lead_figures(progress)
        return
    yield Fact("Accepted", thousands(progress.accepted))
    if progress.failed:
        yield Fact("Not imported", thousands(progress.failed))
    yield Fact("Scored", thousands(progress.scored))
    if progress.duplicates:
        yield Fact("Known already", thousands(progress.duplicates))
    if progress.unscored:
        yield Fact("Dead letters", thousands(progress.unscored))
    if progress.scored and progress.rows_per_second:
        yield Fact("Speed", f"{thousands(round(progress.rows_per_second))} rows/s")
    if progress.seconds_left is not None:
        yield Fact("Time left", duration(progress.seconds_left))


def _lead_figures(progress: ImportProgress) -> Iterator[Fact]:
    created = progress.file.rows_created
    yield Fact("New leads", thousands(created))
    yield Fact("Updates", thousands(progress.accepted - created))
    if progress.failed:
        yield Fact("Not imported", thousands(progress.failed))
    if progress.seconds_left is not None:
        yield Fact("Time left", duration(progress.seconds_left))


def _facts(progress: ImportProgress) -> Iterator[Fact]:
    file, layout = progress.file, progress.file.layout
    yield Fact("Size", file_size(file.size_bytes))
    yield Fact("Encoding", ENCODINGS.get(layout.encoding, layout.encoding))
    yield Fact("Separator", SEPARATORS.get(layout.delimiter, layout.delimiter))
    if file.plan is not None:
        yield Fact("Identifier", file.plan.primary_column)
        yield Fact("Properties", ", ".join(file.plan.properties.values()) or "none")
    else:
        yield Fact("Columns", ", ".join(layout.columns))
    if file.plan is None and layout.ignored_columns:
        yield Fact("Ignored columns", ", ".join(layout.ignored_columns))
    if progress.is_complete:
        yield Fact("Duration", duration(progress.elapsed_seconds))


def _errors_label(shown: int, failed: int) -> str:
    if shown < failed:
        return f"First {shown:,} of {failed:,} rows that were not imported"
    return f"{counted(failed, 'row')} that {'was' if failed == 1 else 'were'} not imported"


def _row_error(error: RowError) -> models.RowError:
    content = error.row
    if len(content) > LONGEST_CONTENT:
        content = f"{content[:LONGEST_CONTENT]}…"
    return models.RowError(row=thousands(error.row_number), reason=error.reason, content=content)
