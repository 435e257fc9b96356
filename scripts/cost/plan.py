"""What a Terraform plan costs without a request: its own resources, counted as AWS bills them."""

from collections.abc import Iterator, Mapping
from typing import Any

PROXY_ACU_MIN = 8
"""RDS Proxy bills a serverless cluster as at least eight ACU."""
VALKEY_GB_MIN = 0.1
"""A serverless Valkey cache bills at least 100 MB."""
MB_PER_GB = 1024
Resource = tuple[str, Mapping[str, Any]]
"""A resource's type and its planned values."""


def count_plan(plan: Mapping[str, Any]) -> dict[str, float]:
    """Return the billed quantities of a plan, as `terraform show -json` prints it, by name of the price.

    The quantities are those of an hour, or of a month where the price is a month's.
    """
    resources = list(_resources(plan["planned_values"]["root_module"]))

    def of(kind: str) -> list[Mapping[str, Any]]:
        return [values for found, values in resources if found == kind]

    clusters = of("aws_rds_cluster")
    capacities = [each["min_capacity"] for cluster in clusters for each in _scaling(cluster)]
    endpoints = [each for each in of("aws_vpc_endpoint") if each["vpc_endpoint_type"] == "Interface"]
    snapshots = [each["memory_size"] for each in of("aws_lambda_function") if each["snap_start"]]
    return {
        "aurora_acu": sum(capacities) * len(of("aws_rds_cluster_instance")),
        "proxy_acu": PROXY_ACU_MIN * len(of("aws_db_proxy")),
        "valkey_gb": VALKEY_GB_MIN * len(of("aws_elasticache_serverless_cache")),
        "endpoint": sum(int(each["tags"]["zones"]) for each in endpoints),
        "nat_gateway": len(of("aws_nat_gateway")),
        "snap_start_gb": sum(snapshots) / MB_PER_GB,
        "kms_key": len(of("aws_kms_key")),
        "secret": len(of("aws_secretsmanager_secret")) + _owners_secrets(clusters),
        "alarm": len(of("aws_cloudwatch_metric_alarm")),
    }


def _resources(module: Mapping[str, Any]) -> Iterator[Resource]:
    for resource in module.get("resources", []):
        if resource["mode"] == "managed":
            yield resource["type"], resource.get("values", {})  # none is known yet of some
    for child in module.get("child_modules", []):
        yield from _resources(child)


def _scaling(cluster: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    found: list[Mapping[str, Any]] = cluster["serverlessv2_scaling_configuration"]
    return found


def _owners_secrets(clusters: list[Mapping[str, Any]]) -> int:
    """Return how many secrets RDS makes itself, which are no resources of the plan."""
    return sum(bool(cluster["manage_master_user_password"]) for cluster in clusters)
