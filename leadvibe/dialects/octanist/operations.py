"""What an operation is: one row of the table that routes and the OpenAPI document are made from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import KW_ONLY, dataclass
from typing import Any

from flask import Response
from pydantic import BaseModel

from leadvibe.identity.permissions import Permission


@dataclass(frozen=True)
class Operation:
    """`view` takes the principal, the parts of the path by name, and the body if there is one."""

    title: str
    method: str
    path: str
    view: Callable[..., Response]
    permission: Permission
    _: KW_ONLY
    body: type[BaseModel] | None = None
    data: Mapping[str, Any] | None = None
    """Schema of what the answer is about; None for one without the envelope."""
    is_paged: bool = False
    is_filtered: bool = False
    """Whether it takes the query string of the list."""
    takes_csv: type[BaseModel] | None = None
    """A body that the view reads by itself, since it may be CSV as well."""
    only_reads: bool = False
    """Whether it leaves no trace in the audit, although its method is not GET."""
    is_public: bool = False
    """Whether any website may call it: its key is a part of the path."""
    refusals: tuple[int, ...] = ()
    """Statuses beside those that follow from the rest."""
