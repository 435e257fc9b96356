"""scripts cost: its counted work is what the benchmark counts with the real adapters."""

from scripts.cost.estimate import work
from tests.benchmarks.dynamo_work import measure


def test_units_of_an_estimate_are_those_of_the_benchmark() -> None:
    counted = {row[0]: (float(row[2]), float(row[3])) for row in measure().rows}
    event, message, call, turn = (work()[name] for name in ("event", "message", "call", "turn"))
    request, batch, fresh = (work()[name] for name in ("request", "batch", "fresh"))
    ten = work()["batch_messages"]

    assert counted["accepted by the API: a page view, of a hundred"] == (request["write_units"] / 100, 0.0)
    assert counted["accepted by the API: a message alone"] == (
        request["write_units"] + fresh["word"] + fresh["stamp"],
        0.0,
    )
    assert counted["accepted by the API: a message of one user, of a hundred"] == (
        (request["write_units"] + fresh["most"] * fresh["word"] + fresh["stamp"]) / 100,
        0.0,
    )
    assert counted["a page view (recorded, no rule concerns it), in a batch of ten"] == (
        event["write_units"] + batch["write_units"] / ten,
        0.0,
    )
    assert counted["a message with a fact, alone"] == (
        message["write_units"] + call["write_units"] + batch["write_units"],
        message["read_units"] + call["read_units"],
    )
    assert counted["a message with a fact, in a batch of ten"] == (
        message["write_units"] + (call["write_units"] + batch["write_units"]) / ten,
        message["read_units"] + call["read_units"] / ten,
    )
    assert counted["a chat turn over HTTP, answered after 3 s (turn 51)"] == (
        turn["write_units"],
        turn["read_units"],
    )
