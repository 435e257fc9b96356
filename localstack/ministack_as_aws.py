"""Starts MiniStack with one answer put right; run by the emulator's own interpreter, hence free of our imports.

An authorizer that raises exactly `Unauthorized` makes AWS answer 401. MiniStack does so for REST APIs, but answers
500 for HTTP APIs, which would make a wrong key look like a broken gateway.
"""

from typing import Any

from ministack.app import main
from ministack.services import apigateway

AUTHORIZER_THREAD = "ministack-apigw-authorizer"
UNAUTHORIZED = 401, {"Content-Type": "application/json"}, b'{"message":"Unauthorized"}'


class _UnauthorizedError(Exception):
    pass


_run, _authorize = apigateway.run_reentrant, apigateway._authorize_request_v2  # noqa: SLF001 - there is no public seam


async def _run_or_refuse(function: Any, *args: Any, **options: Any) -> Any:
    result = await _run(function, *args, **options)
    if options.get("thread_name") == AUTHORIZER_THREAD and (result or {}).get("error"):
        body = result.get("body")
        if isinstance(body, dict) and body.get("errorMessage") == "Unauthorized":
            raise _UnauthorizedError
    return result


async def _authorize_or_401(*args: Any, **options: Any) -> Any:
    try:
        return await _authorize(*args, **options)
    except _UnauthorizedError:
        return UNAUTHORIZED, None


if __name__ == "__main__":
    apigateway.run_reentrant = _run_or_refuse
    apigateway._authorize_request_v2 = _authorize_or_401  # noqa: SLF001 - as above
    main()
