"""Whatever a client sends, the API answers as its document says, and never breaks.

Schemathesis makes requests out of the document, good ones and bad ones. Half of the paths lead to
what is really there; the other half are made up as well.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextvars import Context
from typing import TYPE_CHECKING

import pytest
import schemathesis
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from leadvibe.api.recorded import name_of
from leadvibe.api.routes import OPERATIONS
from leadvibe.lib.db import commit
from tests.api.examples import LEAD, example_of

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIEnvironment

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
EXAMPLES = 3
"""For each operation and test run: thousands in all, within a minute."""

LAST = {"DELETE /lead/{leadID}", "GET /lead/{leadID}/deletion-status"}
"""What takes away the lead that the others are about."""

ENDLESS = "GET /stream"
"""What is no answer that could be checked as a whole."""

TAGS = sorted({it.tag for it in OPERATIONS if name_of(it) != ENDLESS})


@pytest.mark.parametrize("tag", TAGS)
def test_whatever_is_sent_is_answered_as_published(app, people, stage, tag):
    schema = schemathesis.openapi.from_wsgi("/openapi.json", separated(app))
    headers = people.admin.bearer

    operations = [it for it in OPERATIONS if it.tag == tag and name_of(it) not in {*LAST, ENDLESS}]
    # Before anything is sent, which may change what the examples build upon.
    paths = [(operation, example_of(operation, stage).path) for operation in operations]
    paths += [(it, {"leadID": LEAD}) for it in OPERATIONS if it.tag == tag and name_of(it) in LAST]

    for operation, known_path in paths:
        published = schema[operation.path][operation.method]
        path = {name: str(value) for name, value in known_path.items()}
        strategies = [
            published.as_strategy(generation_mode=mode, path_parameters=known)
            for mode in GenerationMode
            for known in (path, {})
        ]

        @settings(
            max_examples=EXAMPLES,
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(case=st.one_of(strategies))
        def send(case: Case) -> None:
            response = case.call(headers=headers)
            case.validate_response(response, checks=CHECKS)

        send()


def separated(app: Flask) -> Callable[[WSGIEnvironment, StartResponse], Iterable[bytes]]:
    """Return the application as a server would run it: a request shares nothing with the test."""

    def serve(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
        commit()
        return Context().run(lambda: list(app.wsgi_app(environ, start)))

    return serve
