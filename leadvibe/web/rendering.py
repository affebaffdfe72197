"""Turning a view model into an answer: the whole page in its frame, or one fragment of it.

Page and fragment are one route. A view names the fragments that its page is made of, by the id
of their root element, and htmx says which one it wants to replace.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from functools import lru_cache
from typing import cast

from flask import Flask, Response, make_response, render_template
from htmx_flask import Htmx, request
from markupsafe import Markup

import leadvibe
from leadvibe.http import principal as asking
from leadvibe.identity.permissions import Permission, can, role_in_unit
from leadvibe.identity.types import Account, Principal
from leadvibe.quickstart.unit_frame import UnitFrame, read_unit_frame
from leadvibe.web.notices import take_notices
from leadvibe.web.pages.shell import NavGroup, Shell, Unit, initials, navigation, own_pages
from leadvibe.web.session import account_of

# What the answer to one address depends on, besides the cookie, which Flask names itself.
VARY = ("HX-Request", "HX-Target", "HX-History-Restore-Request")


_ICON = Markup('<svg class="icon" aria-hidden="true"><use href="{}#{}"></use></svg>')
ICONS_KEPT = 256


def register(app: Flask) -> None:
    """Give the application `request.htmx`, and its templates `icon(name)`."""
    Htmx(app)
    asset = cast("Callable[[str], str]", app.jinja_env.globals["asset"])

    def icon(name: str) -> Markup:
        return _ICON.format(asset("icons.svg"), name)

    app.template_global("take_notices")(take_notices)
    # Not a macro: a page shows thirty, and calling macros took a tenth of its time.
    app.template_global("icon")(icon if app.debug else lru_cache(ICONS_KEPT)(icon))


def render(
    template: str,
    *,
    page: object,
    section: str = "",
    fragments: Mapping[str, str] | None = None,
    status: int = 200,
    **context: object,
) -> Response:
    """Render a page for a signed-in member, or the fragment of it that htmx wants to replace.

    `section` is the navigation entry that the page belongs to; `fragments` maps the id of an
    element to the template that renders it alone, with the same `page` and `context`.
    """
    wanted = (fragments or {}).get(wanted_fragment() or "")
    if wanted is not None:
        return _toast(_answer(render_template(wanted, page=page, **context), status))
    shell = _shell(asking.current(), section)
    return _answer(render_template(template, page=page, shell=shell, **context), status)


def render_bare(template: str, *, page: object, status: int = 200, **context: object) -> Response:
    """Render a page without the frame, for somebody who is not signed in."""
    return _answer(render_template(template, page=page, **context), status)


def wanted_fragment() -> str | None:
    """Return the id of the element that htmx will replace, or None when it needs the whole page.

    A boosted link and a history restore ask for a page although htmx sends them.
    """
    htmx = request.htmx
    if not htmx or htmx.boosted or htmx.history_restore_request:
        return None
    # htmx writes the target as it would stand in a style sheet: "section#lead-list".
    return cast("str", htmx.target or "").rpartition("#")[2]


def _answer(body: str, status: int) -> Response:
    response = make_response(body, status)
    response.vary.update(VARY)
    return response


def _toast(response: Response) -> Response:
    """Say what was flashed in a toast, for a fragment has no place where the page says it."""
    notices = take_notices()
    if notices:
        last, text = notices[-1], " ".join(it.text for it in notices)
        toast = asdict(replace(last, text=text))
        response.headers["HX-Trigger"] = json.dumps({"toast": toast})
    return response


def _shell(principal: Principal, section: str) -> Shell:
    account, role = account_of(principal), role_in_unit(principal)
    member = account.member
    return Shell(
        member_name=member.name,
        member_email=member.email,
        member_initials=initials(member.name),
        role=role.value if role else "",
        org_name=account.organization.name,
        units=_units(account, principal),
        unit_name=_unit_name(account, principal),
        nav=navigation_of(principal, section),
        own=own_pages(section),
        recents_key=f"{principal.member_id}/{principal.unit_id}",
        version=leadvibe.__version__,
    )


def navigation_of(principal: Principal, section: str = "") -> tuple[NavGroup, ...]:
    """Return the pages that the principal may open, as the sidebar shows them."""
    configures = principal.unit_id is not None and can(principal, Permission.CONFIGURE)
    unit = read_unit_frame(principal.scope) if principal.unit_id else UnitFrame()
    return navigation(
        section,
        dead_letters=unit.dead_letters,
        can_own=can(principal, Permission.OWN),
        can_administer=can(principal, Permission.ADMINISTER),
        has_accounts=unit.has_accounts,
        can_configure=configures,
        is_started=not configures or unit.is_started,
    )


def _units(account: Account, principal: Principal) -> tuple[Unit, ...]:
    return tuple(
        Unit(id=str(unit.unit_id), name=unit.name, is_active=unit.unit_id == principal.unit_id)
        for unit in account.units
    )


def _unit_name(account: Account, principal: Principal) -> str:
    names = (unit.name for unit in account.units if unit.unit_id == principal.unit_id)
    return next(names, "No unit chosen")
