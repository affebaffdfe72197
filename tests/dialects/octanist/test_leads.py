"""Leads one by one: read, made, changed; and seen the same by our own API."""

from __future__ import annotations

import pytest

from leadvibe.lib.db import driver
from tests.people import basic

FULL = {
    "id": "<id>", "name": "Ann Lee", "email": "ann@x.test", "phone": "+31612345678",
    "status": "won", "value": 250.5, "note": "Call back", "custom": '{"plan":"pro","seats":3}',
    "lossReason": None, "conversionName": None, "source": "api", "website": "https://x.test",
    "path": "/pricing", "gclid": "g1", "dclid": None, "wbraid": None, "gbraid": None,
    "ga4cid": "12.34", "ga4sid": None, "fbc": None, "fbp": None, "msclkid": None, "ttclid": None,
    "twclid": None, "rdt_cid": None, "sccid": None, "epik": None, "li_fat_id": None,
    "utm_source": "google", "utm_medium": "cpc", "utm_campaign": "spring", "ad_storage": True,
    "ad_user_data": True, "analytics_storage": False, "ad_personalization": False,
    "googleAdsCampaignId": None, "googleAdsCampaignName": None, "googleAdsAdGroupId": None,
    "googleAdsAdGroupName": None, "googleAdsAdId": None, "labelId": None,
    "selectedConversionEventId": None, "createdAt": "<time>", "updatedAt": "<time>",
    "qualifiedAt": "<time>", "expiresAt": None,
}  # fmt: skip


@pytest.fixture
def ours(program, people):
    return program(**basic(people.credential))


@pytest.fixture
def lead_of(octanist):
    return lambda lead_id: octanist.get(f"/api/leads/{lead_id}").json["data"]


class TestReading:
    def test_a_lead_has_all_fields_in_the_documented_order(self, octanist, add, lead_of):
        lead_id = add(
            "Ann Lee", email="Ann@X.test", phone="+31 6 12345678", note="Call back",
            custom={"plan": "pro", "seats": 3}, website="https://x.test", path="/pricing",
            gclid="g1", ga4cid="12.34", utm_source="google", utm_medium="cpc",
            utm_campaign="spring", ad_storage="granted", ad_user_data=True,
            analytics_storage="denied", status="won", value="250.50",
        )  # fmt: skip

        lead = lead_of(lead_id)

        times = ("createdAt", "updatedAt", "qualifiedAt")
        assert all(len(lead[it]) == 24 and lead[it].endswith("Z") for it in times)
        assert {**lead, "id": "<id>", **dict.fromkeys(times, "<time>")} == FULL
        assert list(lead) == list(FULL)
        assert octanist.get("/api/leads").json["data"] == [lead]

    def test_unknown_merged_and_foreign_leads_are_not_found(
        self, octanist, ours, add, foreign_octanist
    ):
        kept, folded = add("Ann", email="a@x.test"), add("Bo", email="b@x.test")
        foreign = foreign_octanist.post("/api/leads", {"name": "Cy"}).json["data"]["id"]
        merged = ours.post("/leads/merge", {"targetLeadId": kept, "sourceLeadIds": [folded]})
        assert merged.status_code == 200, merged.text

        for lead_id in ("nobody", "a/b c", "%00", folded, foreign):
            refused = octanist.get(f"/api/leads/{lead_id}")
            assert refused.status_code == 404
            assert refused.json["error"]["code"] == "NOT_FOUND"
        assert [it["id"] for it in octanist.get("/api/leads").json["data"]] == [kept]
        assert octanist.patch("/api/leads", {"id": folded, "status": "won"}).status_code == 404

    def test_ids_that_clients_chose_are_found_slashes_included(self, ours, octanist):
        assert ours.post("/leads", {"id": "crm/7", "metadata": {}}).status_code == 201

        assert octanist.get("/api/leads/crm/7").json["data"]["id"] == "crm/7"


class TestMaking:
    def test_the_answer_is_the_documented_one(self, octanist):
        made = octanist.post("/api/leads", {"name": "Ann"})

        assert made.status_code == 200
        assert made.json["data"] == {"id": made.json["data"]["id"], "message": "Lead added"}
        assert set(made.json) == {"success", "data", "meta"}

    @pytest.mark.parametrize(
        "body", [{"name": "A"}, {"email": "a@x.test"}, {"phone": "+316"}, {"custom": [1]}]
    )
    def test_one_of_four_is_enough(self, octanist, body):
        assert octanist.post("/api/leads", body).status_code == 200

    @pytest.mark.parametrize(
        ("body", "field"),
        [
            ({}, "name"),
            ({"email": "", "name": " "}, "name"),
            ({"website": "https://x.test"}, "name"),
            ({"phone": "none"}, "phone"),
            ({"name": ["Ann"]}, "name"),
            ({"name": "A\x00"}, "name"),
            ({"name": "A", "ad_storage": "maybe"}, "ad_storage"),
            ({"name": "A", "gclid": "g" * 2001}, "gclid"),
            ({"name": "A", "custom": "c" * 100_001}, "custom"),
            ([], "body"),
        ],
    )
    def test_what_is_wrong_is_named(self, octanist, body, field):
        refused = octanist.post("/api/leads", body)

        assert refused.status_code == 400
        assert refused.json["error"]["code"] == "VALIDATION_ERROR"
        assert field in refused.json["error"]["details"]

    @pytest.mark.parametrize(
        ("custom", "text"), [("plain", "plain"), ({"a": [2], "b": 1}, '{"a":[2],"b":1}'), (7, "7")]
    )
    def test_custom_comes_back_as_text(self, add, lead_of, custom, text):
        assert lead_of(add("Ann", custom=custom))["custom"] == text

    def test_somebody_who_is_known_by_an_address_is_not_made_again(self, add, lead_of):
        first = add("Ann", email="ann@x.test", gclid="g1")

        again = add("Ann Lee", email="ANN@x.test", fbc="f1")

        lead = lead_of(first)
        assert again == first
        assert (lead["name"], lead["gclid"], lead["fbc"]) == ("Ann Lee", "g1", "f1")

    def test_a_visitor_whose_session_is_known_becomes_the_lead(self, world, ours, add, lead_of):
        visit = {
            "event_type": "page_view",
            "aliases": [{"alias_kind": "cookie", "raw_value": "s-1"}],
        }
        assert ours.post("/ingest", visit).status_code == 202
        world.happen("other", "somebody")

        lead = lead_of(add("Ann", email="ann@x.test", sessionId="s-1", gclid="mine"))

        assert lead["gclid"] is None
        assert driver().execute(
            "SELECT lead_id FROM events WHERE event_type = 'page_view'"
        ).fetchall() == [(lead["id"],)]

    def test_without_a_known_session_what_was_sent_counts(self, add, lead_of):
        assert lead_of(add("Ann", sessionId="s-2", gclid="mine"))["gclid"] == "mine"


class TestChanging:
    def test_the_answer_is_the_documented_one(self, octanist, add):
        lead_id = add("Ann")

        changed = octanist.patch("/api/leads", {"id": lead_id, "status": "won", "value": "1250.00"})

        assert changed.json["data"] == {
            "leadId": lead_id, "leadsUpdated": 1, "message": "Lead updated successfully",
        }  # fmt: skip

    def test_the_id_counts_before_the_email_and_that_before_the_phone(self, octanist, add, lead_of):
        ann = add("Ann", email="ann@x.test", phone="+3161")
        bo, cy = add("Bo", email="bo@x.test"), add("Cy", phone="+3162")

        def change(value, **names):
            body = {**names, "value": value}
            return octanist.patch("/api/leads", body).json["data"]["leadId"]

        assert change(1, id=cy, email="bo@x.test", phone="+3161") == cy
        assert change(2, email=" BO@x.test", phone="+3161") == bo
        assert change(3, phone="00 31 61") == ann
        assert [lead_of(it)["value"] for it in (ann, bo, cy)] == [3, 2, 1]

    @pytest.mark.parametrize(
        ("body", "status"),
        [
            ({"status": "won"}, "won"),
            ({"changedTo": "lost"}, "lost"),
            ({"changedTo": "win"}, "won"),
            ({"status": "qualified", "changedTo": "lost"}, "qualified"),
            ({"note": "x"}, "open"),
        ],
    )
    def test_the_status_follows(self, octanist, add, lead_of, body, status):
        lead_id = add("Ann")

        assert octanist.patch("/api/leads", {"id": lead_id, **body}).status_code == 200

        assert lead_of(lead_id)["status"] == status
        assert (lead_of(lead_id)["qualifiedAt"] is None) == (status in {"open", "lost"})

    def test_a_reason_for_a_loss_is_kept_of_what_is_lost(self, octanist, add, lead_of):
        won, lost = add("Ann"), add("Bo")
        for lead_id, status in ((won, "won"), (lost, "lost")):
            octanist.patch("/api/leads", {"id": lead_id, "status": status, "lossReason": "Price"})

        assert lead_of(won)["lossReason"] is None
        assert lead_of(lost)["lossReason"] == "Price"
        octanist.patch("/api/leads", {"id": lost, "status": "won"})
        assert lead_of(lost)["lossReason"] is None

    def test_null_takes_away(self, octanist, add, lead_of):
        lead_id = add("Ann", note="x", value=5)

        octanist.patch("/api/leads", {"id": lead_id, "note": None, "value": None})

        assert (lead_of(lead_id)["note"], lead_of(lead_id)["value"]) == (None, None)

    @pytest.mark.parametrize(
        ("body", "status", "code"),
        [
            ({"status": "won"}, 400, "VALIDATION_ERROR"),
            ({"id": "x"}, 400, "VALIDATION_ERROR"),
            ({"id": "x", "status": "open"}, 400, "VALIDATION_ERROR"),
            ({"id": "x", "status": "closed"}, 400, "VALIDATION_ERROR"),
            ({"id": "x", "value": "much"}, 400, "VALIDATION_ERROR"),
            ({"id": "x", "value": 10**15}, 400, "VALIDATION_ERROR"),
            ({"id": "x", "value": True}, 400, "VALIDATION_ERROR"),
            ({"phone": "none", "value": 1}, 400, "VALIDATION_ERROR"),
            ({"id": "x", "status": "won"}, 404, "NOT_FOUND"),
            ({"email": "nobody@x.test", "status": "won"}, 404, "NOT_FOUND"),
            ({"phone": "+999", "status": "won"}, 404, "NOT_FOUND"),
        ],
    )
    def test_what_cannot_be_done_is_refused(self, octanist, body, status, code):
        refused = octanist.patch("/api/leads", body)

        assert (refused.status_code, refused.json["error"]["code"]) == (status, code)


class TestBothWays:
    def test_our_api_shows_at_once_what_came_in_here(self, add, ours):
        lead_id = add("Ann", email="ann@x.test", gclid="g1", status="won", value=5)

        metadata = ours.get(f"/lead/{lead_id}").json["metadata"]

        assert (metadata["name"], metadata["gclid"], metadata["value"]) == ("Ann", "g1", 5)

    def test_what_our_api_changes_is_shown_here_at_once(self, add, ours, lead_of, names):
        lead_id = add("Ann", value=5)

        ours.send("PATCH", f"/lead/{lead_id}/metadata", json={"value": 7, "label_id": "label_b"})

        assert (lead_of(lead_id)["value"], lead_of(lead_id)["labelId"]) == (7, "label_b")
        assert names("labelId=label_b") == ["Ann"]

    def test_deleted_leads_are_gone(self, add, ours, octanist, names):
        lead_id = add("Ann")

        assert ours.send("DELETE", f"/lead/{lead_id}").status_code < 300

        assert octanist.get(f"/api/leads/{lead_id}").status_code == 404
        assert names() == []
