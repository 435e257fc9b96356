"""What a month costs: work that the benchmarks count, times list prices that bear a date.

Nothing is measured here.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

from membus.core.errors import NotFoundError
from membus.core.tokens import TokenUsage
from membus.tenants.costs import PriceList

FOLDER = Path(__file__).parent
HOURS, DAYS = 730, 365 / 12
CACHED_SECONDS = 300
"""How long a vendor keeps a prompt that nobody asks for again."""
GB = 1e9


@dataclass(frozen=True)
class Workload:
    """What an application does in a day; `read_share` of its events are messages that a model reads."""

    events: float
    turns: float
    users: int
    read_share: float
    turn_tokens: tuple[int, int]


@dataclass(frozen=True)
class ModelChoice:
    extract: str
    chat: str
    embed: str


@dataclass(frozen=True)
class CostItem:
    """`per` says of what it grows: `event`, `turn`, or `month` for what costs as much when nobody comes."""

    name: str
    counted: str
    price: str
    dollars: Decimal
    per: str


@cache
def work() -> Mapping[str, Any]:
    counted: Mapping[str, Any] = json.loads((FOLDER / "work.json").read_text(encoding="utf-8"))
    return counted


@cache
def aws_prices() -> Mapping[str, Any]:
    listed: Mapping[str, Any] = json.loads((FOLDER / "aws_prices.json").read_text(encoding="utf-8"))
    return listed


def messages_per_call(load: Workload) -> float:
    """Return how many messages of one user share a model call, on average.

    Those of a batch of up to ten, gathered for a second; drawn evenly from the users, which errs to the dear
    side where users come in bursts.
    """
    return _of_one_user(load, min(work()["batch_messages"], max(1.0, (load.events + load.turns) / 86_400)))


def _of_one_user(load: Workload, among: float) -> float:
    """Return how many of so many messages are one user's, of a user who has any."""
    users = max(load.users, 1)
    return float(among / (users * (1 - (1 - 1 / users) ** among)))


def estimate(
    load: Workload, models: ModelChoice, prices: PriceList, *, environment: str, day: date
) -> list[CostItem]:
    """Return each part's dollars of a month.

    Raises:
        NotFoundError: a model's price is not known, and nothing is guessed.
    """
    return [
        *_events(load),
        *_turns(load),
        *_models(load, models, prices, day),
        *_idle(work()["environments"][environment]),
    ]


def without_cache(
    load: Workload, model: str, prices: PriceList, *, day: date
) -> tuple[Decimal, int, Decimal]:
    """Return what prompts of chat cost on the worst day, and what a release that changes their beginning costs, once.

    On the worst day no prompt is found in the vendor's cache, and each is written there: the dollars of that
    day. A release does the same to the conversations that are live, one for each turn at most: how many, and
    their dollars.
    """
    written = prices.cost_dollars(
        model, TokenUsage(input=0, output=0, cache_write=load.turn_tokens[0]), day=day
    ) or Decimal(0)
    live = round(load.turns * CACHED_SECONDS / 86_400)
    return Decimal(load.turns) * written, live, live * written


def _events(load: Workload) -> Iterator[CostItem]:
    event, message, call = (work()[name] for name in ("event", "message", "call"))
    events, read = load.events * DAYS, load.events * DAYS * load.read_share
    calls = read / messages_per_call(load)
    writes = events * _shared_writes(event["http_requests"]) + (events - read) * event["write_units"]
    writes += read * (message["write_units"] + _kept_fresh(load)) + calls * call["write_units"]
    bus = events * event["bus_events"] + read * message["announcements"]
    stored = load.events * work()["hot_days"] * event["stored_bytes"] * 2 / GB  # an index projects it whole
    for name, price, quantity in (
        ("HTTP API, events", "http_api", events * event["http_requests"]),
        ("bus", "events", bus),
        ("queue", "sqs", events * event["queue_requests"]),
        ("DynamoDB, writes", "dynamodb_write", writes),
        ("DynamoDB, reads", "dynamodb_read", calls * call["read_units"]),
        ("DynamoDB, episodes kept hot", "dynamodb_storage", stored),
        ("Lambda, calls", "lambda_call", events * event["lambda_calls"]),
    ):
        yield _priced(name, price, quantity, "event")


def _shared_writes(requests: float) -> float:
    """Return the units of an event's share in the request that brought it, and in the batch that it is read in."""
    return float(
        requests * work()["request"]["write_units"]
        + work()["batch"]["write_units"] / work()["batch_messages"]
    )


def _kept_fresh(load: Workload) -> float:
    """Return the units that keep a message at the door until it is read.

    A user's newest of a request, and a stamp.
    """
    fresh = work()["fresh"]
    said = _of_one_user(load, max(1.0, load.read_share / work()["event"]["http_requests"]))
    return float((fresh["word"] * min(said, fresh["most"]) + fresh["stamp"]) / said)


def _turns(load: Workload) -> Iterator[CostItem]:
    """A turn is an event that extract reads, too: its message costs there what any other does."""
    turn, turns, message, call = work()["turn"], load.turns * DAYS, work()["message"], work()["call"]
    shared = messages_per_call(load)
    writes = turn["write_units"] + _shared_writes(0) + message["write_units"] + call["write_units"] / shared
    for name, price, quantity in (
        ("chat: HTTP API", "http_api", turn["http_requests"]),
        ("chat: bus", "events", turn["bus_events"] + message["announcements"]),
        ("chat: queue", "sqs", work()["event"]["queue_requests"]),
        ("chat: DynamoDB, writes", "dynamodb_write", writes),
        ("chat: DynamoDB, reads", "dynamodb_read", turn["read_units"] + call["read_units"] / shared),
        ("chat: Lambda, calls", "lambda_call", turn["lambda_calls"]),
        ("chat: Lambda, 1 GB for 3 s, twice", "lambda_second", turn["gb_seconds"]),
    ):
        yield _priced(name, price, turns * quantity, "turn")


def _models(load: Workload, models: ModelChoice, prices: PriceList, day: date) -> Iterator[CostItem]:
    message, call = work()["message"], work()["call"]
    read, turns = load.events * DAYS * load.read_share, load.turns * DAYS
    asked = messages_per_call(load)
    told, found = asked * message["tokens_in"], asked * message["tokens_out"]
    question = TokenUsage(input=round(call["tokens_in"] + told), output=round(found))
    spoken = TokenUsage(input=load.turn_tokens[0], output=load.turn_tokens[1])
    words = TokenUsage(input=message["embedded_tokens"], output=0)
    for name, model, usage, times, per in (
        ("model, extract", models.extract, question, read / asked, "event"),
        ("embeddings", models.embed, words, read, "event"),
        ("chat: model", models.chat, spoken, turns, "turn"),
        ("chat: model, extract", models.extract, question, turns / asked, "turn"),
        ("chat: embeddings", models.embed, words, turns, "turn"),
    ):
        dollars = prices.cost_dollars(model, usage, day=day)
        if dollars is None:
            raise NotFoundError(f"no price of {model} on {day}: name another model, or add it to prices.json")
        counted = f"{times:,.0f} calls of {usage.input:,} in, {usage.output:,} out"
        yield CostItem(name, counted, model, dollars * Decimal(times), per)


def _idle(sizes: Mapping[str, float]) -> Iterator[CostItem]:
    for name, price, quantity in (
        ("Aurora, its floor", "aurora_acu", sizes["aurora_acu"] * HOURS),
        ("RDS Proxy", "proxy_acu", sizes["proxy_acu"] * HOURS),
        ("hot tier, its floor", "valkey_gb", sizes["valkey_gb"] * HOURS),
        ("interface endpoints", "endpoint", sizes["endpoint"] * HOURS),
        ("NAT gateway", "nat_gateway", sizes["nat_gateway"] * HOURS),
        ("snapshot of chat", "snap_start", sizes["snap_start_gb"] * HOURS * 3600),
        ("KMS keys", "kms_key", sizes["kms_key"]),
        ("secrets", "secret", sizes["secret"]),
        ("alarms", "alarm", sizes["alarm"]),
    ):
        if quantity:
            yield _priced(name, price, quantity, "month")


def _priced(name: str, key: str, quantity: float, per: str) -> CostItem:
    price = aws_prices()["prices"][key]
    unit, per_many = Decimal(price["dollars"]), price["per"]
    shown = f"{quantity:,.0f}" if quantity >= 10 else f"{quantity:.2g}"  # noqa: PLR2004 - small figures keep their digits
    many = f" per {per_many:,}" if per_many > 1 else ""
    return CostItem(name, f"{shown} {price['of']}", f"{unit}{many}", Decimal(quantity) * unit / per_many, per)
