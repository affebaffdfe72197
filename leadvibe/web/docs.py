"""The reference of the API, for anybody: made from the published document, once a process."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus

from flask import Flask, Response, current_app, render_template, request

from leadvibe.http.published import published_document
from leadvibe.lib.errors import NotFoundError
from leadvibe.web.pages.docs import DocsPage, Reference
from leadvibe.web.reference import DOCS, read_reference

CACHING = "public, no-cache"
"""The same for all, and asked for again each time: after an upgrade it may be another."""


def register(app: Flask) -> None:
    """Add the overview and a page for each section."""

    @cache
    def reference() -> Reference:
        return read_reference(json.loads(published_document(app)))

    @cache
    def page(slug: str) -> str:
        shown = DocsPage(reference=reference(), section=None)
        if slug:
            [section] = [it for it in reference().sections if it.slug == slug]
            shown = DocsPage(reference=reference(), section=section)
        return render_template("docs/section.html" if slug else "docs/page.html", page=shown)

    def show_overview() -> Response:
        return _answer(page(""))

    def show_section(slug: str) -> Response:
        if slug not in {section.slug for section in reference().sections}:
            raise NotFoundError("The API has no such section. See the overview at /docs.")
        return _answer(page(slug))

    app.add_url_rule(DOCS, "docs", show_overview)
    app.add_url_rule(f"{DOCS}/<slug>", "docs.section", show_section)


def _answer(text: str) -> Response:
    response = current_app.make_response((text, HTTPStatus.OK))
    response.headers["Cache-Control"] = CACHING
    response.add_etag()
    conditional = response.make_conditional(request)
    assert isinstance(conditional, Response)
    return conditional
