"""scripts cost: the work it rests on is what the benchmark counts, over the real adapters."""

from scripts.cost.estimate import work
from tests.benchmarks.dynamo_work import measure


def test_the_units_of_an_estimate_are_those_that_are_counted() -> None:
    counted = {row[0]: (float(row[2]), float(row[3])) for row in measure().rows}
    event, message, call, turn = (work()[name] for name in ("event", "message", "call", "turn"))
    batch = work()["batch_messages"]

    assert counted["a page view (recorded, no rule concerns it)"] == (event["write_units"], 0.0)
    assert counted["a message with a fact, alone"] == (
        message["write_units"] + call["write_units"], message["read_units"] + call["read_units"],
    )  # fmt: skip
    assert counted["a message with a fact, in a batch of ten"] == (
        message["write_units"] + call["write_units"] / batch, message["read_units"] + call["read_units"] / batch,
    )  # fmt: skip
    assert counted["a chat turn, whole (turn 50)"] == (turn["write_units"], turn["read_units"])
