"""What the page of a lead shows, as its address says it: two parts, each replaced on its own.

The explanation and the history are asked for apart, and know nothing of how the other one was
changed since the page was loaded. htmx says what the address bar shows: the part that is not asked
for is taken from there, so that every link leads to the whole of what somebody sees.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import parse_qs, urlsplit

from htmx_flask import request

from leadvibe.web.pages.display import query_url

WHY_NAMES = ("ruleset", "window", "as_of")
HISTORY_NAMES = ("kind", "type")
NAMES = (*WHY_NAMES, *HISTORY_NAMES)


@dataclass(frozen=True, slots=True)
class LeadState:
    path: str
    """The lead's page."""
    params: Mapping[str, str]

    def url(self, **changes: str) -> str:
        return query_url(self.path, self.params, **changes)

    def without(self, *names: str) -> LeadState:
        kept = {name: value for name, value in self.params.items() if name not in names}
        return LeadState(self.path, kept)

    def get(self, name: str) -> str:
        return self.params.get(name, "")


def read_state(path: str, *, asked_for: tuple[str, ...] = NAMES) -> LeadState:
    """Read what is shown; `asked_for` are the names that the request itself decides."""
    shown = _shown(path) if asked_for != NAMES else {}
    asked = {name: request.args.get(name, "") for name in asked_for}
    params = {name: asked[name] if name in asked else shown.get(name, "") for name in NAMES}
    return LeadState(path, {name: value for name, value in params.items() if value})


def _shown(path: str) -> Mapping[str, str]:
    shown = urlsplit(str(request.htmx.current_url or ""))
    if shown.path != path:
        return {}
    return {name: values[0] for name, values in parse_qs(shown.query).items()}
