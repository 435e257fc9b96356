"""scripts reindex: searchable items are sent to the index again; an interrupted run continues."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from membus.core.errors import UnavailableError
from scripts.reindex import BATCH_ITEMS, TRIES, ReindexProgress, as_change, reindex


def item(sk: str, pk: str = "T#acme#U#ada") -> dict[str, Any]:
    return {"pk": {"S": pk}, "sk": {"S": sk}}


class Receiver:
    """Receives batches; `failing` is how often the item of a number fails before it is indexed."""

    def __init__(self, failing: dict[str, int] | None = None) -> None:
        self.batches: list[list[str]] = []
        self.failing = failing or {}

    def __call__(self, changes: Sequence[dict[str, Any]]) -> list[str]:
        self.batches.append([change["dynamodb"]["NewImage"]["sk"]["S"] for change in changes])
        failed = [
            each
            for change in changes
            if self.failing.get(each := change["dynamodb"]["SequenceNumber"], 0) > 0
        ]
        self.failing = {number: left - 1 for number, left in self.failing.items()}
        return failed


def test_item_is_sent_as_its_stream_record() -> None:
    change = as_change(item("DOC"), 7)

    assert change["dynamodb"]["Keys"] == {"pk": {"S": "T#acme#U#ada"}, "sk": {"S": "DOC"}}
    assert (change["eventName"], change["dynamodb"]["SequenceNumber"]) == ("INSERT", "7")


def test_items_are_sent_once_in_batches_and_counted() -> None:
    receiver = Receiver()
    facts = [item(f"FACT#k{number}") for number in range(BATCH_ITEMS + 1)]

    kinds = reindex([item("PROFILE"), *facts, item("DOC", "T#acme#D#mem_1")], send=receiver)

    assert [len(batch) for batch in receiver.batches] == [BATCH_ITEMS, 2]
    assert (kinds["fact"], kinds["document"], kinds["episode"]) == (BATCH_ITEMS + 1, 1, 0)


def test_failed_item_is_sent_again_alone() -> None:
    receiver = Receiver({"1": 2})

    reindex([item("FACT#a"), item("FACT#b")], send=receiver)

    assert receiver.batches == [["FACT#a", "FACT#b"], ["FACT#b"], ["FACT#b"]]


def test_item_that_fails_at_every_try_is_reported() -> None:
    with pytest.raises(UnavailableError):
        reindex([item("FACT#a")], send=Receiver({"0": TRIES}))


def test_interrupted_run_continues_where_it_stopped(tmp_path: Path) -> None:
    place = ReindexProgress.load_progress(tmp_path / "place.json")
    place.after, place.table, place.scanned = {"pk": {"S": "x"}}, 1, 40
    place.kinds.update({"fact": 3})
    place.save_progress()

    again = ReindexProgress.load_progress(tmp_path / "place.json")
    assert (again.after, again.table, again.scanned, again.kinds["fact"]) == ({"pk": {"S": "x"}}, 1, 40, 3)
