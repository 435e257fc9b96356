"""The rules of behaviour, as data.

What is counted, by what, within which time, and what that says about a user.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from membus.facts.observation import FactKind

ACTIVITY_ROOT = "activity"
"""The root of what these rules write, beside `setting` and `frustrated_by`.

No model may claim any of them.
"""


@dataclass(frozen=True)
class FieldCondition:
    """A condition on a payload's field.

    A whole number from `least` to `most`, or a text that `pattern` matches.
    """

    field: str
    least: int | None = None
    most: int | None = None
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True)
class EventPattern:
    """Events of a type whose payload fulfils every condition."""

    type: str
    where: tuple[FieldCondition, ...] = ()


@dataclass(frozen=True)
class FactTemplate:
    """What a rule says; `{group}` in `value` stands for what was counted by."""

    attribute: str
    value: str
    kind: FactKind = "behaviour"
    confidence: float = 0.8
    """Counted behaviour is evidence of a habit, not its confession; what an action states outright has 1."""


@dataclass(frozen=True)
class CountRule:
    """`count` marks of one group within `within`."""

    name: str
    count: int
    within: timedelta
    says: FactTemplate


@dataclass(frozen=True)
class SequenceRule:
    """A mark of a part in `first` that one of the part `then` follows within `within`.

    True from the first on.
    """

    name: str
    within: timedelta
    first: tuple[str, ...]
    then: str
    says: FactTemplate


BehaviourRule = CountRule | SequenceRule


@dataclass(frozen=True)
class RuleGroup:
    """Events that are counted together, and the rules over them: one write serves them all.

    `parts` says which events leave a mark, and of which part. `group` is the field they are counted by: one
    of the payload (`path/1` is its first folder), `session_id`, or empty for all together.
    """

    name: str
    parts: Mapping[str, EventPattern]
    rules: tuple[BehaviourRule, ...]
    group: str = ""


@dataclass(frozen=True)
class ActionRule:
    """What one event says by itself.

    `{field}` in `attribute` and `value` stands for a field of the payload.
    """

    name: str
    match: EventPattern
    says: FactTemplate


def _on(event_type: str, *where: FieldCondition, part: str = "") -> dict[str, EventPattern]:
    return {part: EventPattern(event_type, where)}


_PAGE = FieldCondition(
    "path",
    pattern=re.compile(
        r"/(?!(?:home|welcome|index|login|logout|signup|register|checkout|cart|basket|orders?|settings|account|profile"
        r"|search|help|contact|error)(?:[/.?#]|$)).",
    ),
)
"""Pages that people choose; where everybody has to pass says nothing about anybody."""
_CHECKOUT = FieldCondition(
    "path", pattern=re.compile(r"/(?:[\w-]+/)?checkout(?!/(?:success|complete))(?:[/?#]|$)")
)
_ORDERED = FieldCondition(
    "path",
    pattern=re.compile(r"/(?:orders?/[\w-]+|thank-?you|order-confirm\w*|checkout/(?:success|complete\w*))"),
)

_UNFINISHED = FactTemplate("activity.checkout", "left unfinished", confidence=0.7)
_FINISHED = FactTemplate("activity.checkout", "finished", confidence=0.9)
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)

RULE_GROUPS = (
    RuleGroup(
        "server-error",
        _on("error.shown", FieldCondition("status", least=500)),
        group="status",
        rules=(
            CountRule(
                "repeated-server-error", 3, 5 * _MINUTE, FactTemplate("frustrated_by", "error {group}")
            ),
        ),
    ),
    RuleGroup(
        "broken-page",
        _on("error.shown", FieldCondition("status", 400, 499)),
        group="path",
        rules=(CountRule("broken-page", 3, _DAY, FactTemplate("frustrated_by", "broken page {group}")),),
    ),
    RuleGroup(
        "click",
        _on("element.clicked"),
        group="name",
        rules=(
            CountRule(
                "rage-click",
                3,
                timedelta(seconds=2),
                FactTemplate("frustrated_by", "no answer to clicks on {group}"),
            ),
            CountRule("adopted-action", 5, 14 * _DAY, FactTemplate("activity.uses", "{group}")),
        ),
    ),
    RuleGroup(
        "feature",
        _on("feature.used"),
        group="name",
        rules=(CountRule("adopted-feature", 3, 14 * _DAY, FactTemplate("activity.uses", "{group}")),),
    ),
    RuleGroup(
        "page",
        _on("page.viewed", _PAGE),
        group="path",
        rules=(
            CountRule(
                "page-affinity", 3, 7 * _DAY, FactTemplate("activity.views", "{group}", confidence=0.6)
            ),
        ),
    ),
    RuleGroup(
        "section",
        _on("page.viewed", _PAGE),
        group="path/1",
        rules=(
            CountRule(
                "section-affinity", 5, 7 * _DAY, FactTemplate("activity.browses", "{group}", confidence=0.7)
            ),
        ),
    ),
    RuleGroup(
        "product",
        _on("product.viewed"),
        group="name",
        rules=(
            CountRule(
                "product-affinity", 3, 7 * _DAY, FactTemplate("activity.views", "{group}", confidence=0.7)
            ),
        ),
    ),
    RuleGroup(
        "search",
        _on("search.performed"),
        group="query",
        rules=(
            CountRule(
                "search-affinity", 3, 7 * _DAY, FactTemplate("activity.searches", "{group}", confidence=0.7)
            ),
        ),
    ),
    RuleGroup(
        "fruitless-search",
        _on("search.performed", FieldCondition("results", 0, 0)),
        rules=(
            CountRule(
                "fruitless-search",
                3,
                30 * _MINUTE,
                FactTemplate("activity.trouble", "finding things by search"),
            ),
        ),
    ),
    RuleGroup(
        "failed-login",
        _on("login.failed"),
        rules=(
            CountRule(
                "failed-login",
                3,
                15 * _MINUTE,
                FactTemplate("activity.trouble", "signing in", confidence=0.9),
            ),
        ),
    ),
    RuleGroup(
        "failed-payment",
        _on("payment.failed"),
        rules=(
            CountRule("failed-payment", 2, _DAY, FactTemplate("activity.trouble", "paying", confidence=0.9)),
        ),
    ),
    RuleGroup(
        "support",
        _on("ticket.opened"),
        rules=(
            CountRule(
                "repeated-support",
                3,
                30 * _DAY,
                FactTemplate("activity.trouble", "needs support again and again"),
            ),
        ),
    ),
    RuleGroup(
        "undecided",
        _on("setting.changed"),
        group="name",
        rules=(
            CountRule(
                "undecided",
                3,
                10 * _MINUTE,
                FactTemplate("activity.trouble", "deciding on the setting {group}"),
            ),
        ),
    ),
    RuleGroup(
        "dismissed",
        _on("notification.dismissed"),
        group="name",
        rules=(
            CountRule("dismissed-notification", 3, 7 * _DAY, FactTemplate("activity.dismisses", "{group}")),
        ),
    ),
    RuleGroup(
        "session",
        _on("session.started"),
        rules=(
            CountRule(
                "returning", 4, 7 * _DAY, FactTemplate("activity.visits", "comes back several times a week")
            ),
        ),
    ),
    RuleGroup(
        "device",
        _on("session.started"),
        group="device",
        rules=(CountRule("device", 3, 14 * _DAY, FactTemplate("activity.device", "{group}")),),
    ),
    RuleGroup(
        "abandonment",
        _on("cart.abandoned") | _on("checkout.abandoned", part="checkout"),
        rules=(
            CountRule("abandonment", 2, 30 * _DAY, FactTemplate("activity.trouble", "finishing checkouts")),
        ),
    ),
    RuleGroup(
        "checkout",
        _on("checkout.started", part="begun")
        | _on("page.viewed", _CHECKOUT, part="seen")
        | _on("session.ended", part="left"),
        group="session_id",
        rules=(SequenceRule("abandoned-checkout", _DAY, ("begun", "seen"), "left", _UNFINISHED),),
    ),
)
"""An abandoned checkout is true from its beginning, and an order from its own moment on.

Whichever is learned first, the later of the two holds.
"""

ACTION_RULES = (
    ActionRule(
        "setting-changed",
        EventPattern("setting.changed"),
        FactTemplate("setting.{name}", "{to}", "setting", 1),
    ),
    ActionRule(
        "plan-changed", EventPattern("plan.changed"), FactTemplate("activity.plan", "{to}", confidence=1)
    ),
    ActionRule(
        "subscribed",
        EventPattern("subscription.started"),
        FactTemplate("activity.subscription", "active", confidence=1),
    ),
    ActionRule(
        "unsubscribed",
        EventPattern("subscription.cancelled"),
        FactTemplate("activity.subscription", "cancelled", confidence=1),
    ),
    ActionRule("ordered", EventPattern("order.placed"), _FINISHED),
    ActionRule("checked-out", EventPattern("checkout.completed"), _FINISHED),
    ActionRule("saw-order", EventPattern("page.viewed", (_ORDERED,)), _FINISHED),
    ActionRule("checkout-abandoned", EventPattern("checkout.abandoned"), _UNFINISHED),
)
