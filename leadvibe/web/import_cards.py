"""An import or sample data in words and numbers: what a person who waits for it wants to know."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from uuid import UUID

from leadvibe.imports.encoding import LATIN_1, UTF_8
from leadvibe.imports.types import ImportProgress, ImportStage, RowError, SampleLoad, SampleStage
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


def build_card(progress: ImportProgress, *, with_figures: bool) -> ImportCard:
    """Arrange an import as lists and its own page show it."""
    file, url = progress.file, import_path(progress.file.import_id)
    status, tone = _status(progress)
    return ImportCard(
        id=str(file.import_id),
        url=url,
        file_name=file.filename,
        status=status,
        tone=tone,
        started_at=Moment.of(file.created_at),
        started_by=file.created_by,
        is_running=not progress.is_complete,
        progress_url=url,
        progress=None if progress.stage is ImportStage.QUEUED else progress.percent,
        summary=_summary(progress),
        figures=tuple(_figures(progress)) if with_figures else (),
        failed=thousands(progress.failed) if progress.failed else "",
        problem=file.error or "" if progress.stage is ImportStage.FAILED else "",
    )


def build_page(progress: ImportProgress, errors: Sequence[RowError]) -> ImportPage:
    """Arrange an import's own page; `errors` are its first rows that failed."""
    return ImportPage(
        card=build_card(progress, with_figures=True),
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


def _facts(progress: ImportProgress) -> Iterator[Fact]:
    file, layout = progress.file, progress.file.layout
    yield Fact("Size", file_size(file.size_bytes))
    yield Fact("Encoding", ENCODINGS.get(layout.encoding, layout.encoding))
    yield Fact("Separator", SEPARATORS.get(layout.delimiter, layout.delimiter))
    yield Fact("Columns", ", ".join(layout.columns))
    if layout.ignored_columns:
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
