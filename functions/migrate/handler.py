"""Entry point: Terraform calls it at every apply; what it raises stops the apply with its message.

A schedule calls it with `{"task": "tend"}`, for the indexes of scopes that have grown;
`doctor` calls it with `{"task": "inspect"}`.
"""

from pathlib import Path

from aws_lambda_powertools.utilities.typing import LambdaContext

from functions.migrate.usecase import (
    IndexMaintenanceReport,
    MigrationOutcome,
    SchemaReport,
    apply_migrations,
    embedding_wait_seconds,
    inspect_schema,
    maintain_indexes,
    read_migrations,
)
from membus.container import Container
from membus.observability import EmfMonitor, logger

container = Container.from_environment()
SQL = Path(__file__).parent / "sql"
RESUME_SECONDS = 60  # a paused Aurora is back within half of that
WORK_SECONDS = 30  # left for the migrations themselves


@logger.inject_lambda_context
def handler(
    event: dict[str, object], context: LambdaContext, container: Container = container
) -> MigrationOutcome | IndexMaintenanceReport | SchemaReport:
    patience = min(RESUME_SECONDS, context.get_remaining_time_in_millis() / 1000 - WORK_SECONDS)
    if event.get("task") == "tend":
        with container.postgres.open_scope_indexes(patience_seconds=patience) as indexes:
            tended = maintain_indexes(indexes, at_least=container.search.large_scope_rows)
            waited = embedding_wait_seconds(
                indexes, model=container.search.embedding_model, now=container.clock()
            )
        EmfMonitor().report_embedding_wait(container.environment, waited)
        logger.info("indexes of large scopes are up to date", extra={"outcome": tended})
        return tended
    with container.postgres.open_schema(patience_seconds=patience) as schema:
        if event.get("task") == "inspect":
            return inspect_schema(
                read_migrations(SQL),
                schema=schema,
                functions_role=container.postgres.functions_login.username,
            )
        outcome = apply_migrations(
            read_migrations(SQL), schema=schema, functions_login=container.postgres.functions_login
        )
    logger.info("schema is up to date", extra={"outcome": outcome})
    return outcome
