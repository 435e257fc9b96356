"""scripts/demo/api: how events are sent in batches and counted."""

from scripts.batches import split_batches
from scripts.demo.api import send_events
from scripts.demo.sources import Event
from tests.unit.demo_api import CannedApi


def an_event(number: int, text: str = "Hello.") -> Event:
    return {"event_id": f"e-{number}", "user_id": "mia", "type": "message.sent", "payload": {"text": text}}


def test_batches_keep_the_order_and_stay_within_the_count() -> None:
    events = [an_event(number) for number in range(205)]

    batches = list(split_batches(events, count=100, size_bytes=100_000))

    assert [len(batch) for batch in batches] == [100, 100, 5]
    assert [event for batch in batches for event in batch] == events


def test_batches_stay_within_the_size_and_one_large_event_is_sent_alone() -> None:
    events = [an_event(1, "x" * 500), an_event(2, "x" * 500), an_event(3, "x" * 1500), an_event(4)]

    assert [len(batch) for batch in split_batches(events, count=100, size_bytes=1000)] == [1, 1, 1, 1]


def test_event_the_bus_could_not_take_is_sent_again_alone() -> None:
    api = CannedApi(busy_once={"e-2"})

    sent = send_events(api.client(), [an_event(1), an_event(2)], advance=lambda _: None)

    assert (sent.accepted, sent.rejected) == (2, [])
    assert [event["event_id"] for event in api.received] == ["e-1", "e-2", "e-2"]


def test_batch_of_rejected_events_is_counted() -> None:
    sent = send_events(CannedApi(refuse=frozenset({"e-1"})).client(), [an_event(1)], advance=lambda _: None)

    assert (sent.accepted, len(sent.rejected)) == (0, 1)


def test_accepted_rejected_and_repeated_events_are_counted_apart() -> None:
    api = CannedApi(refuse=frozenset({"e-120"}))
    batch_sizes: list[int] = []

    sent = send_events(
        api.client(), [*(an_event(number) for number in range(150)), an_event(7)], advance=batch_sizes.append
    )

    assert (sent.by_type.total(), sent.accepted, sent.repeated) == (151, 150, 1)
    assert [(event_id, reason.code) for event_id, reason in sent.rejected] == [("e-120", "invalid")]
    assert batch_sizes == [100, 51]
