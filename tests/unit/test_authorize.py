"""functions/authorize: who comes in, and what the gateway is told about them."""

import json
import os
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

import pytest

from functions.authorize.handler import handler
from functions.authorize.usecase import authenticate
from membus.container import Container
from membus.core.errors import UnauthorizedError, UnavailableError
from membus.tenants.api_keys import ApiKey, ApiScope, Credential
from tests.fakes.api_keys import InMemoryApiKeys

NOW = datetime.now(UTC)
CREDENTIAL = Credential.generate("dev")
KEY = ApiKey(
    key_id=CREDENTIAL.key_id,
    tenant_id="acme",
    name="web",
    scopes=(ApiScope.EVENTS_WRITE, ApiScope.MEMORY_READ),
    secret_hash=CREDENTIAL.secret_hash,
    created_at=NOW,
)
STAGE = "arn:aws:execute-api:us-east-1:123456789012:abc123/$default"
SOCKET = "arn:aws:execute-api:us-east-1:123456789012:def456/v1/$connect"
ROUTES = {
    "$connect": "chat",
    "POST /v1/events": "events:write",
    "GET /v1/users/{user}/facts/{key}": "memory:read",
    "PUT /v1/users/{user}/facts/{key}": "memory:write",
    "POST /v1/users/{user}:erase": "admin",
    "GET /v1/conversations/{id}": "chat",
    "GET /v1/conversations/{id}/context": "memory:read",
    "POST /v1/mcp/{user}": "*",
}


@pytest.fixture
def keys() -> InMemoryApiKeys:
    return InMemoryApiKeys(KEY)


def authorize(request: dict[str, Any], keys: InMemoryApiKeys | None = None) -> dict[str, Any]:
    container = Container({"ENVIRONMENT": "dev", "ROUTE_SCOPES": json.dumps(ROUTES)})
    container.api_keys = InMemoryApiKeys(KEY) if keys is None else keys
    return handler(request, None, container)


def a_request(authorization: str | None = f"Bearer {CREDENTIAL.full_text}", **fields: Any) -> dict[str, Any]:
    headers = {} if authorization is None else {"authorization": authorization}
    request = {
        "headers": headers,
        "requestContext": {"requestId": "r-1"},
        "routeArn": f"{STAGE}/POST/v1/events",
    }
    return request | fields


def a_socket(protocols: str, **headers: str) -> dict[str, Any]:
    """What the gateway asks when a socket opens."""
    return a_request(
        None,
        headers=headers | {"Sec-WebSocket-Protocol": protocols},
        requestContext={"requestId": "r-1", "eventType": "CONNECT", "connectionId": "w1"},
        routeArn=None,
        methodArn=SOCKET,
    )


def allows(answer: dict[str, Any], route: str) -> bool:
    statements = answer["policyDocument"]["Statement"]
    hits = {
        statement["Effect"]
        for statement in statements
        if any(fnmatchcase(f"{STAGE}/{route}", resource) for resource in statement["Resource"])
    }
    return hits == {"Allow"}


def test_a_good_key_brings_its_tenant_and_scopes_to_the_handlers(keys: InMemoryApiKeys) -> None:
    answer = authorize(a_request(), keys)

    assert answer["principalId"] == KEY.key_id
    assert answer["context"] == {
        "tenant_id": "acme",
        "key_id": KEY.key_id,
        "scopes": "events:write memory:read",
    }
    assert keys.asked == [KEY.key_id]


@pytest.mark.parametrize(
    ("route", "allowed"),
    [
        ("POST/v1/events", True),
        ("GET/v1/users/ada/facts/home.city", True),
        ("PUT/v1/users/ada/facts/home.city", False),
        ("POST/v1/users/ada:erase", False),
        ("GET/v1/conversations/c-1/context", True),
        ("POST/v1/mcp/ada", True),
    ],
)
def test_a_route_is_open_exactly_to_its_scope(route: str, *, allowed: bool) -> None:
    assert allows(authorize(a_request()), route) is allowed


def test_the_answer_is_the_same_for_every_route_because_the_gateway_caches_it() -> None:
    asked_for_events = authorize(a_request())
    asked_for_facts = authorize(a_request(routeArn=f"{STAGE}/GET/v1/users/ada/facts/home.city"))

    assert asked_for_events == asked_for_facts


def test_a_websocket_request_is_answered_from_its_method_arn() -> None:
    request = a_request(methodArn=f"{STAGE}/$connect")
    del request["routeArn"]

    assert authorize(request | {"headers": {"Authorization": f"bearer {CREDENTIAL.full_text}"}})["context"]


def test_a_key_with_every_scope_is_denied_nothing() -> None:
    keys = InMemoryApiKeys(replace(KEY, scopes=tuple(ApiScope)))

    statements = authorize(a_request(), keys)["policyDocument"]["Statement"]

    assert [statement["Effect"] for statement in statements] == ["Allow"]


@pytest.mark.parametrize(
    "authorization",
    [
        None,
        "",
        "Bearer",
        "Bearer ",
        CREDENTIAL.full_text,
        f"Basic {CREDENTIAL.full_text}",
        f"Bearer {CREDENTIAL.full_text[:-1]}",
        f"Bearer {CREDENTIAL.full_text}, Bearer {CREDENTIAL.full_text}",
        f"Bearer {CREDENTIAL.full_text.swapcase()}",
        f"Bearer {replace(CREDENTIAL, environment='prod').full_text}",
        "Bearer mb_dev_\udcff_\N{KELVIN SIGN}",
    ],
    ids=[
        "no header",
        "empty",
        "no key",
        "a blank",
        "no scheme",
        "another scheme",
        "cut short",
        "two keys",
        "the other case",
        "another environment",
        "other letters",
    ],
)
def test_what_cannot_be_a_key_of_this_environment_is_refused_unread(
    keys: InMemoryApiKeys, authorization: str | None
) -> None:
    with pytest.raises(UnauthorizedError, match=r"^Unauthorized$"):
        authorize(a_request(authorization), keys)

    assert keys.asked == []


@pytest.mark.parametrize(
    "stored",
    [
        None,
        replace(KEY, secret_hash=Credential.generate("dev").secret_hash),
        replace(KEY, revoked_at=NOW),
        replace(KEY, expires_at=NOW - timedelta(days=1)),
    ],
)
def test_every_key_that_does_not_hold_is_refused_alike_after_one_read(stored: ApiKey | None) -> None:
    store = InMemoryApiKeys(*([stored] if stored else []))

    with pytest.raises(UnauthorizedError, match=r"^Unauthorized$"):
        authorize(a_request(), store)

    assert store.asked == [KEY.key_id]


def test_a_store_that_does_not_answer_lets_nobody_in() -> None:
    with pytest.raises(UnavailableError):
        authenticate(
            f"Bearer {CREDENTIAL.full_text}", environment="dev", keys=InMemoryApiKeys(KEY, down=True), now=NOW
        )


def test_a_refusal_is_logged_with_its_reason_and_without_the_secret(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with pytest.raises(UnauthorizedError):
        authorize(a_request(), InMemoryApiKeys())

    (record,) = caplog.records
    assert json.loads(record.message) == {
        "level": "INFO",
        "service": "authorize",
        "message": "refused",
        "reason": "unknown key",
        "request_id": "r-1",
    }


def test_it_imports_nothing_but_boto3_and_its_own_code() -> None:
    code = (
        "import sys, functions.authorize.handler as authorize\n"
        "authorize.container.api_keys\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    environment = {
        "PYTHONPATH": os.pathsep.join(sys.path),
        "TENANTS_TABLE": "t",
        "AWS_DEFAULT_REGION": "us-east-1",
    }
    run = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )

    assert not {"pydantic", "aws_lambda_powertools", "anthropic", "psycopg", "ulid"} & set(run.stdout.split())


def test_a_socket_may_bring_its_key_as_a_subprotocol(keys: InMemoryApiKeys) -> None:
    keys.add_key(
        replace(
            KEY,
            key_id=(other := Credential.generate("dev")).key_id,
            secret_hash=other.secret_hash,
            scopes=(ApiScope.CHAT,),
        )
    )

    answer = authorize(a_socket(f"membus.v1, bearer.{other.full_text}"), keys)

    statements = answer["policyDocument"]["Statement"]
    assert statements[0] == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": [f"{SOCKET.removesuffix('$connect')}*"],
    }
    assert SOCKET not in [resource for each in statements[1:] for resource in each["Resource"]]
    assert answer["context"]["tenant_id"] == "acme"


def test_a_socket_takes_the_scope_chat() -> None:
    answer = authorize(a_socket(f"bearer.{CREDENTIAL.full_text}"))

    assert SOCKET in answer["policyDocument"]["Statement"][1]["Resource"]


@pytest.mark.parametrize(
    "protocols",
    ["", "membus.v1", "bearer.", "bearer.nonsense", CREDENTIAL.full_text],
    ids=["no protocol", "no bearer", "no key", "nonsense", "no scheme"],
)
def test_a_socket_without_a_good_key_is_refused(keys: InMemoryApiKeys, protocols: str) -> None:
    with pytest.raises(UnauthorizedError, match=r"^Unauthorized$"):
        authorize(a_socket(protocols), keys)
    assert keys.asked == []


@pytest.mark.parametrize("authorization", [None, "", "Bearer nonsense"])
def test_a_request_brings_its_key_in_the_header_alone(
    keys: InMemoryApiKeys, authorization: str | None
) -> None:
    """The gateway would remember the answer by that header, and give it to whoever sends the same one."""
    request = a_request(authorization)
    request["headers"]["sec-websocket-protocol"] = f"bearer.{CREDENTIAL.full_text}"

    with pytest.raises(UnauthorizedError):
        authorize(request, keys)
    assert keys.asked == []
