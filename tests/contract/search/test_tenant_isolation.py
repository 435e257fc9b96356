"""Two tenants: the same random program gives the same answers alone and beside a busy neighbour."""

import random
from collections.abc import Callable

import pytest

from membus.search.model import Removal
from membus.search.ports import MemoryIndex
from tests.fakes.embedding_model import WordEmbeddingModel
from tests.support.memories import a_memory, fill, look

WORDS = ["tea", "coffee", "train", "garden", "rain", "chess", "lisbon", "violin"]
IDS, USERS = [f"m{number}" for number in range(8)], ["user1", "user10"]
SEEDS = [1, 2, 3]


@pytest.mark.parametrize("seed", SEEDS)
def test_other_tenants_data_changes_no_result(index: MemoryIndex, tenant: str, seed: int) -> None:
    alone = programme(index, f"{tenant}a", chance(seed), lambda: None)
    noise = chance(seed + 100)
    beside = programme(index, f"{tenant}b", chance(seed), lambda: disturb(index, f"{tenant}bb", noise))

    assert alone == beside
    assert any(alone)


def chance(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - the same programme every time


def programme(
    index: MemoryIndex, tenant: str, dice: random.Random, between: Callable[[], None]
) -> list[object]:
    """Put, change, remove and look for memories as the dice fall; return every answer."""
    answers: list[object] = []
    for step in range(25):
        between()
        answers.append(act(index, tenant, dice, step))
    return answers


def act(index: MemoryIndex, tenant: str, dice: random.Random, step: int) -> object:
    name, user, text = dice.choice(IDS), dice.choice(USERS), " ".join(dice.sample(WORDS, 3))
    match dice.randrange(4):
        case 0 | 1:
            embedder = WordEmbeddingModel()
            fill(index, a_memory(name, text, tenant=tenant, user_id=user, version=step), embedder=embedder)
            return embedder.asked
        case 2:
            index.remove_memories([Removal(tenant_id=tenant, memory_id=name, version=step)])
            return index.list_pending_texts(tenant, limit=9)
        case _:
            return look(index, text, tenant=tenant, scope=f"U#{user}")


def disturb(index: MemoryIndex, tenant: str, dice: random.Random) -> None:
    """Do as the other tenant does, to the same ids of the same users, and more of it."""
    for step in range(dice.randrange(3)):
        act(index, tenant, dice, 1000 + step)
