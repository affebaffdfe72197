"""JSON schemas of answers, those of leads made from the table of their fields."""

from __future__ import annotations

from typing import Any

from leadvibe.dialects.octanist.ad_spend import COLUMNS
from leadvibe.dialects.octanist.lead_fields import FIELDS, SOURCES, STATUSES, Kind, LeadField

Schema = dict[str, Any]

TEXT: Schema = {"type": "string"}
TIME: Schema = {"type": "string", "format": "date-time"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
SCHEMAS = "#/components/schemas/"

_KINDS: dict[Kind, Schema] = {
    Kind.TEXT: TEXT,
    Kind.STATUS: {"type": "string", "enum": list(STATUSES)},
    Kind.SOURCE: {"type": "string", "enum": list(SOURCES)},
    Kind.NUMBER: NUMBER,
    Kind.FLAG: {"type": "boolean"},
    Kind.TIME: TIME,
}


def an_object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def or_null(schema: Schema) -> Schema:
    return {**schema, "type": [schema["type"], "null"]}


def schema_of(field: LeadField) -> Schema:
    """Return what a field of a lead is; what is not known of it is null."""
    kind = _KINDS[field.kind]
    return kind if field.is_always_there else or_null(kind)


def value_of(field: LeadField) -> Schema:
    """Return what a field is compared with."""
    return _KINDS[field.kind]


_LEAD_SCHEMA: Schema = {
    "type": "object",
    "properties": {it.key: schema_of(it) for it in FIELDS},
    "required": ["id"],  # what else there is, `fields` chooses
}
LEAD = {"$ref": f"{SCHEMAS}Lead"}
LEADS = {"type": "array", "items": LEAD}
ADDED = an_object(id=TEXT, message=TEXT)
CHANGED = an_object(leadId=TEXT, leadsUpdated=COUNT, message=TEXT)
ROWS_STORED = an_object(rowsStored=COUNT)
_SPEND_KINDS = {"spend": NUMBER, "clicks": COUNT, "impressions": COUNT}
_SPEND_LINE: Schema = {
    "type": "object",
    "properties": {it: _SPEND_KINDS.get(it) or or_null(TEXT) for it in COLUMNS},
    "required": ["currency", *_SPEND_KINDS],  # the others as they are grouped by
}
SPEND = {"type": "array", "items": {"$ref": f"{SCHEMAS}AdSpend"}}
STATS = an_object(
    usage=an_object(
        leadsUsed=COUNT,
        leadsLimit={"type": "null"},
        lockedLeads=COUNT,
        periodStart=TIME,
        periodEnd=TIME,
    ),
    leads=an_object(
        total=COUNT,
        byStatus=an_object(**dict.fromkeys(STATUSES, COUNT)),
        bySource=an_object(**dict.fromkeys(SOURCES, COUNT)),
    ),
    conversion=an_object(
        qualified=COUNT,
        qualificationRate=NUMBER,
        winRate=NUMBER,
        averageValue=NUMBER,
        totalValue=NUMBER,
    ),
)
_META: Schema = an_object(
    requestId={"type": "string", "pattern": "^req_[0-9a-f]{12}$"}, timestamp=TIME
)
_PAGINATION = an_object(
    limit=COUNT, page=COUNT, totalPages=COUNT, total=COUNT, hasMore={"type": "boolean"}
)
_PAGED_META = an_object(
    pagination={"$ref": f"{SCHEMAS}Pagination"},
    requestId=_META["properties"]["requestId"],
    timestamp=TIME,
)
COMPONENTS: dict[str, Schema] = {
    "Lead": _LEAD_SCHEMA,
    "AdSpend": _SPEND_LINE,
    "Pagination": _PAGINATION,
    "Meta": _META,
    "PagedMeta": _PAGED_META,
}
