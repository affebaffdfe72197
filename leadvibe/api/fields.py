"""Kinds of field that several operations share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any
from uuid import UUID

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StrictBool,
    StrictInt,
)
from pydantic.json_schema import JsonDict
from pydantic_core import PydanticCustomError

from leadvibe.lib.errors import NotFoundError
from leadvibe.lib.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, PageRequest
