"""An application with probes: small routes that show what happens around every request."""

from __future__ import annotations

import pytest
from flask import Flask, request
from sqlalchemy.exc import OperationalError
from werkzeug.exceptions import ImATeapot

from leadvibe.http import permissions
from leadvibe.http import principal as asking
from leadvibe.identity import queries, service
from leadvibe.identity.permissions import Permission
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import after_commit, session
from leadvibe.lib.errors import ConflictError, InvalidError, LeadvibeError, ThrottledError

ERRORS = {
    "conflict": lambda: ConflictError("The name is taken: choose another."),
    "field": lambda: InvalidError("A name is missing.", fields={"name": "Give a name."}),
    "throttled": lambda: ThrottledError("Wait.", retry_after_seconds=7),
    "teapot": ImATeapot,
    "bug": lambda: ZeroDivisionError("secret inner detail"),
    "outage": lambda: OperationalError("SELECT secret", {}, Exception("the server is gone")),
}


def make_error(name: str) -> Exception:
    return ERRORS[name]()


@pytest.fixture(scope="session")
def probe_app(make_app) -> Flask:
    app = make_app(public_url="https://leads.example.com", trusted_proxies=1)
    app.config["effects"] = []
    for prefix in ("/probe", "/app/probe"):
        _add_probes(app, prefix)
    return app


@pytest.fixture
def probe(app, probe_app):
    """Return a client of the probes, over the same forgetting database."""
    probe_app.config["effects"].clear()
    return probe_app.test_client()


def _add_probes(app: Flask, prefix: str) -> None:
    def add(path, view, methods=("GET",)):
        app.add_url_rule(f"{prefix}{path}", f"{prefix}{path}", view, methods=methods)

    def who():
        principal = asking.find()
        if principal is None:
            return {"label": None}
        return {"label": principal.label, "via": principal.via, "unit": str(principal.unit_id)}

    def may(name):
        return {"label": permissions.require(Permission[name]).label}

    def only_members(name):
        return {"label": permissions.require_member(Permission[name]).label}

    def write(**_path):
        """Make an organisation, then answer as told, or fail."""
        asking.find()
        service.create_organization(request.args["name"], now=utc_now())
        after_commit("effect", lambda: app.config["effects"].append(request.args["name"]))
        if "raise" in request.args:
            raise make_error(request.args["raise"])
        return {}, int(request.args.get("status", 200))

    def break_connection():
        session().connection().connection.driver_connection.close()
        return {"members": queries.has_members()}

    def fail(name):
        raise make_error(name)

    add("/who", who)
    add("/may/<name>", may)
    add("/only-members/<name>", only_members)
    add("/write", write, methods=["GET", "POST", "PUT", "PATCH", "DELETE"])
    add("/write/<rest>", write, methods=["POST"])
    add("/secret/<token>", write, methods=["POST"])
    add("/fail/<name>", fail)
    add("/ip", lambda: {"ip": request.remote_addr, "url": request.url})
    add("/break", break_connection)


def is_leadvibe_error(name: str) -> bool:
    return isinstance(make_error(name), LeadvibeError)
