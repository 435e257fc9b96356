"""What is wrong with data that an operator hands in."""

from pydantic import ValidationError


def explain_invalid(error: ValidationError, whole: str = "event") -> str:
    """Return the first problem that pydantic found, with its field; of `whole` where it has none."""
    first = error.errors(include_input=False, include_url=False)[0]
    return f"{'.'.join(map(str, first['loc'])) or whole}: {first['msg']}"
