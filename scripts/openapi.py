"""Write functions/api/openapi.json anew: one document of both API functions, made from their routes.

Terraform derives the gateway's routes and the authorizer's scopes from it, and `GET /v1/openapi.json` serves
it.
"""

import json
from pathlib import Path
from typing import Any

from functions.api.app import app as memory
from functions.api.public.routes import OPENAPI
from functions.chat.handler import app as chat

PROBLEM: dict[str, Any] = {
    "type": "object",
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


def document() -> str:
    """Return the merged OpenAPI 3.1 document as text that is the same on every machine."""
    parts = [json.loads(app.get_openapi_json_schema(title="membus", version="1")) for app in (memory, chat)]
    merged = parts[0]
    for part in parts[1:]:
        for path, operations in part["paths"].items():
            merged["paths"].setdefault(path, {}).update(operations)
        merged["components"]["schemas"] |= part["components"]["schemas"]
    merged["components"]["schemas"]["Problem"] = PROBLEM
    merged["components"]["securitySchemes"] = {"apiKey": {"type": "http", "scheme": "bearer"}}
    merged["security"] = [{"apiKey": []}]
    for operation in (operation for path in merged["paths"].values() for operation in path.values()):
        _finish(operation)
    for unused in ("HTTPValidationError", "ResponseValidationError", "ValidationError"):
        merged["components"]["schemas"].pop(unused, None)
    return json.dumps(merged, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _finish(operation: dict[str, Any]) -> None:
    """Say what Powertools cannot.

    Errors are problem+json, no content is none, and public routes ask for no key.
    """
    operation["responses"].pop("422", None)
    operation["responses"].get("204", {}).pop("content", None)
    schema = {"$ref": "#/components/schemas/Problem"}
    operation["responses"]["default"] = {
        "description": "Any error",
        "content": {"application/problem+json": {"schema": schema}},
    }
    if "x-membus-scope" not in operation:
        operation["security"] = []


def main(target: Path = OPENAPI) -> None:
    target.write_text(document(), encoding="utf-8")


if __name__ == "__main__":
    main()
