"""Search as of a moment: what was true then, and not what became true since."""

from datetime import datetime, timedelta

import pytest

from membus.facts.observation import Observation
from membus.search.memory_projection import project_observations
from membus.search.model import Removal
from membus.search.ports import MemoryIndex
from tests.factories import ADA, NOON, an_observation
from tests.fakes.embedding_model import WordEmbeddingModel
from tests.support.memories import LATER, fill, look

DAY = timedelta(days=1)
CITIES = ["Lisbon", "Porto", "Faro"]
MOVES = [
    an_observation(city, event_id=f"e{n}", valid_from=NOON + n * 10 * DAY) for n, city in enumerate(CITIES)
]


def know(
    index: MemoryIndex, tenant: str, seen: list[Observation], embedder: WordEmbeddingModel | None = None
) -> None:
    memory = project_observations(ADA, seen, version=len(seen))
    if isinstance(memory, Removal):
        index.remove_memories([memory.model_copy(update={"tenant_id": tenant})])
        return
    told = [memory, *memory.earlier]
    mine = [each.model_copy(update={"tenant_id": tenant}) for each in told]
    fill(index, mine[0].model_copy(update={"earlier": tuple(mine[1:])}), embedder=embedder)


def cities(index: MemoryIndex, tenant: str, moment: datetime | None, mode: str = "text") -> list[str]:
    """Return which of the cities a search finds."""
    found = {city for city in CITIES if look(index, city, mode="text", tenant=tenant, as_of=moment)}
    assert bool(found) == bool(look(index, "home", mode=mode, tenant=tenant, as_of=moment))
    return sorted(found)


@pytest.mark.parametrize("mode", ["hybrid", "vector", "text"])
def test_each_value_is_found_as_of_its_own_time(index: MemoryIndex, tenant: str, mode: str) -> None:
    know(index, tenant, MOVES)

    expected = {
        -1: [],
        0: ["Lisbon"],
        9: ["Lisbon"],
        10: ["Porto"],
        19: ["Porto"],
        20: ["Faro"],
        99: ["Faro"],
    }
    assert {day: cities(index, tenant, NOON + day * DAY, mode) for day in expected} == expected
    assert cities(index, tenant, None, mode) == ["Faro"]


def test_late_observation_is_found_as_of_the_time_it_was_true(index: MemoryIndex, tenant: str) -> None:
    late = MOVES[1].model_copy(update={"learned_at": NOON + 90 * DAY})
    know(index, tenant, [MOVES[0], MOVES[2]])
    assert cities(index, tenant, NOON + 15 * DAY) == ["Lisbon"]

    know(index, tenant, [MOVES[0], MOVES[2], late])
    assert cities(index, tenant, NOON + 15 * DAY) == ["Porto"]
    assert cities(index, tenant, None) == ["Faro"]


def test_retracted_fact_is_found_as_of_the_time_it_was_true(index: MemoryIndex, tenant: str) -> None:
    taken_back = an_observation(None, event_id="e9", trust="corrected", valid_from=NOON + 30 * DAY)
    know(index, tenant, [MOVES[0], taken_back])

    assert cities(index, tenant, None) == []
    assert cities(index, tenant, NOON + 29 * DAY) == ["Lisbon"]
    assert cities(index, tenant, NOON + 31 * DAY) == []


def test_a_value_that_is_replaced_is_not_embedded_again(index: MemoryIndex, tenant: str) -> None:
    embedder = WordEmbeddingModel()
    for count in range(1, 4):
        know(index, tenant, MOVES[:count], embedder)

    assert len(embedder.asked) == 3
    assert index.list_pending_texts(tenant, limit=9) == []


def test_later_message_is_not_found_as_of_an_earlier_time(index: MemoryIndex, tenant: str) -> None:
    know(index, tenant, MOVES)

    assert look(index, "Faro", tenant=tenant, as_of=NOON + DAY) == [
        "fact:ada:home.city"
    ]  # Lisbon, beside the words
    assert look(index, "Faro", mode="text", tenant=tenant, as_of=NOON + DAY) == []
    assert look(index, "Faro", mode="text", tenant=tenant, as_of=LATER) == ["fact:ada:home.city"]
