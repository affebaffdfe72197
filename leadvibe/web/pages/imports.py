"""CSV imports: templates/imports/page.html and detail.html; fragments alone while one runs.

A fragment (_import.html, _sample.html) asks for itself once a second for as long as `is_running`;
its answer without that flag ends the asking. The upload answers as any form: a redirect, or the
page with errors.
"""

from __future__ import annotations

from dataclasses import dataclass

from wtforms import Form

from leadvibe.web.pages.display import Choice, Fact, Moment, Tone


@dataclass(frozen=True, slots=True, kw_only=True)
class RowError:
    row: str
    """Number of the row in the file; the header is row 1."""
    reason: str
    content: str = ""
    """The row itself, shortened."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportCard:
    """An import as the list and its own page show it; the root of _import.html."""

    id: str
    url: str
    file_name: str
    kind: str = "Events"
    status: str
    """Queued, Reading, Scoring, Finished, Finished with errors, Failed."""
    tone: Tone
    started_at: Moment
    started_by: str = ""
    is_running: bool = False
    progress_url: str = ""
    """GET this fragment again; needed while running."""
    progress: int | None = None
    """Percent done; None while the amount of work is not known."""
    summary: str = ""
    """One line when done: "262,200 rows in 41 s"."""
    figures: tuple[Fact, ...] = ()
    """Read, Accepted, Failed, Scored, Speed, Time left: what is known."""
    failed: str = ""
    """Number of failed rows, grouped; empty when none."""
    problem: str = ""
    """Why the whole file failed, and the remedy."""
    note: str = ""
    """Who undid it, or asked for that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SampleSection:
    """The sample data; the root of _sample.html, which asks for itself as _import.html does."""

    load_url: str = ""
    """POST; empty when it is there or on its way."""
    wipe_url: str = ""
    """POST; empty when there is none."""
    status: str = ""
    """Queued, Loading, Scoring, Finished, Failed; empty when nobody has asked."""
    tone: Tone = Tone.NEUTRAL
    asked_at: Moment | None = None
    asked_by: str = ""
    is_running: bool = False
    progress_url: str = "/app/imports"
    progress: int | None = None
    """Percent scored; None while it is not loaded yet."""
    figures: tuple[Fact, ...] = ()
    problem: str = ""
    leads_url: str = "/app/leads"


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportsPage:
    form: Form | None
    """`file`; None when the member may not import."""
    imports: tuple[ImportCard, ...]
    """Newest first."""
    action_url: str = "/app/imports"
    example_url: str = "/app/imports/example.csv"
    max_bytes: int
    """The largest upload: what is larger is not even sent when scripts run."""
    max_size: str
    """The same in words."""
    older_url: str = ""
    leads_url: str = "/app/imports/leads"
    """Where leads are imported."""
    kinds: tuple[Choice, ...] = ()
    is_filtered: bool = False
    sample: SampleSection | None = None
    """None when the member may neither load nor wipe any."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPage:
    card: ImportCard
    """Template _import.html is rendered with a page that has this one field in use."""
    errors: tuple[RowError, ...] = ()
    """The first ones."""
    errors_label: str = ""
    """"First 50 of 1,204 rows that were not imported"."""
    errors_url: str = ""
    """Download of all of them as CSV."""
    facts: tuple[Fact, ...] = ()
    """File size, encoding, separator, columns, duration."""
    list_url: str = "/app/imports"
    leads_url: str = "/app/leads"
    undo_url: str = ""
    """Where it can be undone; empty when it cannot, or not by this member."""
    undo_until: Moment | None = None
    undone: tuple[str, ...] = ()
    """What undoing it has done so far, a sentence each."""


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPage:
    """What undoing an import would do: the dry run."""

    file_name: str
    effects: tuple[str, ...]
    """What goes or is put back, a sentence each; empty when there is nothing left to do."""
    stays: tuple[str, ...]
    """What it cannot take back."""
    until: Moment | None
    """When it can be undone no more."""
    action_url: str
    back_url: str
