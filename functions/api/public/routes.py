"""Routes that need no API key: health, and the OpenAPI document."""

import json
from pathlib import Path
from typing import Any

from functions.api.public.schemas import Health
from functions.api.router import ApiRouter

router = ApiRouter()
OPENAPI = Path(__file__).parents[1] / "openapi.json"
PUBLIC: dict[str, Any] = {"openapi_extensions": {"x-membus-function": "api"}}


@router.get("/v1/health", summary="Whether the API answers", **PUBLIC)
def get_health() -> Health:
    return Health(status="ok", environment=router.container.environment)


@router.get("/v1/openapi.json", summary="This API, described", **PUBLIC)
def get_openapi() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(OPENAPI.read_text(encoding="utf-8"))
    return document
