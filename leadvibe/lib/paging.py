"""Pages of long lists, and totals that say when they stopped counting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

Item = TypeVar("Item")

MAX_PAGE_SIZE = 500
DEFAULT_PAGE_SIZE = 50


@dataclass(frozen=True, slots=True)
class Total:
    """How many there are; `is_capped` when counting stopped there and there may be more."""

    count: int
    is_capped: bool = False


@dataclass(frozen=True, slots=True)
class PageRequest:
    """Which page is asked for: `page` counts from 1."""

    page: int = 1
    size: int = DEFAULT_PAGE_SIZE

    @property
    def offset(self) -> int:
        return (self.page - 1) * self.size


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    items: list[Item]
    total: Total
    request: PageRequest
