"""`/v1/settings`: what a tenant sets for its memory."""

from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Body, Query

from functions.api.etags import IfMatch, IfNoneMatch, ensure_modified, expected_version, with_etag
from functions.api.parameters import ADMIN
from functions.api.router import ApiRouter
from functions.api.settings.schemas import SettingsIn
from membus.facts.settings_check import change_settings
from membus.tenants.settings import VersionedSettings

router = ApiRouter()
Version = Annotated[int | None, Query(ge=1, description="an earlier version; left out: the one in force")]


@router.get("/v1/settings", summary="What the tenant has set for its memory", **ADMIN)
def get_settings(version: Version = None, if_none_match: IfNoneMatch = None) -> Response[VersionedSettings]:
    store = router.container.tenants.settings_store
    found = (
        store.get_settings(router.tenant)
        if version is None
        else store.get_settings_version(router.tenant, version)
    )
    return ensure_modified(with_etag(found, found.version), if_none_match)


@router.put("/v1/settings", summary="Replace the tenant's settings, in force after half a minute", **ADMIN)
def put_settings(
    asked: Annotated[SettingsIn, Body()], if_match: IfMatch = None, if_none_match: IfNoneMatch = None
) -> Response[VersionedSettings]:
    changed = change_settings(
        router.tenant,
        asked.settings,
        expected_version=expected_version(asked.expected_version, if_match, if_none_match),
        now=router.container.clock(),
        store=router.container.tenants.settings_store,
    )
    return with_etag(changed, changed.version)
