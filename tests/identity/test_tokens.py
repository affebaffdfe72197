from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import jwt
import pytest

from leadvibe.identity.errors import TokenRefusedError
from leadvibe.identity.security import Security
from leadvibe.identity.tokens import ALGORITHM, PURPOSE, read_access_token, sign_access_token
from leadvibe.identity.types import Member, OrgRole

NOW = datetime(2025, 6, 2, 12, tzinfo=UTC)
SECURITY = Security(secret_key="one secret", access_token_minutes=15)
ANNA = Member(UUID(int=1), UUID(int=2), "Anna", "B", "a@b.test", OrgRole.ADMIN, True, 3, NOW)


def _token() -> str:
    return sign_access_token(ANNA, security=SECURITY, now=NOW)


def _claims() -> dict[str, object]:
    return jwt.decode(_token(), options={"verify_signature": False})


def _signed(claims: dict[str, object], **options) -> str:
    return jwt.encode(claims, SECURITY.key(PURPOSE), algorithm=ALGORITHM, **options)


def test_a_token_carries_who_the_member_is():
    claims = _claims()

    assert claims["sub"] == claims["org_member_id"] == str(ANNA.org_member_id)
    assert claims["org_id"] == str(ANNA.org_id)
    assert (claims["role"], claims["epoch"]) == ("admin", 3)
    assert claims["exp"] - claims["iat"] == 15 * 60
    assert claims["jti"] != _claims()["jti"]


def test_a_token_is_good_until_it_expires():
    token = _token()

    access = read_access_token(
        token, security=SECURITY, now=NOW + timedelta(minutes=14, seconds=59)
    )
    assert (access.member_id, access.session_epoch) == (ANNA.org_member_id, 3)

    with pytest.raises(TokenRefusedError, match="expired"):
        read_access_token(token, security=SECURITY, now=NOW + timedelta(minutes=15))


def test_a_token_signed_with_another_key_is_refused():
    other = Security(secret_key="another secret")

    with pytest.raises(TokenRefusedError, match="not valid"):
        read_access_token(_token(), security=other, now=NOW)


def test_the_key_of_another_purpose_signs_no_access_tokens():
    forged = jwt.encode(_claims(), SECURITY.key("browser session"), algorithm=ALGORITHM)

    with pytest.raises(TokenRefusedError):
        read_access_token(forged, security=SECURITY, now=NOW)


@pytest.mark.parametrize("claim", ["sub", "exp", "epoch", "jti", "org_id"])
def test_a_token_without_one_of_its_claims_is_refused(claim):
    claims = _claims()
    del claims[claim]

    with pytest.raises(TokenRefusedError):
        read_access_token(_signed(claims), security=SECURITY, now=NOW)


@pytest.mark.parametrize(
    "wrong", [{"sub": "nobody"}, {"epoch": "3"}, {"exp": "never"}, {"exp": None}]
)
def test_a_token_with_a_claim_of_the_wrong_kind_is_refused(wrong):
    with pytest.raises(TokenRefusedError):
        read_access_token(_signed(_claims() | wrong), security=SECURITY, now=NOW)


def test_an_unsigned_token_is_refused():
    unsigned = jwt.encode(_claims(), None, algorithm="none")

    with pytest.raises(TokenRefusedError):
        read_access_token(unsigned, security=SECURITY, now=NOW)


@pytest.mark.parametrize("rubbish", ["", ".", "a.b.c", "🎈", "x" * 5000])
def test_rubbish_is_refused(rubbish):
    with pytest.raises(TokenRefusedError):
        read_access_token(rubbish, security=SECURITY, now=NOW)
