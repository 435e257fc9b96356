"""Errors of the client: one class for each status that a caller may handle, with the API's stable codes."""

from collections.abc import Mapping
from typing import Any


class MembusError(Exception):
    """Any failure of this client."""


class APIConnectionError(MembusError):
    """The API could not be reached, or the connection broke."""


class APITimeoutError(APIConnectionError):
    """The call did not end within its timeout."""


class WaitTimeoutError(MembusError):
    """What was waited for did not come in time; it may still come."""


class EventsRejectedError(MembusError):
    """Events of a batch were rejected; the others are accepted. `receipt` names each."""

    def __init__(self, receipt: Any) -> None:
        reasons = "; ".join(f"{each.index}: {each.code}: {each.detail}" for each in receipt.rejected)
        super().__init__(f"rejected events: {reasons}")
        self.receipt = receipt


class RestoreInProgressError(MembusError):
    """Archived episodes are on their way back: wait for `job` with `jobs.wait`, then ask again."""

    def __init__(self, job: Any) -> None:
        super().__init__(
            f"archived episodes are being brought back: wait for job {job.job_id}, then ask again"
        )
        self.job = job


class APIStatusError(MembusError):
    """The API answered with an error. `code` is stable; log `request_id`, by which operators find the request.

    `retry_after_seconds` is set where a retry may help, `current_version` where another version is stored.
    """

    def __init__(self, status: int, problem: Mapping[str, Any], retry_after_seconds: float | None) -> None:
        self.status = status
        self.code = str(problem.get("code", "unknown"))
        self.detail = str(problem.get("detail") or problem.get("message") or "no detail")
        self.request_id = problem.get("request_id")
        self.current_version = problem.get("current_version")
        self.retry_after_seconds = retry_after_seconds
        self.problem = dict(problem)
        super().__init__(f"{status} {self.code}: {self.detail} (request {self.request_id})")


class BadRequestError(APIStatusError):
    """400: the form of the request is wrong."""


class AuthenticationError(APIStatusError):
    """401: no key, or not a valid one."""


class BudgetExhaustedError(APIStatusError):
    """402: today's budget is spent."""


class PermissionDeniedError(APIStatusError):
    """403: the key lacks a scope, or the user may not do this."""


class NotFoundError(APIStatusError):
    """404: absent, expired, erased, or of another tenant."""


class ConflictError(APIStatusError):
    """409: another version is stored (`current_version`), or something else is in the way."""


class RequestTooLargeError(APIStatusError):
    """413: send less."""


class UnprocessableError(APIStatusError):
    """422: the content is wrong; the detail names the field."""


class RateLimitError(APIStatusError):
    """429: too many requests, after all retries."""


class ServerError(APIStatusError):
    """5xx: the API failed or is unavailable, after all retries."""


_BY_STATUS: dict[int, type[APIStatusError]] = {
    400: BadRequestError,
    401: AuthenticationError,
    402: BudgetExhaustedError,
    403: PermissionDeniedError,
    404: NotFoundError,
    409: ConflictError,
    413: RequestTooLargeError,
    422: UnprocessableError,
    429: RateLimitError,
}
SERVER_ERROR = 500


def status_error(
    status: int, problem: Mapping[str, Any], retry_after_seconds: float | None
) -> APIStatusError:
    """Return the error of an answer by its status."""
    kind = ServerError if status >= SERVER_ERROR else _BY_STATUS.get(status, APIStatusError)
    return kind(status, problem, retry_after_seconds)
