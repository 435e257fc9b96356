"""Write functions/api/openapi.json anew: one document of both API functions, made from their routes.

Terraform derives the gateway's routes and the authorizer's scopes from it, and `GET /v1/openapi.json` serves
it.
"""

import json
import sys
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

from functions.api.app import app as memory
from functions.api.public.routes import OPENAPI
from functions.chat.handler import app as chat

INFO = {
    "title": "membus",
    "version": "1",
    "description": "An event-driven memory for AI applications: events in, facts and context out.",
}
PROBLEM: dict[str, Any] = {
    "type": "object",
    "title": "Problem",
    "description": "Any error, as RFC 9457 has it.",
    "required": ["type", "title", "status", "detail", "code", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string", "description": "stable: programs may depend on it"},
        "request_id": {"type": "string"},
        "current_version": {"type": "integer", "description": "on a conflict: the version that won"},
    },
}
PATH_PARAMETERS = {
    "agent": "the agent's id",
    "conversation": "the conversation's id",
    "event": "the event's id",
    "job": "the job's id",
    "key": "the fact's key, such as `home.city`",
    "memory": "the text's id",
    "message": "the message's id",
    "quarantine_id": "the item's id in the review queue",
    "session": "the session's id",
    "user": "the user's id, as the application writes it",
}


def document() -> str:
    """Return the merged OpenAPI 3.1 document as text that is the same on every machine."""
    merged: dict[str, Any] = {"paths": {}, "components": {"schemas": {}}}
    tags: dict[str, str] = {}
    for app in (memory, chat):
        part = json.loads(app.get_openapi_json_schema(title=INFO["title"], version=INFO["version"]))
        for path, operations in part["paths"].items():
            merged["paths"].setdefault(path, {}).update(operations)
        schemas = merged["components"]["schemas"] | part["components"]["schemas"]
        merged = part | {"paths": merged["paths"], "components": {"schemas": schemas}}
        for path, method, name, module in _routes(app):
            tag = _tag(module)
            merged["paths"][path][method] |= {"operationId": name, "tags": [tag]}
            tags[tag] = _purpose(module)
    schemas = merged["components"]["schemas"]
    _name_items(schemas)
    schemas["Problem"] = PROBLEM
    merged["components"]["securitySchemes"] = {"apiKey": {"type": "http", "scheme": "bearer"}}
    merged["security"] = [{"apiKey": []}]
    merged["info"] = INFO
    merged["tags"] = [{"name": tag, "description": tags[tag]} for tag in sorted(tags)]
    for operation in (operation for path in merged["paths"].values() for operation in path.values()):
        _finish(operation)
    for unused in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        schemas.pop(unused, None)
    return json.dumps(merged, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _routes(app: APIGatewayHttpResolver) -> Iterator[tuple[str, str, str, str]]:
    """Yield path, method, function and module of each route. Powertools shows the function in no other way."""
    for route in [*app._static_routes, *app._dynamic_routes]:  # noqa: SLF001
        for method in [route.method] if isinstance(route.method, str) else route.method:
            yield route.openapi_path, method.lower(), route.func.__name__, route.func.__module__


def _tag(module: str) -> str:
    """Return the folder of a route: `functions.api.facts.routes` is `facts`, `functions.chat.handler` is `chat`."""
    return module.split(".")[-2]


def _purpose(module: str) -> str:
    """Return what a module's docstring says after its colon."""
    purpose = (sys.modules[module].__doc__ or "").strip().partition(": ")[2]
    return purpose[:1].upper() + purpose[1:]


def _name_items(schemas: dict[str, Any]) -> None:
    """Make the items of batches schemas of their own, so that generated code has a type for each.

    They stand inside their batch, because the API checks each by itself.
    """
    lists = [field for schema in list(schemas.values()) for field in schema.get("properties", {}).values()]
    for field in lists:
        items = field.get("items", {})
        if "properties" in items:
            name = items["title"]
            if schemas.setdefault(name, items) != items:
                raise ValueError(f"two schemas are called {name}")
            field["items"] = {"$ref": f"#/components/schemas/{name}"}


def _finish(operation: dict[str, Any]) -> None:
    """Say what Powertools cannot.

    Errors are problem+json, no content is none, and public routes ask for no key.
    """
    responses = operation["responses"]
    responses.pop("422", None)
    responses.get("204", {}).pop("content", None)
    for status, response in responses.items():
        if response["description"] == "Successful Response":
            response["description"] = HTTPStatus(int(status)).phrase
    schema = {"$ref": "#/components/schemas/Problem"}
    responses["default"] = {
        "description": "Any error",
        "content": {"application/problem+json": {"schema": schema}},
    }
    for parameter in operation.get("parameters", []):
        if parameter["in"] == "path":
            parameter["description"] = PATH_PARAMETERS[parameter["name"]]
    if "x-membus-scope" not in operation:
        operation["security"] = []


def main(target: Path = OPENAPI) -> None:
    target.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
