"""Every operation of the Octanist API, and how a request comes to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask, Response, after_this_request

from leadvibe.dialects.octanist import ad_spend, checking, leads, stats, wordpress
from leadvibe.dialects.octanist.bodies import (
    Form,
    LeadChange,
    NewLead,
    SpendQueryBody,
    SpendReports,
    StatsQuery,
    read_body,
)
from leadvibe.dialects.octanist.operations import Operation
from leadvibe.dialects.octanist.schemas import (
    ADDED,
    CHANGED,
    LEAD,
    LEADS,
    ROWS_STORED,
    SPEND,
    STATS,
)
from leadvibe.dialects.octanist.wordpress import ANY_ORIGIN
from leadvibe.http import auditing, rate_limits
from leadvibe.http.permissions import require
from leadvibe.identity.permissions import Permission

READ, WRITE = Permission.READ, Permission.WRITE_DATA
_PATH_NAME = re.compile(r"{(\w+)}")
_CONVERTERS = {"id": "path:"}  # lead ids are whatever a client chose, slashes included
_NAMES = {"id": "lead_id", "octanistID": "token"}

OPERATIONS = (
    Operation("Check key", "POST", "/api/check", checking.check_key, READ, only_reads=True),
    Operation(
        "List leads", "GET", "/api/leads", leads.list_leads, READ,
        data=LEADS, is_paged=True, is_filtered=True,
    ),
    Operation(
        "Get lead", "GET", "/api/leads/{id}", leads.show_lead, READ, data=LEAD, refusals=(404,)
    ),
    Operation("Create lead", "POST", "/api/leads", leads.add_lead, WRITE, body=NewLead, data=ADDED),
    Operation(
        "Update lead", "PATCH", "/api/leads", leads.change_lead, WRITE,
        body=LeadChange, data=CHANGED, refusals=(404, 409),
    ),
    Operation(
        "Stats", "POST", "/api/stats", stats.show_stats, READ,
        body=StatsQuery, data=STATS, only_reads=True,
    ),
    Operation(
        "Ad spend", "POST", "/api/ad-spend", ad_spend.show_spend, READ,
        body=SpendQueryBody, data=SPEND, is_paged=True, only_reads=True,
    ),
    Operation(
        "Report ad spend", "PUT", "/api/ad-spend/rows", ad_spend.take_spend, WRITE,
        takes_csv=SpendReports, data=ROWS_STORED,
    ),
    Operation(
        "Forms of a website", "POST", "/api/integrations/incoming/wp/{octanistID}/",
        wordpress.take_form, WRITE, body=Form, data=ADDED, is_public=True,
    ),
)  # fmt: skip


def register(app: Flask, operations: Iterable[Operation]) -> None:
    """Add a route for every operation."""
    for operation in operations:
        rule = _PATH_NAME.sub(_rule_part, operation.path)
        endpoint = f"octanist.{operation.method} {operation.path}"
        app.add_url_rule(
            rule, endpoint, _view(operation), methods=[operation.method],
            strict_slashes=not operation.is_public,
            provide_automatic_options=False if operation.is_public else None,
        )  # fmt: skip
        if operation.is_public:
            app.add_url_rule(
                rule, f"{endpoint} preflight", wordpress.answer_preflight, methods=["OPTIONS"],
                strict_slashes=False, provide_automatic_options=False,
            )  # fmt: skip


def _rule_part(match: re.Match[str]) -> str:
    return f"<{_CONVERTERS.get(match[1], '')}{_NAMES[match[1]]}>"


def _view(operation: Operation) -> Callable[..., Response]:
    def respond(**path: Any) -> Response:
        if operation.is_public:
            after_this_request(_allow_any_origin)
        if operation.only_reads:
            auditing.only_tried()
        rate_limits.take()
        principal = require(operation.permission)
        if operation.body is not None:
            path["body"] = read_body(operation.body)
        return operation.view(principal, **path)

    return respond


def _allow_any_origin(response: Response) -> Response:
    response.headers.update(ANY_ORIGIN)
    return response
