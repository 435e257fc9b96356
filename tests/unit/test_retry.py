"""membus.core.retry: whoever loses a race waits a random while that grows, and tries again."""

import pytest

from membus.core.errors import ConflictError, UnavailableError
from membus.core.retry import RetryPolicy, commit_with_retry

POLICY = RetryPolicy(tries=4, pause_seconds=0.1)


class Race:
    """A commit that loses `losses` times; remembers what was prepared and how long the loser waited."""

    def __init__(self, losses: int) -> None:
        self.left, self.prepared, self.pauses = losses, list[int](), list[float]()

    def prepare(self, tried: int) -> int:
        self.prepared.append(tried)
        return tried

    def commit(self, prepared: int) -> str:
        if self.left:
            self.left -= 1
            raise ConflictError("somebody else was faster")
        return f"committed {prepared}"

    def run(self, **options: object) -> str:
        given: dict[str, object] = {"sleep": self.pauses.append, "draw": lambda _, most: most} | options
        return commit_with_retry(self.prepare, self.commit, policy=POLICY, **given)  # type: ignore[arg-type]


def test_commit_without_rival_is_prepared_once_and_waits_for_nothing() -> None:
    race = Race(losses=0)

    assert race.run() == "committed 0"

    assert (race.prepared, race.pauses) == ([0], [])


def test_lost_race_is_prepared_anew_after_a_pause_that_doubles() -> None:
    race = Race(losses=3)

    assert race.run() == "committed 3"

    assert race.prepared == [0, 1, 2, 3]
    assert race.pauses == [0.1, 0.2, 0.4]


def test_pause_is_a_random_part_of_the_longest_one() -> None:
    race = Race(losses=3)

    race.run(draw=lambda least, most: least + most / 2)

    assert race.pauses == [0.05, 0.1, 0.2]


def test_race_that_is_always_lost_raises_the_conflict_without_a_last_pause() -> None:
    race = Race(losses=9)

    with pytest.raises(ConflictError, match="somebody else was faster"):
        race.run()

    assert (len(race.prepared), len(race.pauses)) == (4, 3)


def test_race_that_is_always_lost_says_so_where_a_caller_reads_it() -> None:
    with pytest.raises(UnavailableError, match="too many others") as raised:
        Race(losses=9).run(busy="too many others write")

    assert raised.value.retry_after_seconds == 1


def test_loser_without_time_for_the_longest_pause_gives_up_at_once() -> None:
    race = Race(losses=9)

    with pytest.raises(ConflictError):
        race.run(seconds_left=lambda: 0.15)

    assert race.pauses == [0.1]


def test_conflict_found_while_preparing_is_not_run_again() -> None:
    race = Race(losses=0)

    def refuse(tried: int) -> int:
        race.prepared.append(tried)
        raise ConflictError("the conversation has changed", version=7)

    with pytest.raises(ConflictError) as raised:
        commit_with_retry(
            refuse, race.commit, policy=POLICY, busy="too many others", sleep=race.pauses.append
        )

    assert (raised.value.version, race.prepared, race.pauses) == (7, [0], [])
