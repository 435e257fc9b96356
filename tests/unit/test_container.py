"""membus.container: parts are made when they are needed, and what is missing is named."""

import os
import subprocess
import sys

import pytest

from membus.container import Container
from tests.fakes.facts import InMemoryFacts

SETTINGS = {
    "MEMORY_TABLE": "memory",
    "CONVERSATIONS_TABLE": "conversations",
    "TENANTS_TABLE": "tenants",
    "ARCHIVE_BUCKET": "archive",
    "EPISODE_SHARDS": "4",
    "BUS_NAME": "bus",
    "SOURCE_QUEUE_URL": "https://queue",
    "SURPLUS_QUEUE_URL": "https://overflow",
    "QUARANTINE_QUEUE_URL": "https://poison",
    "DEAD_LETTER_QUEUE_URL": "https://dead",
}
CLICKS = """
import sys
import functions.extract.handler as extract
parts = extract.container
parts.facts.store, parts.facts.signals, parts.facts.review_queue, parts.facts.answers
parts.conversations.unprocessed, parts.episodes.store, parts.erasure.guard, parts.tenants.usage
parts.events.source_queue, parts.events.overflow_queue, parts.events.poison_messages, parts.events.dead_letters
parts.llm.get_model
print(*{name.partition(".")[0] for name in sys.modules})
"""


def test_a_batch_of_clicks_loads_no_model_client_cache_or_database() -> None:
    environment = {**SETTINGS, "PYTHONPATH": os.pathsep.join(sys.path), "AWS_DEFAULT_REGION": "us-east-1"}
    run = subprocess.run(
        [sys.executable, "-c", CLICKS], env=environment, capture_output=True, text=True, check=True
    )

    assert not {"anthropic", "redis", "psycopg", "duckdb", "sqlglot"} & set(run.stdout.split())


@pytest.mark.parametrize("variables", [{}, {"MEMORY_TABLE": ""}])
def test_a_missing_variable_fails_by_its_name_when_it_is_needed(variables: dict[str, str]) -> None:
    container = Container(variables)

    with pytest.raises(RuntimeError, match="the environment variable MEMORY_TABLE is not set"):
        container.facts.store  # noqa: B018 - the property is what is tested


def test_a_part_is_made_once_and_a_fake_takes_its_place() -> None:
    container = Container(SETTINGS)
    container.facts.store = facts = InMemoryFacts()

    assert container.facts.store is facts
    assert container.facts is container.facts
