"""The query string of the list of deliveries: the page's whole state, which others link to."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from leadvibe.lib.paging import PageRequest
from leadvibe.notifications.types import DeliveryFilter, DeliveryState, Transport
from leadvibe.web.delivery_paths import DELIVERIES
from leadvibe.web.lead_query import LAST_PAGE
from leadvibe.web.pages.display import query_url

PAGE_SIZE = 25


SEARCH = "q"
"""Text to find leads by, as the list of leads does; their deliveries are wanted."""


def _text(text: str) -> str:
    if "\0" in text:
        raise ValueError(text)  # PostgreSQL stores no NUL, so it could not even be asked
    return text


READERS: Mapping[str, Callable[[str], Any]] = {
    "state": DeliveryState,
    "transport": Transport,
    "trigger_id": UUID,
    "lead_id": _text,
    SEARCH: _text,
    "destination_id": UUID,
}
"""What each filter is read with; a ValueError says that it makes no sense."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DeliveryQuery:
    """A list that somebody asks for. With an `error` nothing can be found."""

    params: Mapping[str, str]
    """The filters that were given, without empty ones."""
    wanted: DeliveryFilter
    """But for the leads that the search finds."""
    search: str
    page: int
    error: str = ""

    def request(self, total: int) -> PageRequest:
        """Return the page to read: the last there is, when the one asked for is beyond it."""
        last = max(1, -(-total // PAGE_SIZE))
        return PageRequest(min(self.page, last), PAGE_SIZE)

    def url(self, *, page: int = 1, without: str = "") -> str:
        """Return the address of the same list, with another page or without a filter."""
        kept = {name: value for name, value in self.params.items() if name != without}
        return query_url(DELIVERIES, kept, page=str(page) if page > 1 else "")


def read_delivery_query(given: Mapping[str, str]) -> DeliveryQuery:
    """Read what was asked for; what makes no sense is told and not guessed at."""
    params = {name: given[name].strip() for name in READERS if given.get(name, "").strip()}
    fields, errors = {}, []
    for name, text in params.items():
        try:
            fields[name] = READERS[name](text)
        except ValueError:
            errors.append(f"“{text[:100]}” is no {name.removesuffix('_id')} that there is.")
    search = fields.pop(SEARCH, "")
    return DeliveryQuery(
        params=params,
        wanted=DeliveryFilter(**fields),
        search=search,
        page=page_number(given),
        error=" ".join(errors),
    )


def page_number(given: Mapping[str, str]) -> int:
    """Read which page is asked for, from 1; whatever else it says is the first."""
    text = given.get("page", "")
    number = int(text) if text.isdecimal() and len(text) <= len(str(LAST_PAGE)) else 1
    return min(max(number, 1), LAST_PAGE)
