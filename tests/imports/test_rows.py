from __future__ import annotations

from datetime import UTC, datetime

import pytest

from leadvibe.imports.rows import BadRowError, RowReader
from leadvibe.imports.types import Layout
from leadvibe.leads.types import AliasKind
from leadvibe.pipeline.intake import IncomingEvent

HEADER = (
    "event_type", "lead_id", "timestamp", "metadata", "external_id", "email", "phone", "cookie",
    "social", "message_id", "Notes",
)  # fmt: skip


def read(**values: str) -> IncomingEvent:
    """Read a row in which only these columns are filled in."""
    layout = Layout(encoding="utf-8", delimiter=",", header=HEADER)
    return RowReader(layout).read([values.get(name, "") for name in HEADER])


def refusal(**values: str) -> str:
    with pytest.raises(BadRowError) as error:
        read(**values)
    return str(error.value)


def test_every_column_has_its_place_in_the_event():
    event = read(
        event_type="demo_request",
        lead_id="ld_1",
        timestamp="2025-11-21T14:03:00+01:00",
        metadata='{"form": "Book a demo"}',
        external_id="crm-1",
        email="ana@example.com",
        phone="+49 30 1234",
        cookie="c1",
        social="@ana",
        message_id="m1",
    )

    assert event.event_type == "demo_request"
    assert event.lead_id == "ld_1"
    assert event.timestamp == datetime(2025, 11, 21, 13, 3, tzinfo=UTC)
    assert event.metadata == {"form": "Book a demo"}
    assert event.message_id == "m1"
    assert {alias.alias_kind: alias.raw_value for alias in event.aliases} == {
        AliasKind.EXTERNAL_ID: "crm-1",
        AliasKind.EMAIL: "ana@example.com",
        AliasKind.PHONE: "+49 30 1234",
        AliasKind.COOKIE: "c1",
        AliasKind.SOCIAL: "@ana",
    }


def test_empty_values_are_absent_and_unknown_columns_mean_nothing():
    event = read(event_type=" page_view ", email=" ana@example.com", timestamp="  ", Notes="x")

    assert event.event_type == "page_view"
    assert [alias.raw_value for alias in event.aliases] == ["ana@example.com"]
    assert event.timestamp is None
    assert event.metadata == {}


@pytest.mark.parametrize(
    "text",
    ["2025-11-21", "2025-11-21 14:03", "2025-11-21T14:03:00Z", "1763733780", "1763733780000"],
)
def test_times_are_read_as_people_write_them(text):
    event = read(event_type="a", lead_id="l", timestamp=text)

    assert event.timestamp is not None
    assert event.timestamp.date().isoformat() == "2025-11-21"


def test_a_time_without_a_zone_is_utc():
    event = read(event_type="a", lead_id="l", timestamp="2025-11-21 14:03")

    assert event.timestamp == datetime(2025, 11, 21, 14, 3, tzinfo=UTC)


@pytest.mark.parametrize("text", ["yesterday", "21/11/2025", "20251121", "12", "2025-13-01"])
def test_what_is_no_time_is_refused_with_an_example(text):
    reason = refusal(event_type="a", lead_id="l", timestamp=text)

    assert reason == f"timestamp '{text}' is not a time: write it as 2025-11-21T14:03:00Z"


def test_a_time_before_1970_is_refused():
    reason = refusal(event_type="a", lead_id="l", timestamp="1969-12-31")

    assert reason.startswith("timestamp lies before 1970")


def test_a_row_without_an_event_type_is_refused():
    assert refusal(email="ana@example.com") == "event_type is empty"


def test_a_row_that_names_no_lead_is_refused():
    assert refusal(event_type="a").startswith("the row names no lead")


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ('{"a": 1', "metadata is not valid JSON: EOF"),
        ("{'a': 1}", "metadata is not valid JSON: "),
        ('{"a": NaN}', "metadata is not valid JSON: "),
        ('{"a": "x\x00"}', "metadata is not valid JSON: control character"),
        ("[1, 2]", "metadata is not a JSON object, such as "),
        ("3", "metadata is not a JSON object, such as "),
        ('{"a": "\udcff"}', "metadata is not valid UTF-8"),
    ],
)
def test_metadata_that_is_no_json_object_is_refused(text, reason):
    assert refusal(event_type="a", lead_id="l", metadata=text).startswith(reason)


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"event_type": "a" * 201, "lead_id": "l"}, "event_type is longer than 200 characters"),
        ({"event_type": "a", "lead_id": "l\x00l"}, "lead_id contains a control character"),
        ({"event_type": "a\udcff", "lead_id": "l"}, "event_type is not valid UTF-8"),
        ({"event_type": "a", "phone": "n/a"}, "phone is empty"),
        ({"event_type": "a", "email": "a" * 513}, "email is longer than 512 characters"),
        ({"event_type": "a", "cookie": "c", "social": "\x07"}, "social contains a control"),
    ],
)
def test_the_reason_names_the_column(values, reason):
    assert refusal(**values).startswith(reason)


def test_a_row_with_too_few_values_is_refused():
    reader = RowReader(Layout(encoding="utf-8", delimiter=",", header=("event_type", "email")))

    with pytest.raises(BadRowError, match="the row has 1 value but the header names 2 columns"):
        reader.read(["page_view"])


def test_a_row_with_too_many_values_is_refused():
    reader = RowReader(Layout(encoding="utf-8", delimiter=",", header=("event_type", "email")))

    with pytest.raises(BadRowError, match=r"has 3 values but .* between quotes"):
        reader.read(["page_view", "ana@example.com", "Berlin"])


def test_empty_values_beyond_the_last_column_are_no_error():
    reader = RowReader(Layout(encoding="utf-8", delimiter=",", header=("event_type", "email")))

    assert reader.read(["page_view", "ana@example.com", "", ""]).event_type == "page_view"


def test_event_id_is_another_name_for_message_id():
    layout = Layout(encoding="utf-8", delimiter=",", header=("event_type", "lead_id", "Event ID"))

    assert RowReader(layout).read(["a", "l", "m1"]).message_id == "m1"
    assert layout.ignored_columns == ()


def test_ignored_columns_are_told_as_the_file_spells_them():
    assert Layout(encoding="utf-8", delimiter=",", header=HEADER).ignored_columns == ("Notes",)
