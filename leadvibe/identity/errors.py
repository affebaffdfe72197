"""What can be wrong with a claim of identity, or with a change to one."""

from __future__ import annotations

from leadvibe.lib.errors import (
    ConflictError,
    ForbiddenError,
    InvalidError,
    NotFoundError,
    UnauthenticatedError,
)


class SignInRefusedError(UnauthenticatedError):
    """One message for an unknown address, a wrong password and an invitation not yet taken."""

    code = "sign_in_refused"

    def __init__(self) -> None:
        super().__init__("The e-mail address or the password is wrong.")


class TokenRefusedError(UnauthenticatedError):
    code = "token_refused"


class CredentialRefusedError(UnauthenticatedError):
    code = "credential_refused"

    def __init__(self) -> None:
        super().__init__("These API credentials are unknown or were deleted: create new ones.")


class ApiKeyRefusedError(UnauthenticatedError):
    code = "api_key_refused"

    def __init__(self) -> None:
        super().__init__("This API key is unknown, was deleted or has ended: create a new one.")


class WeakPasswordError(InvalidError):
    code = "weak_password"


class WrongPasswordError(InvalidError):
    code = "wrong_password"


class LinkSpentError(InvalidError):
    code = "link_spent"

    def __init__(self) -> None:
        super().__init__("This link was already used or has expired: ask for a new one.")


class NoActiveUnitError(InvalidError):
    code = "no_active_unit"

    def __init__(self) -> None:
        remedy = "Choose the organisation unit to work in with POST /org-units/active."
        super().__init__("active OU not set", fields={"activeOu": remedy})


class UnitArchivedError(ForbiddenError):
    """It takes no events and nobody works in it until an admin restores it."""

    code = "unit_archived"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"The organisation unit “{name}” is archived. An admin can restore it in Settings."
        )


class LastUnitError(ConflictError):
    code = "last_unit"

    def __init__(self, name: str) -> None:
        super().__init__(
            f"“{name}” is the last unit of the organisation: make another before you archive it."
        )


class NotInUnitError(ForbiddenError):
    code = "not_in_unit"


class SetupTokenError(ForbiddenError):
    code = "setup_token"

    def __init__(self) -> None:
        super().__init__(
            "The setup token is wrong: copy the address that Leadvibe wrote to its log."
        )


class SetupDoneError(ConflictError):
    code = "setup_done"

    def __init__(self) -> None:
        super().__init__("Leadvibe is already set up: sign in, or ask an admin for an invitation.")


class MemberExistsError(ConflictError):
    """An address belongs to one member, of whichever organisation."""

    code = "member_exists"

    def __init__(self, email: str) -> None:
        problem = f"There is already a member with the address {email}."
        super().__init__(problem, fields={"email": problem})


class LastAdminError(ConflictError):
    code = "last_admin"

    def __init__(self, email: str) -> None:
        super().__init__(
            f"{email} is the last admin of the organisation who can sign in:"
            " make another member admin first."
        )


class LastOwnerError(ConflictError):
    code = "last_owner"

    def __init__(self, email: str, unit_name: str) -> None:
        super().__init__(
            f'{email} is the last Owner of "{unit_name}": make another member Owner first.'
        )


class OwnersOnlyError(ForbiddenError):
    code = "owners_only"

    def __init__(self) -> None:
        super().__init__("Only an Owner of this unit or an admin may make or unmake its Owners.")


class TokenNeedsPersonError(ForbiddenError):
    code = "token_needs_person"

    def __init__(self) -> None:
        super().__init__(
            "A personal access token may not make or revoke personal access tokens: sign in."
        )


class OrganizationNotFoundError(NotFoundError):
    code = "organization_not_found"


class UnitNotFoundError(NotFoundError):
    code = "unit_not_found"


class MemberNotFoundError(NotFoundError):
    code = "member_not_found"


class MembershipNotFoundError(NotFoundError):
    code = "membership_not_found"


class CredentialNotFoundError(NotFoundError):
    code = "credential_not_found"


class ApiKeyNotFoundError(NotFoundError):
    code = "api_key_not_found"


class PersonalTokenNotFoundError(NotFoundError):
    code = "token_not_found"
