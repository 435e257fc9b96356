"""`/v1/users/{user}/quarantine`: the review queue, whose items a person approves or rejects."""

from http import HTTPStatus

from aws_lambda_powertools.event_handler import Response

from functions.api.etags import with_etag
from functions.api.parameters import READ, WRITE, Cursor, Limit, PathId
from functions.api.review_queue.schemas import ReviewQueuePage
from functions.api.review_queue.usecase import approve_review_item, list_review_items
from functions.api.router import ApiRouter
from membus.facts.fact import Fact

router = ApiRouter()
QUARANTINE = "/v1/users/<user>/quarantine"


@router.get(QUARANTINE, summary="What was read about a user and not believed", **READ)
def get_quarantine(user: PathId, limit: Limit = 50, cursor: Cursor = None) -> ReviewQueuePage:
    queue = router.container.facts.review_queue
    return list_review_items(router.get_owner(user), page=router.get_page(limit, cursor), review_queue=queue)


@router.post(
    f"{QUARANTINE}/<quarantine_id>:approve", summary="Believe it: it becomes a fact set by hand", **WRITE
)
def post_approval(user: PathId, quarantine_id: PathId) -> Response[Fact]:
    facts = router.container.facts
    result = approve_review_item(
        router.get_owner(user),
        quarantine_id,
        review_queue=facts.review_queue,
        facts=facts.store,
        now=router.container.clock(),
    )
    return with_etag(result.fact, result.revision)


@router.post(
    f"{QUARANTINE}/<quarantine_id>:reject",
    summary="Do not believe it, now or when it is read again",
    status_code=HTTPStatus.NO_CONTENT,
    **WRITE,
)
def post_rejection(user: PathId, quarantine_id: PathId) -> Response[None]:
    router.container.facts.review_queue.reject_item(router.get_owner(user), quarantine_id)
    return Response(HTTPStatus.NO_CONTENT)
