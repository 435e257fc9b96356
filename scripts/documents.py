"""Write the generated parts of the documents anew: tables of rules, prices and costs, and schemas of events.

In a Markdown file such a part stands between `<!-- generated: <name> -->` and `<!-- end -->`.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path

from functions.api.events.schemas import EventIn
from functions.api.public.routes import OPENAPI
from membus.core.event import Event
from membus.facts.attributes import SINGLE_VALUED, fact_key
from membus.facts.behaviour_rules import (
    ACTION_RULES,
    ACTIVITY_ROOT,
    RULE_GROUPS,
    BehaviourRule,
    CountRule,
    EventPattern,
    FactTemplate,
    RuleGroup,
)
from membus.tenants.api_keys import ANY_SCOPE
from membus.tenants.costs import load_price_list
from scripts.cost.estimate import DAYS, CostItem, ModelChoice, Workload, aws_prices, estimate, work

ROOT = Path(__file__).parents[1]
EVENTS = ROOT / "docs" / "events"
PAGES = tuple(path for folder in (ROOT, ROOT / "docs") for path in sorted(folder.glob("*.md")))
MODELS = ModelChoice("claude-haiku-5-5", "claude-sonnet-5-5", "amazon.titan-embed-text-v2:0")
BUSY_DAY = 1_000_000
"""Events a day at which every batch of extract is full."""
_BLOCK = re.compile(r"(<!-- generated: (?P<name>[a-z-]+) -->\n).*?(<!-- end -->)", re.DOTALL)


def filled(text: str) -> str:
    """Return the text of a Markdown file with its generated parts as the code says them."""
    return _BLOCK.sub(lambda block: f"{block[1]}{WRITERS[block['name']]()}\n{block[3]}", text)


def schemas() -> dict[str, str]:
    """Return the content of each generated schema file by its name."""
    models = {"event": EventIn.model_json_schema(), "envelope": Event.model_json_schema(by_alias=True)}
    dialect = {"$schema": "https://json-schema.org/draft/2020-12/schema"}
    return {
        f"{name}.schema.json": json.dumps(dialect | schema, indent=2) + "\n"
        for name, schema in models.items()
    }


def stated_rules() -> str:
    rows = (
        (f"`{rule.name}`", f"`{rule.match.type}`", _conditions(rule.match), *_fact(rule.template, "{to}"))
        for rule in ACTION_RULES
    )
    return _table(("rule", "event", "where", "fact", "value", "confidence"), rows)


def counted_rules() -> str:
    rows = (
        (f"`{rule.name}`", *_seen(group, rule), *_fact(rule.template, "{group}"))
        for group, rule in _counting_rules()
    )
    return _table(("rule", "events", "how often", "counted by", "fact", "value", "confidence"), rows)


def patterns() -> str:
    """Return the paths that rules look for, as regular expressions."""
    return "\n".join(("```text", *(f"({letter}) {pattern}" for pattern, letter in _letters().items()), "```"))


def routes() -> str:
    """Return the routes of the API with what each does and the scope it asks for."""
    paths = json.loads(OPENAPI.read_text(encoding="utf-8"))["paths"]
    rows = (
        (f"`{method.upper()} {path}`", operation["summary"], _scope(operation))
        for path, operations in sorted(paths.items())
        for method, operation in operations.items()
    )
    return _table(("route", "does", "scope"), rows)


def single_valued() -> str:
    """Return the attributes that hold one value and that words can set; rules alone write activities."""
    return (
        ", ".join(f"`{key}`" for key in sorted(SINGLE_VALUED) if not key.startswith(f"{ACTIVITY_ROOT}."))
        + ". A `diet` holds one way of eating (vegan, vegetarian …) and any number of others (`diet.gluten-free`)."
    )


def model_prices() -> str:
    rows = (
        (
            f"`{price.model}`",
            str(price.since),
            f"above {price.above_tokens:,} tokens" if price.above_tokens else "",
            *map(str, (price.input, price.output, price.cache_read, price.cache_write)),
        )
        for price in load_price_list().prices
    )
    return _table(("model", "since", "prompts", "input", "output", "cache read", "cache write"), rows)


def message_costs() -> str:
    """Return what a thousand chat messages cost where every batch is full."""
    load = Workload(events=BUSY_DAY, turns=0, users=1, read_share=1, turn_tokens=_turn_tokens())
    return _costs((part for part in _parts(load) if part.per == "event"), Decimal(BUSY_DAY * DAYS / 1000))


def turn_costs() -> str:
    """Return what a thousand turns of chat cost, their extraction included."""
    load = Workload(events=0, turns=BUSY_DAY, users=1, read_share=1, turn_tokens=_turn_tokens())
    return _costs((part for part in _parts(load) if part.per == "turn"), Decimal(BUSY_DAY * DAYS / 1000))


def idle_costs() -> str:
    """Return what a month costs in which nobody comes, by environment."""
    load = Workload(events=0, turns=0, users=1, read_share=1, turn_tokens=_turn_tokens())
    by_environment = {
        name: {part.name: part.dollars for part in _parts(load, environment=name) if part.per == "month"}
        for name in work()["environments"]
    }
    names = dict.fromkeys(name for parts in by_environment.values() for name in parts)
    rows = [
        (name, *(f"{parts[name]:.2f}" if name in parts else "" for parts in by_environment.values()))
        for name in names
    ]
    sums = ("**sum**", *(f"**{sum(parts.values()):.2f}**" for parts in by_environment.values()))
    return _table(("part", *by_environment), (*rows, sums))


def short_costs() -> str:
    """Return the three figures that README names."""
    load = Workload(events=BUSY_DAY, turns=BUSY_DAY, users=1, read_share=1, turn_tokens=_turn_tokens())
    thousands, parts = Decimal(BUSY_DAY * DAYS / 1000), _parts(load)
    sums = {
        per: sum(part.dollars for part in parts if part.per == per) / thousands for per in ("event", "turn")
    }
    idle = {
        name: sum(part.dollars for part in _parts(load, environment=name) if part.per == "month")
        for name in _ENVS
    }
    rows = (
        ("1,000 messages become facts", f"{sums['event']:.3f}", f"`{MODELS.extract}`, ten messages a call"),
        ("1,000 turns of chat", f"{sums['turn']:.2f}", f"`{MODELS.chat}`, {_turn_tokens()[0]:,} tokens in"),
        ("a month without a request", " · ".join(f"{idle[name]:.2f}" for name in _ENVS), " · ".join(_ENVS)),
    )
    return _table(("what", "USD", "with"), rows)


_ENVS = ("dev", "staging", "prod")
WRITERS: dict[str, Callable[[], str]] = {
    "stated-rules": stated_rules,
    "counted-rules": counted_rules,
    "patterns": patterns,
    "single-valued": single_valued,
    "routes": routes,
    "model-prices": model_prices,
    "message-costs": message_costs,
    "turn-costs": turn_costs,
    "idle-costs": idle_costs,
    "short-costs": short_costs,
}


def _scope(operation: Mapping[str, str]) -> str:
    scope = operation.get("x-membus-scope")
    return "any" if scope == ANY_SCOPE else f"`{scope}`" if scope else "none"


def _counting_rules() -> Iterator[tuple[RuleGroup, BehaviourRule]]:
    return ((group, rule) for group in RULE_GROUPS for rule in group.rules)


def _seen(group: RuleGroup, rule: BehaviourRule) -> tuple[str, str, str]:
    """Return which events a rule counts, how often, and by what."""
    names = {"": "all together", "session_id": "`session_id`", "path/1": "first folder of `path`"}
    by = names.get(group.group, f"`{group.group}`")
    if isinstance(rule, CountRule):
        return _any(group, group.parts), f"{rule.count} within {_span(rule.within)}", by
    return _any(group, rule.starts), f"then {_any(group, (rule.end,))} within {_span(rule.within)}", by


def _any(group: RuleGroup, parts: Iterable[str]) -> str:
    matches = (group.parts[part] for part in parts)
    return " or ".join(
        f"`{match.type}`" + (f" where {_conditions(match)}" if match.where else "") for match in matches
    )


def _conditions(match: EventPattern) -> str:
    return ", ".join(_condition(where.field, where.least, where.most, where.pattern) for where in match.where)


def _condition(field: str, least: int | None, most: int | None, pattern: re.Pattern[str] | None) -> str:
    if pattern is not None:
        return f"`{field}` matches ({_letters()[pattern.pattern]})"
    if least == most:
        return f"`{field}` is {least}"
    return f"`{field}` is {least} to {most}" if most is not None else f"`{field}` is {least} or more"


def _letters() -> dict[str, str]:
    """Return a letter for each regular expression, in the order of the rules."""
    matches = [match for group in RULE_GROUPS for match in group.parts.values()] + [
        rule.match for rule in ACTION_RULES
    ]
    found = dict.fromkeys(
        where.pattern.pattern for match in matches for where in match.where if where.pattern
    )
    return {pattern: "abcdef"[place] for place, pattern in enumerate(found)}


def _fact(says: FactTemplate, place: str) -> tuple[str, str, str]:
    key = fact_key(says.attribute.replace("{name}", "name"), says.value.replace(place, "group")) or ""
    shown = key.replace(".name", ".<name>") if "{name}" in says.attribute else key.replace("group", "<value>")
    value = says.value.replace("{to}", "`to`").replace("{group}", "…")
    return f"`{shown}`", value, f"{says.confidence:g}"


def _span(span: timedelta) -> str:
    for unit, length in (("day", 86_400), ("minute", 60), ("second", 1)):
        if span.total_seconds() >= length:
            count = span.total_seconds() / length
            return f"{count:g} {unit}{'s' if count > 1 else ''}"
    raise ValueError(f"a window of {span} is none")


def _turn_tokens() -> tuple[int, int]:
    turn = work()["turn"]
    return turn["tokens_in"], turn["tokens_out"]


def _parts(load: Workload, *, environment: str = "dev") -> list[CostItem]:
    day = date.fromisoformat(aws_prices()["read_on"])
    return estimate(load, MODELS, load_price_list(), sizes=work()["environments"][environment], day=day)


def _costs(parts: Iterable[CostItem], thousands: Decimal) -> str:
    kept = [part for part in parts if part.dollars and "hot" not in part.name]
    rows = [
        (part.name, _counted(part, thousands), part.price, f"{part.dollars / thousands:.5f}") for part in kept
    ]
    return _table(
        ("part", "counted", "price", "USD"),
        (*rows, ("**sum**", "", "", f"**{sum(part.dollars for part in kept) / thousands:.5f}**")),
    )


def _counted(part: CostItem, thousands: Decimal) -> str:
    """Return what is counted for a thousand: a month's quantity, or a model's tokens a call."""
    if (calls := part.counted.partition(" calls of "))[2]:
        return f"{Decimal(calls[0].replace(',', '')) / thousands:,.0f} calls of {calls[2]}"
    unit, _, many = part.price.partition(" per ")
    quantity = part.dollars / thousands / Decimal(unit) * int(many.replace(",", "") or 1)
    return f"{quantity:,.0f} {part.counted.partition(' ')[2]}"


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    lines = [list(head), *(list(row) for row in rows)]
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join(f"| {' | '.join(cell.replace('|', chr(92) + '|') for cell in line)} |" for line in lines)


def main() -> None:
    for page in PAGES:
        text = page.read_text(encoding="utf-8")
        if filled(text) != text:
            page.write_text(filled(text), encoding="utf-8")
    for name, content in schemas().items():
        (EVENTS / name).write_text(content, encoding="utf-8")


if __name__ == "__main__":
    main()
