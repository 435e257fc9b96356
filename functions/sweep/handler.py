"""Entry point: a batch of deleted conversations; what could not be removed in full is delivered again."""

from typing import Any

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.sweep.schemas import Deletion
from functions.sweep.usecase import clean_up_conversations
from membus.container import Container
from membus.observability import logger

container = Container.from_environment()
RESERVE_SECONDS = 20
"""One go removes 400 items, which takes a busy table some seconds.

And nobody is alarmed by a run that stops itself.
"""


@logger.inject_lambda_context
def handler(
    event: dict[str, Any], context: LambdaContext, container: Container = container
) -> dict[str, Any]:
    unfinished = clean_up_conversations(
        [Deletion.model_validate(record) for record in event["Records"]],
        remains=container.conversations.deleted_items,
        seconds_left=lambda: context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS,
        on_failure=lambda tenant, detail: logger.warning(
            "a removal comes again", tenant_id=tenant, detail=detail
        ),
    )
    return {"batchItemFailures": [{"itemIdentifier": number} for number in unfinished]}
