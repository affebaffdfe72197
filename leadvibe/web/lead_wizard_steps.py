"""The steps of the import of leads, as their pages show them."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from leadvibe.imports.lead_forecast import Forecast, SampleLead
from leadvibe.imports.lead_uploads import LeadPreview
from leadvibe.imports.types import LeadPlan
from leadvibe.leads.types import AliasKind
from leadvibe.web.column_guesses import ACCOUNT_PROPERTY, property_of
from leadvibe.web.import_cards import ENCODINGS, LONGEST_CONTENT, SEPARATORS
from leadvibe.web.pages.display import Choice, Fact, Moment, counted, file_size, thousands
from leadvibe.web.pages.lead_wizard import (
    ColumnMapping,
    ColumnsStep,
    ConfirmStep,
    IdentifierColumn,
    IdentifierStep,
    PreviewStep,
    RefusedRow,
    SampleRow,
    Step,
)
from leadvibe.web.redirects import IMPORTS

LEADS = f"{IMPORTS}/leads"
STEPS = ("Upload", "Identifier", "Columns", "Confirm", "Results")
_ADDRESSES = ("", "/identifier", "/columns", "/confirm")

KINDS = {
    AliasKind.EMAIL: "E-mail address",
    AliasKind.EXTERNAL_ID: "External id",
    AliasKind.PHONE: "Phone number",
    AliasKind.SOCIAL: "Social profile",
    AliasKind.COOKIE: "Cookie",
}
LONGEST_SHOWN = 60


def steps_at(current: int, file_id: UUID | None = None) -> tuple[Step, ...]:
    """Lay out the steps; those before the current one can be gone back to."""
    return tuple(
        Step(
            label=label,
            url=f"{LEADS}/{file_id}{_ADDRESSES[place]}" if file_id and place < current else "",
            is_current=place == current,
            is_done=place < current,
        )
        for place, label in enumerate(STEPS)
    )


def build_preview(seen: LeadPreview) -> PreviewStep:
    file = seen.file
    return PreviewStep(
        steps=steps_at(0),
        file_name=file.filename,
        facts=(
            Fact("Size", file_size(file.size_bytes)),
            Fact("Rows", thousands(seen.rows)),
            Fact("Columns", thousands(len(seen.headers))),
            Fact("Encoding", ENCODINGS.get(file.layout.encoding, file.layout.encoding)),
            Fact("Separator", SEPARATORS.get(file.layout.delimiter, file.layout.delimiter)),
        ),
        headers=seen.headers,
        rows=[[_short(value) for value in row] for row in seen.sample],
        rows_label=f"First {counted(len(seen.sample), 'row')} of {thousands(seen.rows)}",
        next_url=f"{LEADS}/{file.import_id}/identifier",
        again_url=LEADS,
        until=Moment.of(seen.expires_at),
    )


def build_identifier(
    seen: LeadPreview, chosen: tuple[str, AliasKind], *, problem: str
) -> IdentifierStep:
    column, kind = chosen
    return IdentifierStep(
        steps=steps_at(1, seen.file.import_id),
        file_name=seen.file.filename,
        columns=tuple(
            IdentifierColumn(name=name, sample=_samples(seen, name), is_chosen=name == column)
            for name in seen.headers
        ),
        kinds=tuple(Choice(label, it, it == kind) for it, label in KINDS.items()),
        action_url=f"{LEADS}/{seen.file.import_id}/identifier",
        back_url=f"{LEADS}/{seen.file.import_id}",
        problem=problem,
    )


def build_columns(
    seen: LeadPreview, plan: LeadPlan, known: Sequence[str], *, problem: str
) -> ColumnsStep:
    return ColumnsStep(
        steps=steps_at(2, seen.file.import_id),
        file_name=seen.file.filename,
        identifier=f"{plan.primary_column} ({KINDS[plan.primary_kind].lower()})",
        columns=tuple(
            ColumnMapping(
                index=index,
                name=name,
                sample=_samples(seen, name),
                choices=_targets(plan, name),
                property_name=plan.properties.get(name) or property_of(name),
            )
            for index, name in enumerate(seen.headers)
            if name != plan.primary_column
        ),
        known_properties=known,
        action_url=f"{LEADS}/{seen.file.import_id}/columns",
        back_url=f"{LEADS}/{seen.file.import_id}/identifier",
        problem=problem,
    )


def build_confirm(seen: LeadPreview, forecast: Forecast) -> ConfirmStep:
    usable = forecast.created + forecast.updated
    return ConfirmStep(
        steps=steps_at(3, seen.file.import_id),
        file_name=seen.file.filename,
        figures=(
            Fact("New leads", thousands(forecast.created)),
            Fact("Updates of known leads", thousands(forecast.updated)),
            Fact("Rows refused", thousands(forecast.refused)),
        ),
        samples=tuple(_sample(it) for it in forecast.samples),
        refused=tuple(
            RefusedRow(
                row=thousands(it.row_number), reason=it.reason, content=it.row[:LONGEST_CONTENT]
            )
            for it in forecast.errors
        ),
        refused_label=_refused_label(len(forecast.errors), forecast.refused),
        start_label=f"Import {counted(usable, 'row')}",
        can_start=usable > 0,
        action_url=f"{LEADS}/{seen.file.import_id}/confirm",
        back_url=f"{LEADS}/{seen.file.import_id}/columns",
    )


def _refused_label(shown: int, refused: int) -> str:
    rows = f"{counted(refused, 'row')} that would be refused"
    return f"First {shown} of {rows}" if shown < refused else rows


def _targets(plan: LeadPlan, name: str) -> tuple[Choice, ...]:
    chosen = _target(plan, name)
    choices = {
        "skip": "Skip",
        "property": "Property",
        "owner": "Owner",
        "account": "Account id",
        **{kind.value: f"Identifier: {label.lower()}" for kind, label in KINDS.items()},
    }
    return tuple(Choice(label, value, value == chosen) for value, label in choices.items())


def _target(plan: LeadPlan, name: str) -> str:
    if name in plan.aliases:
        return plan.aliases[name].value
    if name == plan.owner_column:
        return "owner"
    if name not in plan.properties:
        return "skip"
    return "account" if plan.properties[name] == ACCOUNT_PROPERTY else "property"


def _sample(lead: SampleLead) -> SampleRow:
    owner = (Fact("Owner", lead.owner),) if lead.owner else ()
    return SampleRow(
        row=thousands(lead.row),
        what="New" if lead.is_new else "Update",
        is_new=lead.is_new,
        identifiers=", ".join(lead.identifiers),
        properties=(*(Fact(name, _short(value)) for name, value in lead.properties), *owner),
    )


def _samples(seen: LeadPreview, name: str) -> str:
    place = list(seen.headers).index(name)
    values = dict.fromkeys(row[place] for row in seen.sample if row[place])
    return _short(", ".join(values))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST_SHOWN else f"{text[:LONGEST_SHOWN]}…"
