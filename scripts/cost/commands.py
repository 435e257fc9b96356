"""The command.

What an application does in a day goes in, a table of parts comes out, with what it rests on.
"""

from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal

from membus.tenants.costs import load_price_list
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
from scripts.output import Output, Row
from scripts.target import AddGroup, Target, output_options

THOUSAND = 1000


def register(add_group: AddGroup, options: ArgumentParser) -> None:  # noqa: ARG001 - it is about no place
    commands = add_group("cost", help="what a month would cost").add_subparsers(required=True)
    command = commands.add_parser(
        "estimate",
        parents=[output_options()],
        help="from counted work and dated list prices; asks nobody",
        description="List prices of us-east-1 without free tiers. What is deployed already is told by `usage`.",
        examples=[
            "cost estimate --events-per-day 100000 --turns-per-day 20000 --users 5000",
            "cost estimate --events-per-day 1000 --turns-per-day 0 --users 10 --size dev --json",
            "cost estimate --events-per-day 100000 --turns-per-day 20000 --users 5000 --turn-tokens 15000,1000",
        ],
    )
    command.add_argument("--events-per-day", type=_amount, required=True, help="of all kinds")
    command.add_argument(
        "--turns-per-day", type=_amount, required=True, help="messages that chat answers, beside the events"
    )
    command.add_argument("--users", type=_amount, required=True, help="among whom they are spread")
    turn, share = work()["turn"], work()["read_share"]
    command.add_argument(
        "--read-share",
        type=_share,
        default=share,
        help="of events, that a model reads (default: %(default)s)",
    )
    command.add_argument(
        "--turn-tokens",
        type=_pair,
        default=(turn["tokens_in"], turn["tokens_out"]),
        metavar="IN,OUT",
        help="of a turn (default: %(default)s, the demo's question; at most 15000,1000)",
    )
    command.add_argument(
        "--size",
        choices=tuple(work()["environments"]),
        default="prod",
        help="the environment whose idle parts count (default: %(default)s)",
    )
    command.add_argument("--extract-model", default="claude-haiku-5-5", help="(default: %(default)s)")
    command.add_argument("--chat-model", default="claude-sonnet-5-5", help="(default: %(default)s)")
    command.add_argument(
        "--embedding-model", default="amazon.titan-embed-text-v2:0", help="(default: %(default)s)"
    )
    command.set_defaults(run=_estimate)


def _estimate(arguments: Namespace, target: Target | None, output: Output) -> None:  # noqa: ARG001 - it is about no place
    load = Workload(
        arguments.events_per_day,
        arguments.turns_per_day,
        int(arguments.users),
        arguments.read_share,
        arguments.turn_tokens,
    )
    models = ModelChoice(arguments.extract_model, arguments.chat_model, arguments.embedding_model)
    today, prices = datetime.now(UTC).date(), load_price_list()
    parts = estimate(load, models, prices, environment=arguments.size, day=today)
    output.print_rows([*(_row(part, load) for part in parts), _sum(parts, load)], nothing="")
    if not output.as_json:
        output.print_remark(
            f"List prices, {aws_prices()['region']}, as of {aws_prices()['read_on']}, without free tiers. "
            "Left out, because nobody counted it: Lambda's seconds outside chat, Aurora above its floor, the archive, "
            "logs, backups, traffic."
        )
        worst, live, release = without_cache(load, models.chat, prices, day=today)
        output.print_remark(
            "A turn is counted as if no prompt were cached. On the worst day each is written to the cache and none is "
            f"read: prompts of chat then cost {_dollars(worst)} dollars that day. A release that changes instructions "
            f"or tools does so to {live:,} live conversations, once: {_dollars(release)} dollars."
        )


def _row(part: CostItem, load: Workload) -> Row:
    return {
        "part": part.name,
        "counted": part.counted,
        "price": part.price,
        "dollars_per_month": _dollars(part.dollars),
        **_thousand([part], load),
    }


def _sum(parts: Iterable[CostItem], load: Workload) -> Row:
    parts = list(parts)
    total = _dollars(sum((part.dollars for part in parts), Decimal(0)))
    return {
        "part": "together",
        "counted": None,
        "price": None,
        "dollars_per_month": total,
        **_thousand(parts, load),
    }


def _thousand(parts: Iterable[CostItem], load: Workload) -> dict[str, str | None]:
    """Return what a thousand events and a thousand turns take of it, without what costs as much when nobody comes."""
    found: dict[str, str | None] = {}
    for per, number in (("event", load.events), ("turn", load.turns)):
        mine = [part.dollars for part in parts if part.per == per]
        share = sum(mine, Decimal(0)) * THOUSAND / Decimal(number * DAYS) if mine and number else None
        found[f"per_1000_{per}s"] = None if share is None else _dollars(share)
    return found


def _dollars(dollars: Decimal) -> str:
    return f"{dollars:.2f}" if dollars >= 1 else f"{dollars:.5f}"


def _amount(text: str) -> float:
    try:
        number = float(text)
    except ValueError as error:
        raise ArgumentTypeError(f"'{text}' is no number") from error
    if not 0 <= number < float("inf"):
        raise ArgumentTypeError("write 0 or more")
    return number


def _share(text: str) -> float:
    if (share := _amount(text)) > 1:
        raise ArgumentTypeError("a share is 0 to 1")
    return share


def _pair(text: str) -> tuple[int, int]:
    given, _, answered = text.partition(",")
    if not (given.isdecimal() and answered.isdecimal()):
        raise ArgumentTypeError(f"'{text}' is no pair of tokens: write 548,50")
    return int(given), int(answered)
