"""Links into another unit than the one a member works in: followed if they may enter it.

Links in notifications name their unit. One that was copied from the address bar does not: then the
member's other units are asked, and the link is followed if just one of them has what it names.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from itertools import islice
from typing import Any, cast
from urllib.parse import quote, urlencode

from flask import Response, flash, redirect
from htmx_flask import request
from werkzeug.wrappers import Response as AnyResponse

from leadvibe.engine.triggers import TriggerKind
from leadvibe.http import principal as asking
from leadvibe.http.active_unit import remember_unit
from leadvibe.http.csrf import SAFE_METHODS
from leadvibe.identity.errors import UnitNotFoundError
from leadvibe.identity.types import Principal, Scope, Unit
from leadvibe.leads.accounts import get_account
from leadvibe.leads.addresses import read_lead_id
from leadvibe.leads.queries import get_lead
from leadvibe.lib.errors import NotFoundError
from leadvibe.lib.ids import parse_id
from leadvibe.segments.queries import get_segment
from leadvibe.triggers.queries import get_trigger
from leadvibe.web.pages.display import Tone
from leadvibe.web.session import account_of

UNIT = "unit"
"""The parameter of an address that names the unit it leads into."""
MOST_UNITS_ASKED = 100
_READERS: Mapping[str, Callable[[Scope, Mapping[str, Any]], object]] = {
    "web.lead.show_lead": lambda scope, path: get_lead(scope, _named(path)),
    "web.account.show_account": lambda scope, path: get_account(scope, _named(path)),
    "web.segments.show_segment": lambda scope, path: get_segment(scope, path["segment_id"]),
    "web.trigger-editing.show_trigger": lambda scope, path: get_trigger(
        scope, TriggerKind(path["kind"]), path["trigger_id"]
    ),
}
"""By endpoint: what reads the thing that the page is about, and raises NotFoundError."""


def enter_unit_of_link() -> AnyResponse | None:
    """Switch to the unit that the address names, and go on without naming it.

    Raises UnitNotFoundError for a unit that the member may not enter, as for one that is not
    there. Who is not signed in goes on, and comes back from the sign-in with the same address.
    """
    wanted = parse_id(request.args.get(UNIT, ""))
    principal = asking.find() if wanted and _is_page() else None
    if principal is None or not principal.is_member:
        return None
    unit = next((it for it in _units(principal) if it.unit_id == wanted), None)
    if unit is None:
        raise UnitNotFoundError(
            "This link leads into an organisation unit that is not there, or that you do not"
            " belong to. Ask one of its Owners to add you."
        )
    if unit.unit_id != principal.unit_id:
        flash(f"You are now in {unit.name}, where this link leads.", Tone.INFO)
    return remember_unit(cast("Response", redirect(address(without=UNIT))), unit)


def find_elsewhere(principal: Principal) -> str | None:
    """Return the address of the page asked for in the one other unit that has it, or None."""
    reader = _READERS.get(request.endpoint or "")
    # A link that names its unit leads there or nowhere.
    if reader is None or not _is_page() or UNIT in request.args:
        return None
    others = (it for it in _units(principal) if it.unit_id != principal.unit_id)
    having = [it for it in islice(others, MOST_UNITS_ASKED) if _has(it.scope, reader)]
    return address(**{UNIT: str(having[0].unit_id)}) if len(having) == 1 else None


def address(*, without: str = "", **added: str) -> str:
    """Return the address of this request, path and query; Flask's own leaves "?" and "#" bare."""
    kept = [(name, value) for name, value in request.args.items(multi=True) if name != without]
    query = urlencode([*kept, *added.items()])
    path = quote(request.path, safe="/~")
    return f"{path}?{query}" if query else path


def _is_page() -> bool:
    return request.method in SAFE_METHODS and not request.htmx


def _units(principal: Principal) -> tuple[Unit, ...]:
    return account_of(principal).units


def _has(scope: Scope, reader: Callable[[Scope, Mapping[str, Any]], object]) -> bool:
    try:
        reader(scope, request.view_args or {})
    except NotFoundError:
        return False
    return True


def _named(path: Mapping[str, Any]) -> str:
    lead_id = read_lead_id(path["segment"])
    if lead_id is None:
        raise NotFoundError("It can be no lead's or account's id.")
    return lead_id
