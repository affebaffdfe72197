"""The front door: people are led to the pages, programs hear that all is well."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast

from flask import Response, current_app, redirect, request

from leadvibe.api.answers import JSON
from leadvibe.http.published import published_document

PAGES = "/app"


@dataclass(frozen=True, slots=True)
class Root:
    status: Literal["ok"]


@dataclass(frozen=True, slots=True)
class Home:
    status: Literal["ok"]
    page: Literal["home"]


def show_root() -> Root | Response:
    """A sign of life for programs; browsers are led to the pages."""
    return _to_pages() if _wants_html() else Root("ok")


def show_home() -> Home | Response:
    """A sign of life for programs; browsers are led to the pages."""
    return _to_pages() if _wants_html() else Home("ok", "home")


def describe_api() -> Response:
    """This document: every operation of the API in OpenAPI 3.1."""
    return Response(published_document(current_app), mimetype=JSON)


def _wants_html() -> bool:
    return request.accept_mimetypes.best_match([JSON, "text/html"]) == "text/html"


def _to_pages() -> Response:
    response = cast("Response", redirect(PAGES))
    response.vary.add("Accept")
    return response
