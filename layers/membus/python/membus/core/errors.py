"""The tree of errors that membus raises; HTTP statuses exist only at the HTTP edge.

MembusError
├── InvalidError                 a request that can never succeed
├── UnauthorizedError            no valid credential
├── ForbiddenError               a valid credential without the scope
├── NotFoundError                absent, expired or erased: the caller cannot tell which
├── ConflictError                another writer was faster; carries the version that won
├── CorruptArchiveError          an object of the archive is missing or damaged; names it
├── IsolationError               rows of other tenants are visible: nothing is served
└── UnavailableError             a part is down or busy; try again after `retry_after_seconds`
    ├── BusyError                overloaded or unreachable: the same request may succeed in a moment
    ├── RateLimitError           the tenant exceeds its rate; `retry_after_seconds` says when it fits
    ├── BudgetError              the tenant's money for today is spent: no paid call before midnight, UTC
    ├── ModelError               the model gave an answer that cannot be used
    └── RestoreInProgressError   an object is in a storage class that takes hours; its restore has begun
"""

import math


class MembusError(Exception):
    """An error that membus raises on purpose; `code` is stable and part of the API contract."""

    code = "internal"

    def __init__(self, detail: str, *, code: str | None = None) -> None:
        super().__init__(detail)
        self.detail = detail
        self.code = code or self.code


class InvalidError(MembusError):
    code = "invalid"


class UnauthorizedError(MembusError):
    code = "unauthorized"


class ForbiddenError(MembusError):
    code = "forbidden"


class NotFoundError(MembusError):
    code = "not_found"


class ConflictError(MembusError):
    """`version` is the stored version that the caller's write collided with, where there is one."""

    code = "conflict"

    def __init__(self, detail: str, *, code: str | None = None, version: int | None = None) -> None:
        super().__init__(detail, code=code)
        self.version = version


class CorruptArchiveError(MembusError):
    """The content of an archive's object cannot be read; `key` is the object's."""

    code = "archive_damaged"

    def __init__(self, detail: str, *, key: str) -> None:
        super().__init__(f"the archive's object {key} {detail}")
        self.key = key


class IsolationError(MembusError):
    code = "unsafe"


class UnavailableError(MembusError):
    """`retry_after_seconds` is a hint for the caller's next try."""

    code = "unavailable"

    def __init__(self, detail: str, *, code: str | None = None, retry_after_seconds: int = 2) -> None:
        super().__init__(detail, code=code)
        self.retry_after_seconds = retry_after_seconds


class BusyError(UnavailableError):
    """`asked_seconds` is the wait that the part itself asks for, None without one."""

    def __init__(self, detail: str, *, code: str | None = None, asked_seconds: float | None = None) -> None:
        super().__init__(detail, code=code, retry_after_seconds=math.ceil(asked_seconds or 2))
        self.asked_seconds = asked_seconds


class RateLimitError(UnavailableError):
    code = "rate_limited"


class BudgetError(UnavailableError):
    code = "budget_exhausted"


class VectorsPendingError(UnavailableError):
    """Texts are stored and found by their words; the embedding model gave them no vector yet."""

    code = "vectors_pending"


class ModelError(UnavailableError):
    """The model refused, was cut off, or answered out of shape; `reason` says which."""

    code = "model_unusable"

    def __init__(self, detail: str, *, reason: str) -> None:
        super().__init__(detail)
        self.reason = reason


class RestoreInProgressError(UnavailableError):
    """`key` names the object; S3 restores it within `retry_after_seconds`."""

    code = "archive_thawing"

    def __init__(self, key: str, *, retry_after_seconds: int) -> None:
        super().__init__(
            f"the archive's object {key} is being restored", retry_after_seconds=retry_after_seconds
        )
        self.key = key
