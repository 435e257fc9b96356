"""functions/extract: many batches of one user at once: nothing is lost, and nobody is asked twice."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor

from membus.core.event import Event
from membus.facts.ports import FactCommit
from tests.factories import said
from tests.fakes.episodes import InMemoryEpisodes
from tests.fakes.facts import InMemoryFacts
from tests.support.extraction import Extraction, a_message, observant

WRITERS = 8


class TransactionalFacts(InMemoryFacts):
    """Facts whose commits are one after the other, as DynamoDB's are."""

    def __init__(self, episodes: InMemoryEpisodes) -> None:
        super().__init__(episodes)
        self._lock = threading.Lock()

    def commit(self, change: FactCommit) -> None:
        with self._lock:
            super().commit(change)


def test_batches_of_one_user_that_meet_ask_one_question_each_and_lose_nothing() -> None:
    episodes = InMemoryEpisodes()
    facts = TransactionalFacts(episodes)
    writers = [Extraction(observant(), episodes=episodes, facts=facts) for _ in range(WRITERS)]
    met = threading.Barrier(WRITERS)

    def send(number: int) -> int:
        writer, event = writers[number], _said(number)
        writer.pause = time.sleep
        met.wait()
        times = 1
        while writer.deliver(a_message(event, receives=times)):
            times += 1
        return len(writer.prompts())

    with ThreadPoolExecutor(WRITERS) as pool:
        asked = list(pool.map(send, range(WRITERS)))

    assert asked == [1] * WRITERS
    assert sorted(writers[0].known().values(), key=str) == [f"thing{number}" for number in range(WRITERS)]


def _said(number: int) -> Event:
    return said(f"I like thing{number}", f"e{number}")
