"""The live stream: who may listen, what is heard, and that nobody listens on who may not."""

from __future__ import annotations

import gc
import json
import re
import socket
from datetime import timedelta

import jwt
import pytest

from leadvibe.http import streams
from leadvibe.identity import service as identity
from leadvibe.identity import warrants
from leadvibe.identity.types import UnitRole
from leadvibe.lib import radio, reception
from leadvibe.lib.clock import utc_now
from leadvibe.lib.db import commit, driver
from leadvibe.lib.radio import Transmitter
from leadvibe.metrics import live
from leadvibe.pipeline import process
from tests.factories import make_event, make_unit, send
from tests.lib.test_radio import wait_until

NO_BROKER = "redis://127.0.0.1:1/0"


@pytest.fixture(autouse=True)
def _quick(monkeypatch):
    monkeypatch.setattr(radio, "LOOK_SECONDS", 0.02)
    monkeypatch.setattr(reception, "WAIT_MILLISECONDS", 20)


@pytest.fixture(scope="module")
def transmitter(shared_app) -> Transmitter:
    return Transmitter(shared_app.extensions["leadvibe.redis"])


class Stream:
    """A stream that is open, read frame by frame."""

    def __init__(self, response):
        assert response.status_code == 200, response.text
        self.response = response
        self._pieces = iter(response.response)
        self._frames: list[str] = []
        assert self.next() == f"retry: {streams.RETRY_MILLISECONDS}"

    def next(self):
        while not self._frames:
            self._frames = next(self._pieces).decode().split("\n\n")[:-1]
        return self._frames.pop(0)

    def next_of(self, kind):
        """Return id and data of the next frame of a kind, passing over others."""
        while True:
            lines = dict(line.split(": ", 1) for line in self.next().splitlines())
            if lines.get("event") == kind:
                return lines.get("id"), json.loads(lines["data"])

    def is_over(self):
        return next(self._pieces, None) is None


@pytest.fixture
def listen(call_as):
    def open_as(name, headers=None, **query):
        response = call_as(name).send(
            "GET", "/stream", query_string=query, headers=headers or {}, buffered=False
        )
        return response if response.status_code >= 400 else Stream(response)

    return open_as


@pytest.fixture
def happen(world, transmitter):
    """Return what lets an event happen in a unit while somebody listens."""

    def happen(scope=world.scope, **fields):
        wait_until(lambda: transmitter.is_listening(live.topic_of(scope)))
        send(scope, make_event(**fields))
        commit()
        process.process_batch(scope, listeners=process.Listeners(transmitter))

    return happen


def leave_unit(person):
    driver().execute(
        "DELETE FROM memberships WHERE org_member_id = %s", (person.member.org_member_id,)
    )
    commit()


def test_what_happens_is_heard_as_it_happens(listen, happen, world):
    rule = world.add_rule("page_view", 5)
    stream = listen("viewer")

    happen(lead_id="ld_123")

    event_id, event = stream.next_of("new_event")
    assert (event["lead_id"], event["event_type"]) == ("ld_123", "page_view")
    assert re.fullmatch(r"\d+-\d+\.1", event_id)
    _, update = stream.next_of("score_update")
    assert update == {
        "type": "score_update", "lead_id": "ld_123", "delta": 5, "score": 5,
        "ruleset_id": str(rule.ruleset_id),
    }  # fmt: skip


def test_the_answer_is_a_stream_that_nobody_may_keep(listen):
    response = listen("viewer").response

    assert response.mimetype == "text/event-stream"
    assert "no-cache" in response.headers["Cache-Control"]
    assert response.headers["X-Accel-Buffering"] == "no"


def test_a_browser_listens_with_its_session(browse, people, happen):
    browser = browse(people.viewer)
    stream = Stream(browser.get("/stream", buffered=False))

    happen(lead_id="ld_1")

    assert stream.next_of("new_event")[1]["lead_id"] == "ld_1"
    stream.response.close()


def test_a_program_listens_with_its_credential(listen, happen):
    stream = listen("credential")

    happen(lead_id="ld_1")

    assert stream.next_of("new_event")[1]["lead_id"] == "ld_1"


def test_somebody_unknown_hears_nothing(listen, people):
    assert listen("anybody").status_code == 401
    assert listen("anybody", ouId=str(people.unit.unit_id)).status_code == 401


def test_units_are_apart(listen, happen, people, elsewhere):
    mine, strange = listen("viewer"), listen("stranger")

    happen(people.stranger.scope, lead_id="ld_secret")
    happen(lead_id="ld_mine")

    assert mine.next_of("new_event")[1]["lead_id"] == "ld_mine"
    assert strange.next_of("new_event")[1]["lead_id"] == "ld_secret"


def test_the_unit_of_the_address_is_heard(listen, happen, people):
    happen_there = make_unit(people.organization, "Other").scope
    commit()
    stream = listen("admin", ouId=str(happen_there.unit_id))

    happen(happen_there, lead_id="ld_there")

    assert stream.next_of("new_event")[1]["lead_id"] == "ld_there"


def test_a_unit_of_others_is_refused(listen, people):
    closed = make_unit(people.organization, "Closed")
    commit()

    assert listen("viewer", ouId=str(closed.unit_id)).status_code == 403
    assert listen("viewer", ouId=str(people.stranger.unit.unit_id)).status_code == 404
    assert listen("credential", ouId=str(closed.unit_id)).status_code == 403
    assert listen("viewer", ouId="nonsense").status_code == 404


def test_without_any_unit_there_is_nothing_to_hear(listen, people):
    leave_unit(people.viewer)

    response = listen("viewer")

    assert (response.status_code, response.json["error"]) == (400, "active OU not set")


# --- Tokens ---


@pytest.fixture
def token(call_as):
    return call_as("viewer").post("/stream/token").json


def test_a_token_opens_the_stream_of_its_unit(listen, happen, token, people):
    assert token["ou_id"] == str(people.unit.unit_id)

    stream = listen("anybody", token=token["token"], ouId=token["ou_id"])
    happen(lead_id="ld_1")

    assert stream.next_of("new_event")[1]["lead_id"] == "ld_1"
    assert stream.response.headers["Access-Control-Allow-Origin"] == "*"


def test_only_a_token_lets_pages_of_other_origins_listen(listen):
    assert "Access-Control-Allow-Origin" not in listen("viewer").response.headers


def test_a_program_has_tokens_too_until_its_credential_is_deleted(call_as, listen, people):
    token = call_as("credential").post("/stream/token").json["token"]
    listen("anybody", token=token)
    identity.delete_credential(people.scope, people.credential.credential.secret_id)
    commit()

    assert listen("anybody", token=token).status_code == 401


def test_a_token_is_good_for_nothing_else(app, token, people):
    headers = {"Authorization": f"Bearer {token['token']}"}
    access_token = people.viewer.bearer["Authorization"].removeprefix("Bearer ")

    assert app.test_client().get("/leads", headers=headers).status_code == 401
    assert app.test_client().get(f"/stream?token={access_token}").status_code == 401


def test_a_token_is_for_its_own_unit(listen, token, people):
    response = listen("anybody", token=token["token"], ouId=str(people.stranger.unit.unit_id))

    assert response.status_code == 403


def test_a_token_lapses(listen, people, security):
    warrant = warrants.issue_warrant(_principal(people))
    long_ago = utc_now() - warrants.GOOD_FOR - timedelta(seconds=1)
    token = warrants.sign_warrant(warrant, security=security, now=long_ago).token

    response = listen("anybody", token=token)

    assert response.status_code == 401
    assert "POST /stream/token" in response.json["error"]


@pytest.mark.parametrize("token", ["x", "a.b.c", jwt.encode({}, "k" * 32, algorithm="HS256")])
def test_a_token_that_is_none_is_refused(listen, world, token):
    assert listen("anybody", token=token).status_code == 401


def test_a_token_ends_with_the_membership(listen, token, people):
    leave_unit(people.viewer)

    assert listen("anybody", token=token["token"]).status_code == 401


def _principal(people):
    found = warrants.queries.find_member_principal(
        people.viewer.member.org_member_id,
        session_epoch=people.viewer.member.session_epoch,
        via="bearer",
    )
    assert found is not None
    return found


# --- Coming back, and going on ---


def test_who_comes_back_hears_what_it_missed(listen, happen):
    stream = listen("viewer")
    happen(lead_id="ld_1")
    last_id, _ = stream.next_of("new_event")
    happen(lead_id="ld_2")

    again = listen("viewer", {"Last-Event-ID": last_id})

    assert again.next_of("new_event")[1]["lead_id"] == "ld_2"
    happen(lead_id="ld_3")
    assert again.next_of("new_event")[1]["lead_id"] == "ld_3"


def test_who_was_away_for_too_long_is_told_so(listen, world):
    stream = listen("viewer", {"Last-Event-ID": "1-1.1"})

    assert stream.next() == 'event: gap\ndata: {"type":"gap"}'


@pytest.mark.parametrize("name", ["", "17", "a-b.c", "1-1.1.1", "9" * 30 + "-1.1"])
def test_an_id_that_is_none_of_ours_is_passed_over(listen, monkeypatch, world, name):
    monkeypatch.setattr(streams, "PING_SECONDS", 0.01)

    assert listen("viewer", {"Last-Event-ID": name}).next() == ": ping"


def test_a_quiet_stream_is_kept_open(listen, monkeypatch):
    monkeypatch.setattr(streams, "PING_SECONDS", 0.01)
    stream = listen("viewer")

    assert [stream.next() for _ in range(3)] == [": ping"] * 3


@pytest.fixture
def watchful(monkeypatch):
    """Have streams look at every ping whether they may go on."""
    monkeypatch.setattr(streams, "PING_SECONDS", 0.01)
    monkeypatch.setattr(streams, "LOOK_AGAIN_SECONDS", 0)


def test_a_stream_ends_when_its_member_leaves_the_unit(listen, people, watchful):
    stream = listen("viewer")
    assert stream.next() == ": ping"
    identity.set_membership(
        people.scope, people.viewer.member.org_member_id, role=UnitRole.OPERATOR, now=utc_now()
    )
    commit()
    assert stream.next() == ": ping"

    leave_unit(people.viewer)

    assert stream.is_over()


def test_a_stream_ends_with_its_credential(listen, people, watchful):
    stream = listen("credential")
    assert stream.next() == ": ping"

    identity.delete_credential(people.scope, people.credential.credential.secret_id)
    commit()

    assert stream.is_over()


def test_a_stream_without_a_broker_stays_open(make_app, people, monkeypatch):
    monkeypatch.setattr(streams, "PING_SECONDS", 0.01)
    app = make_app(redis_url=NO_BROKER)

    stream = Stream(app.test_client().get("/stream", headers=people.viewer.bearer, buffered=False))

    assert [stream.next() for _ in range(3)] == [": ping"] * 3
    stream.response.close()
    streams.close(app)


# --- Room ---


def test_streams_beyond_the_limit_are_refused_and_leaving_makes_room(make_app, people):
    app = make_app(web_threads=2)
    client, headers = app.test_client(), people.viewer.bearer
    first = client.get("/stream", headers=headers, buffered=False)

    refused = client.get("/stream", headers=headers)

    assert (refused.status_code, refused.json["code"]) == (503, "unavailable")
    assert "WEB_THREADS" in refused.json["error"]
    first.close()
    second = client.get("/stream", headers=headers, buffered=False)
    assert second.status_code == 200
    second.close()


def test_an_answer_that_is_never_sent_takes_no_room(make_app, people):
    app = make_app(web_threads=2)
    streamed = app.test_client().get("/stream", headers=people.viewer.bearer, buffered=False)
    assert streamed.status_code == 200

    del streamed
    gc.collect()

    again = app.test_client().get("/stream", headers=people.viewer.bearer, buffered=False)
    assert again.status_code == 200
    again.close()


def test_a_stream_that_is_only_asked_about_takes_no_room(make_app, people):
    client = make_app(web_threads=2).test_client()

    for _ in range(3):
        response = client.head("/stream", headers=people.viewer.bearer)
        assert (response.status_code, response.mimetype) == (200, "text/event-stream")


def test_a_connection_that_is_not_read_is_ended(call_as, happen, monkeypatch):
    monkeypatch.setattr(reception, "MOST_WAITING", 2)
    ours, theirs = socket.socketpair()
    theirs.settimeout(20)
    response = call_as("viewer").send(
        "GET", "/stream", environ_overrides={"gunicorn.socket": ours}, buffered=False
    )
    stream = Stream(response)

    for _ in range(4):
        happen(lead_id="ld_1")

    with ours, theirs:
        assert theirs.recv(1) == b""
    list(stream._pieces)  # it comes to its end


def test_streams_end_when_the_process_does(make_app, people, monkeypatch):
    monkeypatch.setattr(streams, "PING_SECONDS", 60)
    monkeypatch.setattr(reception, "LOOK_UP_SECONDS", 0.02)
    app = make_app()
    stream = Stream(app.test_client().get("/stream", headers=people.viewer.bearer, buffered=False))
    streams.close(app)

    assert stream.is_over()
    stream.response.close()


def test_open_streams_are_in_the_figures(listen, client):
    def count():
        metrics = client.get("/metrics").text
        return float(re.search(r"^live_streams_open ([0-9.]+)$", metrics, re.MULTILINE)[1])

    before = count()
    stream = listen("viewer")
    assert count() == before + 1

    stream.response.close()
    assert count() == before


# --- Left open ---


@pytest.fixture
def open_client(make_app, people):
    return make_app(stream_without_sign_in=True).test_client()


def test_an_installation_may_leave_the_stream_open(open_client, people, happen):
    unit_id = people.unit.unit_id
    stream = Stream(open_client.get(f"/stream?ouId={unit_id}", buffered=False))

    happen(lead_id="ld_1")

    assert stream.next_of("new_event")[1]["lead_id"] == "ld_1"
    stream.response.close()


def test_an_open_stream_goes_by_the_cookie_too(open_client, people):
    open_client.set_cookie("activeOu", str(people.unit.unit_id))

    Stream(open_client.get("/stream", buffered=False)).response.close()


def test_an_open_stream_still_needs_a_unit_that_there_is(open_client, world):
    assert open_client.get("/stream").status_code == 400
    assert open_client.get("/stream?ouId=nonsense").status_code == 404
    assert open_client.get("/stream?ouId=01a21e6c-9b0f-7412-a676-9becf86e11e0").status_code == 404
