from __future__ import annotations

from leadvibe.identity import queries

def test_x(people):
    assert queries.has_members()
    assert queries.authenticate_credential(people.credential.credential.client_id, people.credential.client_secret).scope == people.scope
def test_y(browse, people):
    b = browse(people.viewer)
    r = b.get("/app/account/password")
    assert r.status_code == 200, r.text
    r = b.get("/app/login")
    assert r.status_code == 302
