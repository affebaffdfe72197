"""`leadvibe user` and `leadvibe credential`, the first test with processes of their own.

The others call the command in this process: loading it takes longer than all that they test.
"""

from __future__ import annotations

import json
import os
import re
from contextvars import Context
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest
from click.testing import CliRunner

from leadvibe.audit.queries import list_entries
from leadvibe.cli import main
from leadvibe.identity import api_keys, queries, signing_in
from leadvibe.identity.api_keys import KeyKind
from leadvibe.identity.types import OrgRole, UnitRole, Via
from leadvibe.lib.clock import utc_now
from tests.forking import run_command
from tests.people import PASSWORD


@pytest.fixture
def environment(app, fresh_database, settings):
    """Return the variables that have the command work on this test's database."""
    return {
        "DATABASE_URL": settings.database_url,
        "REDIS_URL": settings.redis_url,
        "SECRET_KEY": settings.secret_key,
        "LEADVIBE_HOME": str(settings.home),
    }


@pytest.fixture
def leadvibe(environment):
    """Return a way to run the command."""

    def run(*arguments, stdin="", **variables):
        call = partial(CliRunner().invoke, main, arguments, input=stdin)
        ended = Context().run(call, env=environment | variables, prog_name="leadvibe")
        return Ended(ended.exit_code, ended.stdout, ended.stderr)

    return run


@pytest.fixture
def process(environment):
    """Return a way to run the command in a process of its own."""

    def run(*arguments, stdin=""):
        ended = run_command(list(arguments), os.environ | environment, stdin=stdin)
        return Ended(ended.returncode, ended.stdout, ended.stderr)

    return run


class Ended(NamedTuple):
    """How a command ended, and what it said."""

    returncode: int
    stdout: str
    stderr: str


def _create(leadvibe, email, *options, password=PASSWORD):
    arguments = ("user", "create", "--email", email, "--password-stdin", "--org", "Acme", *options)
    return leadvibe(*arguments, stdin=f"{password}\n")


def test_people_and_programs_are_let_in_without_a_browser(process, security):
    owner = json.loads(
        _create(process, "Anna@acme.test", "--role", "owner", "--name", "Anna Berg").stdout
    )
    viewer = json.loads(_create(process, "ben@acme.test", "--role", "viewer").stdout)
    made = json.loads(
        process("credential", "create", "--org", "Acme", "--ou", "default", "--name", "Site").stdout
    )

    anna = signing_in.sign_in("anna@acme.test", PASSWORD, ip=None, security=security, now=utc_now())
    ben = queries.find_member_by_email("ben@acme.test")
    program = queries.authenticate_credential(made["client_id"], made["client_secret"])
    assert (anna.name, anna.role) == ("Anna Berg", OrgRole.ADMIN)
    assert (ben.role, viewer["unit_role"]) == (OrgRole.MEMBER, "Viewer")
    assert owner["org_id"] == viewer["org_id"] == str(program.org_id)
    assert str(program.unit_id) == made["unit_id"] == owner["unit_id"]
    entered = queries.find_member_principal(ben.org_member_id, session_epoch=0, via=Via.COMMAND)
    assert entered.unit_role is UnitRole.VIEWER
    assert [(entry.actor, entry.path) for entry in list_entries(anna.org_id, limit=5)] == [
        ("command", "leadvibe credential create"),
        ("command", "leadvibe user create"),
        ("command", "leadvibe user create"),
    ]


def test_a_client_of_another_lead_product_gets_a_key(leadvibe):
    _create(leadvibe, "anna@acme.test")
    command = ("credential", "create", "--org", "Acme", "--name", "ERP", "--kind")

    nexus = json.loads(leadvibe(*command, "nexus", "--scope", "leads.read").stdout)
    octanist = json.loads(leadvibe(*command, "octanist").stdout)

    reader = api_keys.authenticate_key(nexus["key"], KeyKind.NEXUS, now=utc_now())
    assert (nexus["scopes"], reader.scopes) == (["leads.read"], {"leads.read"})
    assert str(reader.principal.unit_id) == nexus["unit_id"]
    assert api_keys.authenticate_key(octanist["key"], KeyKind.OCTANIST, now=utc_now())


def test_a_locked_out_admin_is_helped_with_a_link(leadvibe, client):
    _create(leadvibe, "anna@acme.test")

    printed = json.loads(leadvibe("user", "reset-link", "--email", "anna@acme.test").stdout)

    assert client.get(urlsplit(printed["url"]).path).status_code == 200


class TestInvitations:
    def _invite(self, leadvibe, *options, **variables):
        arguments = ("user", "invite", "--email", "Ben@acme.test", "--org", "Acme", *options)
        return leadvibe(*arguments, **variables)

    def test_a_printed_link_lets_somebody_in(self, leadvibe, client, security):
        _create(leadvibe, "anna@acme.test")

        printed = json.loads(self._invite(leadvibe, "--role", "viewer").stdout)

        path = urlsplit(printed["url"]).path
        page = client.get(path).text
        token = re.search(r'name="csrf_token" value="([^"]+)"', page)[1]
        form = {"csrf_token": token, "name": "Ben Ek", "password": PASSWORD}
        assert client.post(path, data=form).status_code == 303
        ben = signing_in.sign_in(
            "ben@acme.test", PASSWORD, ip=None, security=security, now=utc_now()
        )
        assert (ben.name, ben.role) == ("Ben Ek", OrgRole.MEMBER)
        assert (printed["unit_role"], printed["mailed"]) == ("Viewer", False)
        assert list_entries(ben.org_id, limit=5)[1].path == "leadvibe user invite"

    def test_with_a_mail_server_the_link_is_mailed_too(self, leadvibe, serve, mailbox):
        _create(leadvibe, "anna@acme.test")
        mail = {"SMTP_URL": f"smtp://127.0.0.1:{serve()}", "MAIL_FROM": "leadvibe@acme.test"}

        printed = json.loads(self._invite(leadvibe, "--role", "owner", **mail).stdout)

        [(_, recipients, message)] = mailbox.arrived
        assert printed["mailed"] is True
        assert recipients == ["ben@acme.test"]
        assert printed["url"] in message.get_body(("plain",)).get_content()

    def test_a_mail_that_fails_leaves_the_link(self, leadvibe, client):
        _create(leadvibe, "anna@acme.test")
        mail = {"SMTP_URL": "smtp://127.0.0.1:1", "MAIL_FROM": "leadvibe@acme.test"}

        ended = self._invite(leadvibe, "--role", "viewer", **mail)

        printed = json.loads(ended.stdout)
        assert (ended.returncode, printed["mailed"]) == (0, False)
        assert "was not sent" in ended.stderr
        assert client.get(urlsplit(printed["url"]).path).status_code == 200

    def test_a_taken_address_is_refused(self, leadvibe):
        _create(leadvibe, "ben@acme.test")

        ended = self._invite(leadvibe, "--role", "admin")

        assert (ended.returncode, ended.stdout) == (1, "")
        assert "already a member with the address ben@acme.test" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("credential", "create", "--org", "Nobody", "--name", "x"), 'no organisation "Nobody"'),
        (
            ("credential", "create", "--org", "x", "--name", "x", "--scope", "leads.read"),
            "--scope is for --kind nexus",
        ),
        (("user", "reset-link", "--email", "x@acme.test"), "no member"),
        (
            ("user", "invite", "--email", "x@acme.test", "--org", "Nobody", "--role", "viewer"),
            'no organisation "Nobody"',
        ),
        (("user", "create", "--email", "x@acme.test", "--org", "Acme"), "--password-stdin"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(leadvibe, arguments, complaint):
    ended = leadvibe(*arguments)

    assert ended.returncode != 0
    assert complaint in ended.stderr.splitlines()[-1]
    assert ended.stdout == ""


def test_a_weak_password_leaves_nothing_behind(leadvibe):
    ended = _create(leadvibe, "anna@acme.test", password="short")

    assert (ended.returncode, ended.stdout) == (1, "")
    assert "at least 10 characters" in ended.stderr
    assert queries.find_organization("Acme") is None
