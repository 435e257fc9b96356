"""`/v1/users/{user}/quarantine`: what was read and not believed, for a person to approve or reject."""

import time
from http import HTTPStatus
from typing import Annotated

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.params import Path

from functions.api.etags import with_etag
from functions.api.parameters import READ, WRITE, Cursor, Limit, User
from functions.api.review_queue import usecase
from functions.api.review_queue.schemas import ReviewQueuePage
from functions.api.router import ApiRouter
from membus.core.identity import Id, Owner
from membus.facts.fact import Fact
from membus.http import get_caller

router = ApiRouter()
QuarantineId = Annotated[Id, Path()]
QUARANTINE = "/v1/users/<user>/quarantine"


@router.get(QUARANTINE, summary="What was read about a user and not believed", **READ)
def get_quarantine(user: User, limit: Limit = 50, cursor: Cursor = None) -> ReviewQueuePage:
    return usecase.list_review_items(
        _owner(user),
        limit=limit,
        cursor=cursor,
        held_facts=router.container.facts.review_queue,
        sealer=router.container.cursor_signer,
    )


@router.post(
    f"{QUARANTINE}/<quarantine_id>:approve", summary="Believe it: it becomes a fact set by hand", **WRITE
)
def post_approval(user: User, quarantine_id: QuarantineId) -> Response[Fact]:
    done = usecase.approve_review_item(
        _owner(user),
        quarantine_id,
        held_facts=router.container.facts.review_queue,
        facts=router.container.facts.store,
        now=router.container.clock(),
        pause=time.sleep,
    )
    return with_etag(done.fact, done.revision)


@router.post(
    f"{QUARANTINE}/<quarantine_id>:reject",
    summary="Do not believe it, now or when it is read again",
    status_code=HTTPStatus.NO_CONTENT,
    **WRITE,
)
def post_rejection(user: User, quarantine_id: QuarantineId) -> Response[None]:
    router.container.facts.review_queue.reject_item(_owner(user), quarantine_id)
    return Response(HTTPStatus.NO_CONTENT)


def _owner(user: str) -> Owner:
    return Owner(tenant=get_caller(router).tenant, user=user)
