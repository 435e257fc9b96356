"""The client of membus, an event-driven memory for AI applications."""

from membus_client._async import AsyncMembus
from membus_client._errors import (
    APIConnectionError,
    APIStatusError,
    APITimeoutError,
    AuthenticationError,
    BadRequestError,
    BudgetExhaustedError,
    ConflictError,
    EventsRejectedError,
    MembusError,
    NotFoundError,
    PermissionDeniedError,
    RateLimitError,
    RequestTooLargeError,
    RestoreInProgressError,
    ServerError,
    UnprocessableError,
    WaitTimeoutError,
)
from membus_client._sync import Membus
from membus_client._transport import VERSION, Settings, event, message

__version__ = VERSION

__all__ = [
    "APIConnectionError",
    "APIStatusError",
    "APITimeoutError",
    "AsyncMembus",
    "AuthenticationError",
    "BadRequestError",
    "BudgetExhaustedError",
    "ConflictError",
    "EventsRejectedError",
    "Membus",
    "MembusError",
    "NotFoundError",
    "PermissionDeniedError",
    "RateLimitError",
    "RequestTooLargeError",
    "RestoreInProgressError",
    "ServerError",
    "Settings",
    "UnprocessableError",
    "WaitTimeoutError",
    "__version__",
    "event",
    "message",
]
