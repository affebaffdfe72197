"""From the values of a CSV row to what it says of a lead, or to the reason why it says nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from pydantic import ValidationError
from pydantic_core import to_json

from leadvibe.imports.rows import BadRowError, fit, quote
from leadvibe.imports.types import Layout, LeadPlan
from leadvibe.leads.aliases import make_alias
from leadvibe.leads.types import Alias, AliasKind
from leadvibe.pipeline.editing import GivenLead
from leadvibe.pipeline.intake import IncomingAlias, check_metadata

EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
"""What an address must look like at least: "n/a" and "none" name no lead."""

_BROKEN = re.compile("[\udc80-\udcff]")


class LeadRowReader:
    """Reads the rows of one file as its plan says."""

    def __init__(self, layout: Layout, plan: LeadPlan) -> None:
        columns = {name.strip(): index for index, name in enumerate(layout.header)}
        self._width = len(layout.header)
        self._decisive = plan.primary_kind
        self._primary = (plan.primary_column, columns[plan.primary_column])
        self._aliases = [
            (column, columns[column], kind)
            for column, kind in plan.aliases.items()
            if column != plan.primary_column
        ]
        self._properties = sorted(
            ((column, columns[column], name) for column, name in plan.properties.items()),
            key=lambda it: it[1],
        )
        self._owner = None if plan.owner_column is None else columns[plan.owner_column]

    def read(self, values: Sequence[str]) -> GivenLead:
        """Return what a row says; empty values say nothing. Raises BadRowError or InvalidError."""
        fitted = fit(values, self._width)
        column, index = self._primary
        primary = fitted[index].strip()
        if not primary:
            raise BadRowError(f"{column} is empty, and so the row names no lead")
        aliases = [_alias(column, self._decisive, primary)]
        for column, index, kind in self._aliases:
            if value := fitted[index].strip():
                aliases.append(_alias(column, kind, value))
        properties = self._read_properties(fitted)
        check_metadata(to_json(properties))
        return GivenLead(tuple(aliases), self._decisive, properties)

    def read_owner(self, values: Sequence[str]) -> str:
        """Return whom a row names as the one who looks after its lead; empty for nobody."""
        return "" if self._owner is None else fit(values, self._width)[self._owner].strip()

    def _read_properties(self, values: Sequence[str]) -> Mapping[str, str]:
        properties = {}
        for column, index, name in self._properties:
            value = values[index].strip()
            if not value:
                continue
            if not value.isascii() and _BROKEN.search(value):
                raise BadRowError(f"{column} is not valid UTF-8")
            properties[name] = value
        return properties


def _alias(column: str, kind: AliasKind, value: str) -> Alias:
    """Check an identifier as those that come with events, and that an address looks like one."""
    if kind is AliasKind.EMAIL and not EMAIL.fullmatch(value):
        raise BadRowError(f"{column} {quote(value)} is not an e-mail address")
    try:
        incoming = IncomingAlias(alias_kind=kind, raw_value=value)
    except ValidationError as error:
        raise BadRowError(f"{column} {_problem(error, kind, value)}") from error
    return make_alias(incoming.alias_kind, incoming.raw_value)


def _problem(error: ValidationError, kind: AliasKind, value: str) -> str:
    problem = error.errors(include_url=False)[0]
    if problem["type"] == "string_unicode":
        return "is not valid UTF-8"
    if problem["type"] == "string_too_long":
        return f"is longer than {problem['ctx']['max_length']} characters"
    if problem["type"] == "bad_alias" and kind is AliasKind.PHONE:
        return f"{quote(value)} is not a phone number"
    return problem["msg"]
