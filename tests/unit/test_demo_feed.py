"""scripts/demo: how events are sent and what is counted."""

from scripts.demo.api import BATCH_BYTES, send_events, split_batches
from scripts.demo.sources import Event
from tests.unit.demo_api import CannedApi


def an_event(number: int, text: str = "Hello.") -> Event:
    return {"event_id": f"e-{number}", "user_id": "mia", "type": "message.sent", "payload": {"text": text}}


def test_batches_hold_at_most_a_hundred_events_in_order() -> None:
    events = [an_event(number) for number in range(205)]

    sizes = [len(batch) for batch in split_batches(events)]

    assert sizes == [100, 100, 5]
    assert [event for batch in split_batches(events) for event in batch] == events


def test_long_events_make_small_batches_and_one_too_long_travels_alone() -> None:
    long = "x" * (BATCH_BYTES // 2)

    sizes = [
        len(batch)
        for batch in split_batches([an_event(1, long), an_event(2, long), an_event(3, long * 3), an_event(4)])
    ]

    assert sizes == [1, 1, 1, 1]


def test_what_the_bus_could_not_take_just_then_is_sent_again_alone() -> None:
    api = CannedApi(busy_once={"e-2"})

    sent = send_events(api.client(), [an_event(1), an_event(2)], advance=lambda _: None)

    assert (sent.accepted, sent.rejected) == (2, [])
    assert [event["event_id"] for event in api.received] == ["e-1", "e-2", "e-2"]


def test_a_batch_of_which_nothing_is_taken_is_still_counted() -> None:
    sent = send_events(CannedApi(refuse=frozenset({"e-1"})).client(), [an_event(1)], advance=lambda _: None)

    assert (sent.accepted, len(sent.rejected)) == (0, 1)


def test_accepted_rejected_and_repeated_events_are_counted_apart() -> None:
    api = CannedApi(refuse=frozenset({"e-120"}))
    heard: list[int] = []

    sent = send_events(
        api.client(), [*(an_event(number) for number in range(150)), an_event(7)], advance=heard.append
    )

    assert (sent.total_events, sent.accepted, sent.repeated) == (151, 150, 1)
    assert [(event_id, refusal.code) for event_id, refusal in sent.rejected] == [("e-120", "invalid")]
    assert heard == [100, 51]
