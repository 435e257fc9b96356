"""Entry point: Terraform calls it at every apply; what it raises stops the apply with its message."""

from pathlib import Path

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.migrate.usecase import Outcome, migrate, migrations_in
from membus import wiring
from membus.observability import logger

SQL = Path(__file__).parent / "sql"
RESUME_SECONDS = 60  # a paused Aurora is back within half of that
WORK_SECONDS = 30  # left for the migrations themselves


@logger.inject_lambda_context
def handler(event: dict[str, object], context: LambdaContext) -> Outcome:  # noqa: ARG001 - Lambda passes it
    remaining = context.get_remaining_time_in_millis() / 1000
    with wiring.schema(patience_seconds=min(RESUME_SECONDS, remaining - WORK_SECONDS)) as schema:
        outcome = migrate(migrations_in(SQL), schema=schema, functions_login=wiring.functions_login())
    logger.info("schema is up to date", extra={"outcome": outcome})
    return outcome
