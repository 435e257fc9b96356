"""The tree of errors that membus raises; HTTP statuses exist only at the HTTP edge.

MembusError
├── InvalidError          the caller sent something that can never work
├── UnauthorizedError     no credential, or one that does not hold
├── ForbiddenError        a valid credential without the scope
├── NotFoundError         absent, expired or erased: the caller cannot tell which
├── ConflictError         somebody else was faster; carries the version that won
├── ArchiveError          an object of the cold tier is missing or damaged; names it
├── UnsafeError           a wall between tenants is not there: nothing is served through the gap
└── UnavailableError      a part is down or busy; try again after `retry_after_seconds`
    ├── BusyError         it said so itself, or was not heard: the same request may do in a moment
    ├── RateError         the tenant goes faster than it may; `retry_after_seconds` says when it fits
    ├── BudgetError       the tenant's money for today is spent: nothing that costs is done before midnight,
        UTC
    ├── ModelError        the model answered something that cannot be used
    └── ThawingError      an object lies in a class that takes hours to answer; it has been asked for
"""

import math


class MembusError(Exception):
    """Every error membus raises on purpose; `code` is stable and part of the API contract."""

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
    """What the object held cannot be read; nothing is answered in its stead. `key` is the object's."""

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
    """`asked_seconds` is how long the part itself asks to be left alone, None where it did not say."""

    def __init__(self, detail: str, *, code: str | None = None, asked_seconds: float | None = None) -> None:
        super().__init__(detail, code=code, retry_after_seconds=math.ceil(asked_seconds or 2))
        self.asked_seconds = asked_seconds


class RateLimitError(UnavailableError):
    code = "rate_limited"


class BudgetError(UnavailableError):
    code = "budget_exhausted"


class ModelError(UnavailableError):
    """The model refused, was cut off, or answered out of shape; `reason` says which."""

    code = "model_unusable"

    def __init__(self, detail: str, *, reason: str) -> None:
        super().__init__(detail)
        self.reason = reason


class RestoreInProgressError(UnavailableError):
    """`key` names the object; S3 brings it back within `retry_after_seconds`."""

    code = "archive_thawing"

    def __init__(self, key: str, *, retry_after_seconds: int) -> None:
        super().__init__(
            f"the archive's object {key} is being restored", retry_after_seconds=retry_after_seconds
        )
        self.key = key
