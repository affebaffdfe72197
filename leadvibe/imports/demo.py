"""The demo organisation: somebody to sign in as, and a year of sample data to look at."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from leadvibe.identity import member_links
from leadvibe.identity import queries as identity_queries
from leadvibe.identity import service as identity
from leadvibe.identity.security import Security
from leadvibe.identity.types import OrgRole, Principal, Scope, UnitRole, Via
from leadvibe.imports.sampling import finish_sample, request_sample
from leadvibe.imports.types import SampleLoad, SampleStage
from leadvibe.lib.db import commit
from leadvibe.lib.ids import new_secret
from leadvibe.lib.queue import JobQueue
from leadvibe.pipeline import setup

ORGANIZATION = "Acme Demo"
EMAIL = "demo@leadvibe.example"
ACTOR = "demo"
PASSWORD_FILE = "demo-password"  # noqa: S105 - where it is kept
PASSWORD_BYTES = 9
PRIVATE_FOLDER = 0o700
PRIVATE_FILE = 0o600


@dataclass(frozen=True, slots=True)
class DemoLogin:
    email: str
    password: str = field(repr=False)


def ensure_demo(
    *,
    home: Path,
    security: Security,
    queue: JobQueue,
    now: datetime,
    progress: Callable[[str], None],
    sample_data: bool,
) -> DemoLogin:
    """Make the demo organisation if it is not there, and load its sample data once.

    The password is drawn the first time and kept in the data folder, so that it stays the same.
    """
    password, is_first = _read_password(home) or _draw_password(home)
    login = DemoLogin(EMAIL, password)
    organization = setup.ensure_organization(ORGANIZATION, by=ACTOR, now=now)
    scope = setup.default_scope(organization.org_id)
    _ensure_member(scope, login, is_first=is_first, security=security, now=now)
    commit()
    if sample_data:
        _ensure_sample(scope, queue=queue, now=now, progress=progress)
    return login


def _ensure_member(
    scope: Scope, login: DemoLogin, *, is_first: bool, security: Security, now: datetime
) -> None:
    """Make the member; one whose password is lost with the data folder's file gets the new one."""
    member = identity_queries.find_member_by_email(login.email)
    if member is None:
        member = identity.create_member(
            scope.org_id,
            email=login.email,
            first_name="Demo",
            role=OrgRole.ADMIN,
            password=login.password,
            security=security,
            now=now,
        )
        identity.set_membership(scope, member.org_member_id, role=UnitRole.OWNER, now=now)
    elif is_first:
        link = member_links.create_reset_link(member, now=now)
        member_links.reset_password(link.token, password=login.password, security=security, now=now)


def _ensure_sample(
    scope: Scope, *, queue: JobQueue, now: datetime, progress: Callable[[str], None]
) -> None:
    """Load the sample, or go on with one that an earlier start was stopped at."""
    principal = Principal(
        org_id=scope.org_id,
        via=Via.COMMAND,
        org_role=OrgRole.ADMIN,
        unit_id=scope.unit_id,
        label=ACTOR,
    )
    request_sample(principal, scope, queue=queue, now=now)
    commit()
    ended = finish_sample(scope, progress=lambda load: progress(_spell(load)))
    if ended is not None and ended.error:
        progress(ended.error)


def _spell(load: SampleLoad) -> str:
    if load.stage is SampleStage.SCORING:
        return f"{load.handled:,} of {load.events:,} events of {load.leads:,} leads are scored"
    return "Making up a year of a SaaS company"


def _read_password(home: Path) -> tuple[str, bool] | None:
    try:
        return (home / PASSWORD_FILE).read_text().strip(), False
    except FileNotFoundError:
        return None


def _draw_password(home: Path) -> tuple[str, bool]:
    """Keep a new password where only its owner can read it."""
    password = new_secret(PASSWORD_BYTES)
    home.mkdir(mode=PRIVATE_FOLDER, parents=True, exist_ok=True)
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
    with open(os.open(home / PASSWORD_FILE, flags, PRIVATE_FILE), "w") as file:  # noqa: PTH123 - Path.open takes no mode bits
        file.write(f"{password}\n")
    return password, True
