"""`/v1/usage`: what the tenant's model calls cost."""

from datetime import date
from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Query

from functions.api.parameters import ADMIN
from functions.api.router import ApiRouter
from functions.api.usage.schemas import UsageReport
from functions.api.usage.usecase import report_usage

router = ApiRouter()
FIRST_DESCRIPTION = "the first day, UTC; left out: 30 days with `to`"
LAST_DESCRIPTION = "the last day, included; left out: today"
First = Annotated[date | None, Query(alias="from", description=FIRST_DESCRIPTION, examples=["2026-11-01"])]
Last = Annotated[date | None, Query(alias="to", description=LAST_DESCRIPTION, examples=["2026-11-20"])]


@router.get("/v1/usage", summary="Tokens, calls and dollars by day, function and model", **ADMIN)
def get_usage(first: First = None, last: Last = None) -> UsageReport:
    return report_usage(
        router.tenant,
        first=first,
        last=last,
        now=router.container.clock(),
        ledger=router.container.tenants.usage,
        tenants=router.container.tenants.store,
    )
