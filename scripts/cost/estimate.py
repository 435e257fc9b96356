"""What a month costs: the work that benchmarks count, times list prices that bear a date."""

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

HOURS, DAYS = 730, 365 / 12
DAY_SECONDS = 86_400
CACHED_SECONDS = 300
"""How long a provider keeps a prompt in its cache."""
GB = 1e9
Counted = tuple[str, str, float, str]
"""A part's name, its price, the quantity of a month, and what the quantity grows with."""


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
    """`per` is what the cost grows with: `event`, `turn`, or `month` for a fixed cost."""

    name: str
    counted: str
    price: str
    dollars: Decimal
    per: str


def work() -> Mapping[str, Any]:
    """Return the counted work of an event, a message, a model call and a turn."""
    return _load("work.json")


def aws_prices() -> Mapping[str, Any]:
    return _load("aws_prices.json")


@cache
def _load(name: str) -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = json.loads(Path(__file__).with_name(name).read_text(encoding="utf-8"))
    return loaded


def estimate(
    load: Workload, models: ModelChoice, prices: PriceList, *, sizes: Mapping[str, float], day: date
) -> list[CostItem]:
    """Return the monthly dollars of each part; `sizes` are the fixed parts, as `count_plan` counts them.

    Raises:
        NotFoundError: the price of a model is not known.
    """
    return [
        *(_price(*counted) for counted in (*_count_events(load), *_count_turns(load))),
        *_price_models(load, models, prices, day),
        *(_price(*counted) for counted in _count_fixed(sizes) if counted[2]),
    ]


def messages_per_call(load: Workload) -> float:
    """Return how many messages of one user share a model call, on average.

    A batch has up to ten messages of a second. They are spread evenly over the users, which overestimates
    the cost if users send in bursts.
    """
    return _per_user(load, min(work()["batch_messages"], max(1.0, (load.events + load.turns) / DAY_SECONDS)))


def _per_user(load: Workload, messages: float) -> float:
    """Return how many of the messages are those of one user, among users who have any."""
    users = max(load.users, 1)
    return float(messages / (users * (1 - (1 - 1 / users) ** messages)))


def without_cache(
    load: Workload, model: str, prices: PriceList, *, day: date
) -> tuple[Decimal, int, Decimal]:
    """Return what prompts of chat cost that are written to the provider's cache and never read.

    These are the dollars of a day on which that happens to every prompt; the number of live conversations,
    one for each turn at most; and the dollars of a release that changes the beginning of their prompts.
    """
    written = TokenUsage(input=0, output=0, cache_write=load.turn_tokens[0])
    dollars = prices.cost_dollars(model, written, day=day) or Decimal(0)
    live = round(load.turns * CACHED_SECONDS / DAY_SECONDS)
    return Decimal(load.turns) * dollars, live, live * dollars


def _count_events(load: Workload) -> Iterator[Counted]:
    event, message, call = work()["event"], work()["message"], work()["call"]
    events, read = load.events * DAYS, load.events * DAYS * load.read_share
    calls = read / messages_per_call(load)
    writes = events * _shared_writes(event["http_requests"]) + (events - read) * event["write_units"]
    writes += read * (message["write_units"] + _unprocessed_writes(load)) + calls * call["write_units"]
    stored = load.events * work()["hot_days"] * event["stored_bytes"] * 2 / GB  # an index projects all of it
    yield "HTTP API, events", "http_api", events * event["http_requests"], "event"
    yield "bus", "events", events * event["bus_events"] + read * message["announcements"], "event"
    yield "queue", "sqs", events * event["queue_requests"], "event"
    yield "DynamoDB, writes", "dynamodb_write", writes, "event"
    yield "DynamoDB, reads", "dynamodb_read", calls * call["read_units"], "event"
    yield "DynamoDB, episodes kept hot", "dynamodb_storage", stored, "event"
    yield "Lambda, calls", "lambda_call", events * event["lambda_calls"], "event"


def _shared_writes(requests: float) -> float:
    """Return an event's share of the write units of its request and of the batch that it is read in."""
    batch = work()["batch"]["write_units"] / work()["batch_messages"]
    return float(requests * work()["request"]["write_units"] + batch)


def _unprocessed_writes(load: Workload) -> float:
    """Return the write units of an unprocessed message: itself, and its share of the version token."""
    fresh = work()["fresh"]
    messages = _per_user(load, max(1.0, load.read_share / work()["event"]["http_requests"]))
    return float((fresh["word"] * min(messages, fresh["most"]) + fresh["stamp"]) / messages)


def _count_turns(load: Workload) -> Iterator[Counted]:
    """Count turns; extract reads the message of a turn as it reads other messages."""
    turn, turns, message, call = work()["turn"], load.turns * DAYS, work()["message"], work()["call"]
    calls = 1 / messages_per_call(load)
    writes = turn["write_units"] + _shared_writes(0) + message["write_units"] + call["write_units"] * calls
    for name, price, quantity in (
        ("HTTP API", "http_api", turn["http_requests"]),
        ("bus", "events", turn["bus_events"] + message["announcements"]),
        ("queue", "sqs", work()["event"]["queue_requests"]),
        ("DynamoDB, writes", "dynamodb_write", writes),
        ("DynamoDB, reads", "dynamodb_read", turn["read_units"] + call["read_units"] * calls),
        ("Lambda, calls", "lambda_call", turn["lambda_calls"]),
        ("Lambda, 1 GB for 3 s", "lambda_second", turn["gb_seconds"]),
    ):
        yield f"chat: {name}", price, turns * quantity, "turn"


def _price_models(load: Workload, models: ModelChoice, prices: PriceList, day: date) -> Iterator[CostItem]:
    message, call, messages = work()["message"], work()["call"], messages_per_call(load)
    read, turns = load.events * DAYS * load.read_share, load.turns * DAYS
    tokens_in, tokens_out = (
        call["tokens_in"] + messages * message["tokens_in"],
        messages * message["tokens_out"],
    )
    extraction = TokenUsage(input=round(tokens_in), output=round(tokens_out))
    turn = TokenUsage(input=load.turn_tokens[0], output=load.turn_tokens[1])
    embedding = TokenUsage(input=message["embedded_tokens"], output=0)
    for name, model, usage, calls, per in (
        ("model, extract", models.extract, extraction, read / messages, "event"),
        ("embeddings", models.embed, embedding, read, "event"),
        ("chat: model", models.chat, turn, turns, "turn"),
        ("chat: model, extract", models.extract, extraction, turns / messages, "turn"),
        ("chat: embeddings", models.embed, embedding, turns, "turn"),
    ):
        dollars = prices.cost_dollars(model, usage, day=day)
        if dollars is None:
            raise NotFoundError(f"no price of {model} on {day}: name another model, or add it to prices.json")
        counted = f"{calls:,.0f} calls of {usage.input:,} in, {usage.output:,} out"
        yield CostItem(name, counted, model, dollars * Decimal(calls), per)


def _count_fixed(sizes: Mapping[str, float]) -> Iterator[Counted]:
    for name, price, size, hours in (
        ("Aurora, its floor", "aurora_acu", "aurora_acu", HOURS),
        ("RDS Proxy", "proxy_acu", "proxy_acu", HOURS),
        ("hot tier, its floor", "valkey_gb", "valkey_gb", HOURS),
        ("interface endpoints", "endpoint", "endpoint", HOURS),
        ("NAT gateway", "nat_gateway", "nat_gateway", HOURS),
        ("snapshot of chat", "snap_start", "snap_start_gb", HOURS * 3600),
        ("KMS keys", "kms_key", "kms_key", 1),
        ("secrets", "secret", "secret", 1),
        ("alarms", "alarm", "alarm", 1),
    ):
        yield name, price, sizes[size] * hours, "month"


def _price(name: str, key: str, quantity: float, per: str) -> CostItem:
    price = aws_prices()["prices"][key]
    unit, many = Decimal(price["dollars"]), price["per"]
    shown = f"{quantity:,.0f}" if quantity >= 10 else f"{quantity:.2g}"  # noqa: PLR2004
    text = f"{unit} per {many:,}" if many > 1 else f"{unit}"
    return CostItem(name, f"{shown} {price['of']}", text, Decimal(quantity) * unit / many, per)
