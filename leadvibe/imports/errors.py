"""What can be wrong with an uploaded file, or with a request about an import."""

from __future__ import annotations

from leadvibe.lib.errors import (
    ConflictError,
    InvalidError,
    NotFoundError,
    TooLargeError,
    UnsupportedTypeError,
)


class BackfillNotFoundError(NotFoundError):
    code = "backfill_not_found"


class ImportNotFoundError(NotFoundError):
    code = "import_not_found"


class LeadFileNotFoundError(NotFoundError):
    code = "lead_file_not_found"


class LeadFileStartedError(ConflictError):
    code = "lead_file_started"


class ImportUndoneError(ConflictError):
    """It is being undone, or was."""

    code = "import_undone"


class UndoTooLateError(ConflictError):
    """What the import changed is not remembered any more."""

    code = "undo_too_late"


class ImportUnfinishedError(ConflictError):
    code = "import_unfinished"


class UndoNotFoundError(NotFoundError):
    code = "undo_not_found"


class BadPlanError(InvalidError):
    """What was said about the columns of a file does not fit the file."""

    code = "bad_plan"

    def __init__(self, field: str, problem: str) -> None:
        super().__init__(f"{field} {problem}.", fields={field: problem})


class NotCsvError(UnsupportedTypeError):
    code = "not_csv"

    def __init__(self, message: str) -> None:
        super().__init__(message, fields={"file": "is not a CSV file"})


class FileTooLargeError(TooLargeError):
    code = "file_too_large"

    def __init__(self, limit_bytes: int) -> None:
        megabytes = f"{limit_bytes / 1024**2:,.0f} MB"
        super().__init__(
            f"The file has more than {megabytes} of text: split it into several.",
            fields={"file": f"is larger than {megabytes}"},
        )


class BadFileError(InvalidError):
    """The file is a CSV file perhaps, but cannot be imported as it stands."""

    code = "bad_file"

    def __init__(self, message: str, *, problem: str) -> None:
        super().__init__(message, fields={"file": problem})
