from __future__ import annotations

import time

import pytest

from leadvibe.audit.queries import list_entries
from leadvibe.http.rate_limits import limiter
from leadvibe.identity.limits import set_limit
from leadvibe.identity.types import KeyBy, LimitMode, Rate, RequestLimit
from leadvibe.lib.db import commit
from leadvibe.lib.token_bucket import PREFIX
from tests.api.conftest import Caller
from tests.people import basic

HEADERS = {"RateLimit-Limit", "RateLimit-Remaining", "RateLimit-Reset"}
ADDRESS = "127.0.0.1"
LIMIT = {"mode": "enforce", "key_by": "unit", "rps": 1, "burst": 1}


@pytest.fixture
def broker(app):
    return app.extensions["leadvibe.redis"]


@pytest.fixture(autouse=True)
def _full_buckets(broker):
    yield
    for key in broker.scan_iter(f"{PREFIX}*"):
        broker.delete(key)


@pytest.fixture
def limited(app, make_app, people, world):
    """Return a maker of callers of an application with other settings."""

    def make(mode="enforce", key_by="org", caller="credential", **settings):
        other = make_app(rate_limit_mode=mode, rate_limit_key_by=key_by, **settings)
        headers = {"credential": lambda: basic(people.credential), "anybody": dict}.get(caller)
        return Caller(other.test_client(), headers() if headers else people[caller].bearer)

    return make


def use_up(broker, key):
    broker.set(PREFIX + key, int((time.time() + 3600) * 1_000_000))


def test_by_default_nothing_is_limited_and_nobody_asked(api, broker):
    response = api.get("/leads")

    assert not HEADERS & set(response.headers.keys())
    assert list(broker.scan_iter(f"{PREFIX}*")) == []


@pytest.mark.parametrize("mode", ["observe", "enforce"])
def test_every_answer_says_how_many_are_left(limited, mode):
    caller = limited(mode)

    for response in (
        caller.get("/leads"), caller.post("/rules", {}), caller.get("/leads/nobody"),
        caller.post("/ingest", {"event_type": "page_view", "lead_id": "ada"}),
    ):  # fmt: skip
        assert response.headers["RateLimit-Limit"] == "200"
        assert 0 < int(response.headers["RateLimit-Remaining"]) < 200
        assert int(response.headers["RateLimit-Reset"]) >= 1


def test_one_too_many_is_refused_and_told_when_to_come_back(limited, broker, people):
    use_up(broker, f"org:{people.scope.org_id}")

    response = limited("enforce").get("/leads")

    assert response.status_code == 429
    assert response.json["code"] == "rate_limited"
    assert response.json["request_id"]
    assert 0 < int(response.headers["Retry-After"]) <= int(response.headers["RateLimit-Reset"])
    assert response.headers["RateLimit-Remaining"] == "0"


def test_who_observes_lets_it_through_and_counts(limited, broker, people, caplog):
    use_up(broker, f"org:{people.scope.org_id}")
    caller = limited("observe")

    assert [caller.get("/leads").status_code for _ in range(3)] == [200] * 3

    with caller._client.application.app_context():
        assert limiter().passed == 3
    assert sum("rate limit" in record.message for record in caplog.records) == 1


def test_a_refused_write_writes_nothing_at_all(limited, broker, people, api):
    use_up(broker, f"org:{people.scope.org_id}")

    response = limited("enforce").post("/leads", {"id": "ada"})

    assert response.status_code == 429
    assert api.get("/leads").json == []
    assert list_entries(people.scope.org_id, limit=10) == []


@pytest.mark.parametrize(
    ("key_by", "caller", "key"),
    [
        ("org", "credential", lambda it: f"org:{it.scope.org_id}"),
        ("org", "viewer", lambda it: f"org:{it.scope.org_id}"),
        ("org", "anybody", lambda _: f"ip:{ADDRESS}"),
        ("user", "viewer", lambda it: f"user:{it.viewer.member.org_member_id}"),
        ("user", "credential", lambda it: f"client:{it.credential.credential.client_id}"),
        ("user", "anybody", lambda _: f"ip:{ADDRESS}"),
        ("client", "credential", lambda it: f"client:{it.credential.credential.client_id}"),
        ("client", "viewer", lambda _: f"ip:{ADDRESS}"),
        ("ip", "credential", lambda _: f"ip:{ADDRESS}"),
        ("ip", "viewer", lambda _: f"ip:{ADDRESS}"),
    ],
)
def test_each_key_is_of_whom_it_says(limited, broker, people, *, key_by, caller, key):
    use_up(broker, key(people))

    assert limited(key_by=key_by, caller=caller).get("/org-units").status_code == 429


@pytest.mark.parametrize("key_by", ["org", "user", "client"])
def test_others_are_not_kept_waiting(limited, broker, people, key_by):
    use_up(broker, f"org:{people.scope.org_id}")
    use_up(broker, f"client:{people.credential.credential.client_id}")

    assert limited(key_by=key_by, caller="stranger").get("/org-units").status_code == 200


def test_wrong_credentials_are_counted_by_address(limited, broker):
    use_up(broker, f"ip:{ADDRESS}")
    caller = limited(caller="anybody")

    for wrong in ("Basic bm9ib2R5Om5vdGhpbmc=", "Bearer nonsense"):
        response = caller.send("GET", "/leads", headers={"Authorization": wrong})
        assert response.status_code == 429


@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/static/css/base.css"])
def test_health_metrics_and_files_are_not_limited(limited, broker, path):
    use_up(broker, f"ip:{ADDRESS}")

    response = limited(key_by="ip", caller="anybody").get(path)

    assert response.status_code == 200
    assert not HEADERS & set(response.headers.keys())


def test_pages_are_not_limited(limited, broker):
    use_up(broker, f"ip:{ADDRESS}")

    assert limited(key_by="ip", caller="anybody").get("/app/login").status_code == 200


def test_without_a_broker_everything_is_let_through(limited):
    caller = limited("enforce", redis_url="redis://127.0.0.1:1")

    response = caller.get("/leads")

    assert response.status_code == 200
    assert "RateLimit-Limit" not in response.headers


def test_a_caller_can_ask_for_the_limit(limited, people):
    caller = limited("observe", "user", "viewer", rate_limit_rps=7, rate_limit_burst=20)

    assert caller.get("/me/rate-limit").json == {
        "enabled": True,
        "mode": "observe",
        "key_by": "user",
        "key": f"user:{people.viewer.member.org_member_id}",
        "rps": 7,
        "burst": 20,
        "stage": "after_authentication",
    }


def test_a_limit_that_is_off_says_so(call_as, people):
    limit = call_as("viewer").get("/me/rate-limit").json

    assert (limit["enabled"], limit["mode"]) == (False, "off")
    assert limit["key"] == f"org:{people.scope.org_id}"


class TestOwnLimits:
    """Of the organisation and of single credentials."""

    def test_it_holds_at_once_and_until_it_is_dropped(self, call_as, people):
        admin = call_as("admin")
        assert admin.get("/settings/org/rate-limit").json["own"] is False

        assert admin.put("/settings/org/rate-limit", LIMIT).json == {**LIMIT, "own": True}
        answers = [admin.get("/org-units") for _ in range(3)]
        assert answers[-1].status_code == 429
        assert answers[-1].headers["RateLimit-Limit"] == "1"

        # Which an admin who is refused does on the page; pages are never limited.
        set_limit(people.scope.org_id, None)
        commit()
        assert admin.get("/org-units").status_code == 200

    def test_credentials_are_told_at_once_as_well(self, call_as, api, people):
        assert api.get("/leads").status_code == 200
        set_limit(people.scope.org_id, limit_of("enforce", "client", 1, 1))
        commit()

        assert [api.get("/leads").status_code for _ in range(3)][-1] == 429
        assert call_as("viewer").get("/leads").status_code == 200

    def test_a_credential_of_its_own_limit_is_counted_apart(self, call_as, api, people):
        path = f"/secrets/{people.credential.credential.secret_id}/rate-limit"
        owner = call_as("owner")
        assert owner.put(path, {"rps": 1, "burst": 1}).status_code == 204
        [secret] = owner.get("/secrets").json
        assert (secret["rps"], secret["burst"]) == (1, 1)

        assert [api.get("/leads").status_code for _ in range(3)][-1] == 429
        assert owner.get("/leads").status_code == 200

        assert owner.send("DELETE", path).status_code == 204
        assert [api.get("/leads").status_code for _ in range(3)] == [200] * 3

    def test_who_observes_refuses_nobody(self, api, people):
        set_limit(people.scope.org_id, limit_of("observe", "org", 1, 1))
        commit()

        assert [api.get("/leads").status_code for _ in range(3)] == [200] * 3

    def test_the_installations_limit_holds_as_well(self, limited, broker, people):
        set_limit(people.scope.org_id, limit_of("off", "org", 100, 100))
        commit()
        use_up(broker, f"org:{people.scope.org_id}")

        assert limited("enforce").get("/leads").status_code == 429

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"rps": 0}, "rps"),
            ({"burst": 100_001}, "burst"),
            ({"rps": 20, "burst": 10}, "burst"),
            ({"mode": "strict"}, "mode"),
            ({"key_by": "moon"}, "key_by"),
        ],
    )
    def test_bounds_are_told(self, call_as, changes, field):
        refused = call_as("admin").put("/settings/org/rate-limit", {**LIMIT, **changes})

        assert (refused.status_code, list(refused.json["fields"])) == (400, [field])

    def test_only_admins_set_it(self, call_as):
        assert call_as("owner").put("/settings/org/rate-limit", LIMIT).status_code == 403


def limit_of(mode, key_by, rps, burst):
    return RequestLimit(LimitMode(mode), KeyBy(key_by), Rate(rps, burst))
