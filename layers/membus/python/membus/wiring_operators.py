"""What only operators' commands compose: it writes what no function may, with the operator's own permissions."""

from typing import TYPE_CHECKING

from membus.wiring import _env

if TYPE_CHECKING:
    from membus.adapters.dynamo_shadows import DynamoShadows
    from membus.adapters.dynamo_users import DynamoUsers
    from membus.ports.rebuilding import FactRebuild


def users() -> "DynamoUsers":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_users import DynamoUsers

    return DynamoUsers(table(_env("MEMORY_TABLE"), read_timeout_seconds=10))


def shadows() -> "DynamoShadows":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_shadows import DynamoShadows

    return DynamoShadows(table(_env("TENANTS_TABLE")))


def fact_rebuild() -> "FactRebuild":
    from membus.adapters.aws import table
    from membus.adapters.dynamo_fact_rebuild import DynamoFactRebuild

    return DynamoFactRebuild(table(_env("MEMORY_TABLE")))
