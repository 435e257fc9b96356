"""The command `cost estimate`: a daily load in, the monthly cost of each part out."""

import json
from argparse import ArgumentTypeError, Namespace
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from membus.tenants.costs import load_price_list
from scripts.command import command, option
from scripts.cost.estimate import (
    DAYS,
    CostItem,
    ModelChoice,
    Workload,
    aws_prices,
    estimate,
    without_cache,
    work,
)
from scripts.cost.plan import count_plan
from scripts.output import Output, Row

THOUSAND = 1000
DEFAULT = "(default: %(default)s)"


def parse_amount(text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is not a number") from error
    if not 0 <= number < float("inf"):
        raise ArgumentTypeError("write 0 or more")
    return number


def parse_share(text: str) -> float:
    if (share := parse_amount(text)) > 1:
        raise ArgumentTypeError("a share is 0 to 1")
    return share


def parse_tokens(text: str) -> tuple[int, int]:
    sent, _, answered = text.partition(",")
    if not (sent.isdecimal() and answered.isdecimal()):
        raise ArgumentTypeError(f"'{text}' is not a pair of tokens: write 548,50")
    return int(sent), int(answered)


def parse_plan(name: str) -> dict[str, float]:
    """Return the counts of a plan's file."""
    try:
        return count_plan(json.loads(Path(name).read_text(encoding="utf-8")))
    except OSError as error:
        raise ArgumentTypeError(f"cannot read {name}: {error.strerror}") from error
    except (ValueError, KeyError, TypeError) as error:
        raise ArgumentTypeError(f"{name} is no plan: write it with terraform show -json PLAN") from error


@command(
    "cost estimate",
    "what a month would cost, from counted work and dated list prices",
    option("--events-per-day", type=parse_amount, required=True, help="of all types"),
    option("--turns-per-day", type=parse_amount, required=True, help="turns of chat, beside the events"),
    option("--users", type=parse_amount, required=True, help="users who send them"),
    option(
        "--read-share",
        type=parse_share,
        default=work()["read_share"],
        help=f"share of the events that a model reads {DEFAULT}",
    ),
    option(
        "--turn-tokens",
        type=parse_tokens,
        default=(work()["turn"]["tokens_in"], work()["turn"]["tokens_out"]),
        metavar="IN,OUT",
        help=f"of a turn {DEFAULT[:-1]}, the demo's question; at most 15000,1000)",
    ),
    option(
        "--size",
        choices=tuple(work()["environments"]),
        default="prod",
        help=f"the environment whose fixed costs count {DEFAULT}",
    ),
    option(
        "--plan",
        type=parse_plan,
        default=None,
        metavar="FILE",
        help="a plan whose resources are the fixed costs instead, from `terraform show -json PLAN`",
    ),
    option("--extract-model", default="claude-haiku-5-5", help=DEFAULT),
    option("--chat-model", default="claude-sonnet-5-5", help=DEFAULT),
    option("--embedding-model", default="amazon.titan-embed-text-v2:0", help=DEFAULT),
    description="List prices of us-east-1 without free tiers. `usage` shows what a deployment has cost.",
    examples=[
        "cost estimate --events-per-day 100000 --turns-per-day 20000 --users 5000",
        "cost estimate --events-per-day 1000 --turns-per-day 0 --users 10 --size dev --json",
        "cost estimate --events-per-day 100000 --turns-per-day 20000 --users 5000 --turn-tokens 15000,1000",
    ],
    has_target=False,
)
def estimate_month(arguments: Namespace, target: None, output: Output) -> None:  # noqa: ARG001 - it has none
    load = Workload(
        arguments.events_per_day,
        arguments.turns_per_day,
        int(arguments.users),
        arguments.read_share,
        arguments.turn_tokens,
    )
    models = ModelChoice(arguments.extract_model, arguments.chat_model, arguments.embedding_model)
    today, prices = datetime.now(UTC).date(), load_price_list()
    sizes = arguments.plan or work()["environments"][arguments.size]
    parts = estimate(load, models, prices, sizes=sizes, day=today)
    rows = [_row(part.name, part.counted, part.price, [part], load) for part in parts]
    output.print_rows([*rows, _row("together", None, None, parts, load)])
    if output.as_json:
        return
    output.print_remark(
        f"List prices, {aws_prices()['region']}, as of {aws_prices()['read_on']}, without free tiers. Not "
        "counted: Lambda's seconds outside chat, Aurora above its minimum, the archive, logs, backups, "
        "traffic."
    )
    worst, live, release = without_cache(load, models.chat, prices, day=today)
    output.print_remark(
        "A turn is counted as if no prompt were cached. On the worst day each prompt is written to the "
        f"cache and none is read: prompts of chat then cost {_dollars(worst)} dollars that day. A release "
        f"that changes instructions or tools does so to {live:,} live conversations, once: "
        f"{_dollars(release)} dollars."
    )


def _row(name: str, counted: str | None, price: str | None, parts: Sequence[CostItem], load: Workload) -> Row:
    dollars = sum((part.dollars for part in parts), Decimal(0))
    return {
        "part": name,
        "counted": counted,
        "price": price,
        "dollars_per_month": _dollars(dollars),
        "per_1000_events": _per_thousand(parts, "event", load.events),
        "per_1000_turns": _per_thousand(parts, "turn", load.turns),
    }


def _per_thousand(parts: Sequence[CostItem], per: str, number: float) -> str | None:
    """Return the dollars for a thousand events or turns, without fixed costs; None if there are none."""
    dollars = [part.dollars for part in parts if part.per == per]
    if not dollars or not number:
        return None
    return _dollars(sum(dollars, Decimal(0)) * THOUSAND / Decimal(number * DAYS))


def _dollars(dollars: Decimal) -> str:
    return f"{dollars:.2f}" if dollars >= 1 else f"{dollars:.5f}"
