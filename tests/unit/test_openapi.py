"""functions/api/openapi.json: made from the code, and what the gateway's routes and scopes are made of."""

import json
import re
from typing import Any

import pytest

from functions.api.app import app as api
from functions.api.public.routes import OPENAPI
from functions.chat.handler import app as chat
from scripts import openapi
from tests.support.api_client import ApiTestClient

DOCUMENT: dict[str, Any] = json.loads(openapi.document())
OPERATIONS = [
    (f"{method.upper()} {path}", operation)
    for path, methods in DOCUMENT["paths"].items()
    for method, operation in methods.items()
]
PUBLIC = {"GET /v1/health", "GET /v1/openapi.json"}
CALLS = {
    "POST /v1/events",
    "GET /v1/users/{user}/profile",
    "GET /v1/users/{user}/facts",
    "GET /v1/users/{user}/facts/{key}",
    "GET /v1/users/{user}/facts/{key}/history",
    "POST /v1/conversations",
    "GET /v1/conversations",
    "GET /v1/conversations/{conversation}",
    "GET /v1/conversations/{conversation}/messages",
    "POST /v1/conversations/{conversation}/messages",
    "GET /v1/conversations/{conversation}/context",
    "POST /v1/mcp/{user}",
    *PUBLIC,
}


def test_the_committed_document_is_the_one_the_code_makes() -> None:
    assert OPENAPI.read_text(encoding="utf-8") == openapi.document()


def test_the_door_serves_the_committed_document(door: ApiTestClient) -> None:
    assert door.get("/v1/openapi.json").json == DOCUMENT


def test_every_call_is_described() -> None:
    assert {name for name, _ in OPERATIONS} >= CALLS


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_every_operation_names_its_function_and_its_scope(name: str, operation: dict[str, Any]) -> None:
    assert operation["x-membus-function"] in {"api", "chat"}
    assert (operation.get("security") == []) == (name in PUBLIC)
    assert ("x-membus-scope" in operation) != (name in PUBLIC)
    assert operation["responses"]["default"]["content"].keys() == {"application/problem+json"}
    assert operation["summary"]


@pytest.mark.parametrize(("name", "operation"), OPERATIONS)
def test_an_operation_is_served_by_the_function_it_names(name: str, operation: dict[str, Any]) -> None:
    app = {"api": api, "chat": chat}[operation["x-membus-function"]]
    method, path = name.split(" ", 1)
    example = re.sub(r"{\w+}", "x", path)

    assert any(
        route.rule.match(example) and method in route.method
        for route in [*app._static_routes, *app._dynamic_routes]
    )


def test_every_reference_leads_somewhere() -> None:
    names = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(DOCUMENT)))

    assert names <= set(DOCUMENT["components"]["schemas"])
    assert "Problem" in names


def test_every_operation_has_a_short_name_of_its_own_and_a_described_tag() -> None:
    names = [operation["operationId"] for _, operation in OPERATIONS]
    described = {tag["name"]: tag["description"] for tag in DOCUMENT["tags"]}

    assert sorted(names) == sorted(set(names))
    assert [name for name in names if not re.fullmatch(r"(get|post|put|patch|delete)(_[a-z]+)+", name)] == []
    assert {tag for _, operation in OPERATIONS for tag in operation["tags"]} == described.keys()
    assert all(described.values())


def test_every_schema_has_a_plain_name_and_a_description() -> None:
    schemas = DOCUMENT["components"]["schemas"]

    assert [name for name in schemas if not re.fullmatch(r"([A-Z][a-z]+)+", name)] == []
    assert [name for name, schema in schemas.items() if schema["title"] != name] == []
    assert [name for name, schema in schemas.items() if not schema.get("description")] == []


def test_every_parameter_and_answer_is_described() -> None:
    undescribed = [
        (name, each)
        for name, operation in OPERATIONS
        for each in [*operation.get("parameters", []), *operation["responses"].values()]
        if each.get("description", "Successful Response") == "Successful Response"
    ]

    assert undescribed == []


def test_items_of_batches_are_schemas_of_their_own() -> None:
    nested = [
        name
        for name, schema in DOCUMENT["components"]["schemas"].items()
        for field in schema.get("properties", {}).values()
        if "properties" in field.get("items", {})
    ]

    assert nested == []
