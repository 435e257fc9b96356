"""membus/observability: each figure under the dimensions that alarms and doctor ask for."""

import json
from collections.abc import Callable

import pytest

from membus.observability import EmfMonitor, EmfRateLimitMonitor


@pytest.fixture(autouse=True)
def function_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("POWERTOOLS_SERVICE_NAME", "chat")
    monkeypatch.setenv("POWERTOOLS_METRICS_NAMESPACE", "membus")


@pytest.mark.parametrize(
    ("report", "metric", "dimensions"),
    [
        (lambda: EmfMonitor().report_hot_tier_away("dev"), "HotTierAway", ["environment"]),
        (lambda: EmfMonitor().report_erasure_failure("dev"), "ErasuresFailed", ["environment"]),
        (
            lambda: EmfRateLimitMonitor("dev").count_rate_limits("acme", RateRefusals=1),
            "RateRefusals",
            ["environment"],
        ),
        (
            lambda: EmfMonitor().report_archive_problems("dev", 1),
            "ArchiveProblems",
            ["environment", "service"],
        ),
        (
            lambda: EmfMonitor().report_embedding_wait("dev", 7),
            "OldestTextWaiting",
            ["environment", "service"],
        ),
    ],
)
def test_metric_has_the_dimensions_of_its_alarm(
    report: Callable[[], None], metric: str, dimensions: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    report()

    line = json.loads(capsys.readouterr().out)
    (written,) = line["_aws"]["CloudWatchMetrics"]
    assert ([each["Name"] for each in written["Metrics"]], written["Dimensions"]) == ([metric], [dimensions])
    assert line["environment"] == "dev"
