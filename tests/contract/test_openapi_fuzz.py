"""The OpenAPI document holds.

Whatever is sent, no answer is a defect, and every answer has the shape it says.
"""

import json
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import content_type_conformance, response_schema_conformance

from functions.api.public.routes import OPENAPI
from tests.factories import ADA, an_observation, learn
from tests.support.api_client import ApiTestClient
from tests.support.budgets import budget
from tests.support.wsgi_gateway import WsgiGateway

EXAMPLES = budget(5, nightly=20)
"""For each of the operations."""
KNOWN = {"user": "ada", "key": "home.city", "agent": "default", "session": "s1"}
CHECKS = [not_a_server_error, content_type_conformance, response_schema_conformance]

config = schemathesis.Config(seed=20261120)
schema = schemathesis.openapi.from_dict(json.loads(OPENAPI.read_text(encoding="utf-8")), config=config)


@pytest.fixture
def gateway() -> WsgiGateway:
    door = ApiTestClient()
    learn(door.facts, ADA, an_observation("Lisbon"))
    return WsgiGateway(door)


@schema.parametrize()
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    derandomize=True,
    database=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=list(HealthCheck),
)
def test_no_request_is_a_defect_and_every_response_fits_its_schema(
    case: schemathesis.Case[Any], gateway: WsgiGateway
) -> None:
    for path_parameters in (case.path_parameters, known(case)):
        case.path_parameters = path_parameters
        case.operation.app = gateway
        case.call_and_validate(checks=CHECKS)


def known(case: schemathesis.Case[Any]) -> dict[str, Any]:
    """Return the path of something that exists: behind a random one lies only 404."""
    return {name: KNOWN.get(name, value) for name, value in (case.path_parameters or {}).items()}
