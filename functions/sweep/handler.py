"""Entry point: a batch of deleted conversations; one whose items are not all removed is delivered again."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.sweep.schemas import Deletion
from functions.sweep.usecase import clean_up_conversations
from membus.container import Container
from membus.observability import logger

container = Container.from_environment()
RESERVE_SECONDS = 20
"""A batch of 400 items takes a busy table some seconds, and a run that stops itself raises no alarm."""


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, container: Container = container
) -> dict[str, Any]:
    def log_failure(tenant: str, detail: str) -> None:
        logger.warning("a removal comes again", tenant_id=tenant, detail=detail)

    unfinished = clean_up_conversations(
        [Deletion.model_validate(record) for record in event["Records"]],
        deleted_items=container.conversations.deleted_items,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS,
        on_failure=log_failure,
    )
    return {"batchItemFailures": [{"itemIdentifier": number} for number in unfinished]}
