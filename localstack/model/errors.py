"""Errors of the local model, and how each of the two doors words them."""

from collections.abc import Mapping

BEDROCK = {
    "invalid_request_error": (400, "ValidationException"),
    "authentication_error": (403, "AccessDeniedException"),
    "rate_limit_error": (429, "ThrottlingException"),
    "overloaded_error": (503, "ServiceUnavailableException"),
    "api_error": (500, "InternalServerException"),
}
ANTHROPIC = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "not_found_error": 404,
    "rate_limit_error": 429,
    "api_error": 500,
    "overloaded_error": 529,
}


class ModelServerError(Exception):
    """What the caller did wrong or what the model claims to suffer from; `kind` is Anthropic's error type."""

    def __init__(self, kind: str, message: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(message)
        self.kind, self.message, self.headers = kind, message, dict(headers or {})

    @classmethod
    def invalid(cls, message: str) -> "ModelServerError":
        return cls("invalid_request_error", message)

    def body(self) -> dict[str, object]:
        return {"type": "error", "error": {"type": self.kind, "message": self.message}}
