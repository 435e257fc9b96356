"""The door as a WSGI application: what the gateway does to a request, for tools that speak HTTP."""

from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any

from tests.support.api_client import ApiTestClient

Environment = dict[str, Any]
StartResponse = Callable[[str, list[tuple[str, str]]], Any]


class WsgiGateway:
    def __init__(self, door: ApiTestClient) -> None:
        self._door = door

    def __call__(self, environ: Environment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer one request; paths arrive decoded, headers in lower case, as API Gateway hands them on."""
        length = int(environ.get("CONTENT_LENGTH") or 0)
        answer = self._door.call(
            environ["REQUEST_METHOD"],
            environ["PATH_INFO"].encode("latin-1").decode("utf-8", "replace"),
            query=environ.get("QUERY_STRING", ""),
            headers=_headers(environ),
            body=environ["wsgi.input"].read(length) if length else None,
        )
        start_response(
            f"{int(answer.status)} {HTTPStatus(answer.status).phrase}", list(answer.headers.items())
        )
        return [(answer.text or "").encode()]


def _headers(environ: Environment) -> dict[str, str]:
    named = {name.removeprefix("HTTP_"): value for name, value in environ.items() if name.startswith("HTTP_")}
    return {name.replace("_", "-").lower(): str(value) for name, value in named.items()}
