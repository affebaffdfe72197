"""Forms of a website, as Octanist's WordPress plugin posts them from the visitor's browser.

Nobody proves who they are, so what a form says of somebody who is known already is believed only
where it takes nothing away: name, origin and consent stay as they are.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from http import HTTPStatus
from typing import Any

from flask import Response

from leadvibe.dialects.octanist.bodies import ATTRIBUTION, Form, NewLead, checked
from leadvibe.dialects.octanist.envelope import answer_success
from leadvibe.dialects.octanist.leads import make_address, record_contact
from leadvibe.http.answers import empty
from leadvibe.identity.types import Principal
from leadvibe.leads.fields import CONSENTS, LONGEST_TEXT
from leadvibe.leads.types import AliasKind
from leadvibe.lib.errors import InvalidError

SOURCE = "wordpress"
ANY_ORIGIN = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}

_SECRET = re.compile(r"(?i)pass|pwd|captcha|card|cvc|cvv|iban|csrf|nonce|token|^_|octanist_?id")
"""Names of fields that are nobody's business, or say nothing."""

_WITHHELD = frozenset({"name", *ATTRIBUTION - {"website", "path"}, *CONSENTS})
_RENAMED = {"domain": "website", "octa_sid": "sessionId", "message": "note"}
_COOKIES = {
    "_fbc": ("fbc", ""),
    "_fbp": ("fbp", ""),
    "_ga": ("ga4cid", r"GA\d+\.\d+\."),
    "_gcl_aw": ("gclid", r"GCL\.\d+\."),
    "_gcl_dc": ("dclid", r"GCL\.\d+\."),
    "_gcl_gb": ("wbraid", r"GCL\.\d+\."),
    "_uetmsclkid": ("msclkid", "_uet"),
    "ttclid": ("ttclid", ""),
    "_rdt_cid": ("rdt_cid", ""),
    "_epik": ("epik", ""),
    "li_fat_id": ("li_fat_id", ""),
    "octa_sid": ("sessionId", ""),
}
"""What a cookie says, and what stands before it."""


def take_form(principal: Principal, *, token: str, body: Form) -> Response:
    """Make a lead of what somebody filled in."""
    del token  # it has said whose form this is
    fields = body.root
    known = {**_from_cookies(fields.get("cookies")), **_fields(fields)}
    rest = {**_rest(fields), **_take_out_unusable(known)}
    if rest:
        known["custom"] = {**rest, "custom": known["custom"]} if "custom" in known else rest
    lead = checked(NewLead, known)
    lead_id = record_contact(principal, lead, source=SOURCE, withheld=_WITHHELD)
    return answer_success({"id": lead_id, "message": "Lead added"})


def answer_preflight(token: str) -> Response:
    """Tell browsers that any website may post."""
    del token
    answer = empty(HTTPStatus.NO_CONTENT)
    answer.headers.update(ANY_ORIGIN)
    return answer


def _fields(body: Mapping[str, Any]) -> dict[str, Any]:
    doubled = _doubled(body)
    named = {
        _RENAMED.get(name, name): value
        for name, value in body.items()
        if value != "" and name not in doubled
    }
    return {
        name: it[:LONGEST_TEXT] if name in ATTRIBUTION and isinstance(it, str) else it
        for name, it in named.items()
        if name in NewLead.model_fields
    }


def _doubled(body: Mapping[str, Any]) -> set[str]:
    """Return names of fields that mean one which is there under its own name."""
    return {name for name, field in _RENAMED.items() if body.get(field, "") != ""}


def _rest(body: Mapping[str, Any]) -> dict[str, Any]:
    """Return what else somebody filled in."""
    known = {*NewLead.model_fields, *_RENAMED, "cookies"} - _doubled(body)
    return {
        name: value
        for name, value in body.items()
        if value != "" and name not in known and not _SECRET.search(name)
    }


def _from_cookies(cookies: object) -> dict[str, str]:
    return dict(_read_cookies(cookies)) if isinstance(cookies, Mapping) else {}


def _read_cookies(cookies: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    for name, (field, before) in _COOKIES.items():
        text = cookies.get(name)
        if isinstance(text, str) and (read := re.sub(f"^{before}", "", text)):
            yield field, read


def _take_out_unusable(known: dict[str, Any]) -> dict[str, Any]:
    """Return what is no address or number, for it to be read: nobody is there to correct it."""
    unusable = {}
    for field, kind in (("email", AliasKind.EMAIL), ("phone", AliasKind.PHONE)):
        try:
            make_address(field, kind, str(known.get(field, "")))
        except InvalidError:
            if written := known.pop(field, None):
                unusable[field] = written
    return unusable
