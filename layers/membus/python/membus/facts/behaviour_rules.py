"""The table of behaviour rules: what is counted, by what, within which time, and which fact follows."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from membus.facts.observation import FactKind, Trust

ACTIVITY_ROOT = "activity"
"""The root of attributes that these rules write, beside `setting` and `frustrated_by`.

A model may write none.
"""


@dataclass(frozen=True)
class FieldCondition:
    """A condition on a payload's field: a number from `least` to `most`, or a text that `pattern` matches."""

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
    """The fact that a rule writes; `{group}` in `value` stands for the value that was counted by.

    `{pages}` are the pages of the errors that were counted. `named_by` makes the key where the value, with
    pages and counts, would make another one each time.
    """

    attribute: str
    value: str
    kind: FactKind = "behaviour"
    confidence: float = 0.8
    """Counted behaviour is evidence of a habit; what an action states outright has 1."""
    named_by: str = ""
    trust: Trust = Trust.OBSERVED


@dataclass(frozen=True)
class CountRule:
    """A rule that `count` marks of one group complete within `within`."""

    name: str
    count: int
    within: timedelta
    template: FactTemplate


@dataclass(frozen=True)
class SequenceRule:
    """A rule that a mark of a part in `starts` completes, when one of the part `end` follows within `within`.

    Its fact is true from the start.
    """

    name: str
    within: timedelta
    starts: tuple[str, ...]
    end: str
    template: FactTemplate


BehaviourRule = CountRule | SequenceRule


@dataclass(frozen=True)
class RuleGroup:
    """Events that are counted together, and the rules over them: one write serves all rules.

    `parts` are the events that leave a mark, by the part it is of. `group` is the field they are counted by:
    one of the payload (`path/1` is its first folder), `session_id`, or empty for all together.
    """

    name: str
    parts: Mapping[str, EventPattern]
    rules: tuple[BehaviourRule, ...]
    group: str = ""


@dataclass(frozen=True)
class ActionRule:
    """What one event says by itself.

    `{field}` in `attribute` and `value` stands for a field of its payload.
    """

    name: str
    match: EventPattern
    template: FactTemplate


def _counted(
    group_name: str,
    event: str | EventPattern,
    times: tuple[int, timedelta],
    attribute: str,
    value: str = "{group}",
    *,
    by: str = "",
    confidence: float = 0.8,
    rule: str | None = None,
    named_by: str = "",
) -> RuleGroup:
    """Return a group with one rule: so many events within a time, counted by a field."""
    match = EventPattern(event) if isinstance(event, str) else event
    template = FactTemplate(attribute, value, confidence=confidence, named_by=named_by)
    return RuleGroup(group_name, {"": match}, (CountRule(rule or group_name, *times, template),), by)


_PAGE = FieldCondition(
    "path",
    pattern=re.compile(
        r"/(?!(?:home|welcome|index|login|logout|signup|register|checkout|cart|basket|orders?|settings|account|profile"
        r"|search|help|contact|error)(?:[/.?#]|$)).",
    ),
)
"""Pages that people choose; a page that everybody passes says nothing about a user."""
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
_TROUBLE = "activity.trouble"
_SERVER_ERROR = EventPattern("error.shown", (FieldCondition("status", least=500),))
_CLIENT_ERROR = EventPattern("error.shown", (FieldCondition("status", 400, 499),))
_CHOSEN_PAGE = EventPattern("page.viewed", (_PAGE,))
_FRUITLESS = EventPattern("search.performed", (FieldCondition("results", 0, 0),))
_RAGE = FactTemplate("frustrated_by", "no answer to clicks on {group}")

RULE_GROUPS = (
    _counted(
        "server-error",
        _SERVER_ERROR,
        (3, 15 * _MINUTE),
        "frustrated_by",
        "HTTP {group}{pages}, {count} times",
        by="status",
        rule="repeated-server-error",
        named_by="error {group}",
    ),
    _counted("broken-page", _CLIENT_ERROR, (3, _DAY), "frustrated_by", "broken page {group}", by="path"),
    RuleGroup(
        "click",
        {"": EventPattern("element.clicked")},
        group="name",
        rules=(
            CountRule("rage-click", 3, timedelta(seconds=2), _RAGE),
            CountRule("adopted-action", 5, 14 * _DAY, FactTemplate("activity.uses", "{group}")),
        ),
    ),
    _counted("feature", "feature.used", (3, 14 * _DAY), "activity.uses", by="name", rule="adopted-feature"),
    _counted(
        "page", _CHOSEN_PAGE, (3, 7 * _DAY), "activity.views", by="path", confidence=0.6, rule="page-affinity"
    ),
    _counted(
        "section",
        _CHOSEN_PAGE,
        (5, 7 * _DAY),
        "activity.browses",
        by="path/1",
        confidence=0.7,
        rule="section-affinity",
    ),
    _counted(
        "product",
        "product.viewed",
        (3, 7 * _DAY),
        "activity.views",
        by="name",
        confidence=0.7,
        rule="product-affinity",
    ),
    _counted(
        "search",
        "search.performed",
        (3, 7 * _DAY),
        "activity.searches",
        by="query",
        confidence=0.7,
        rule="search-affinity",
    ),
    _counted("fruitless-search", _FRUITLESS, (3, 30 * _MINUTE), _TROUBLE, "finding things by search"),
    _counted("failed-login", "login.failed", (3, 15 * _MINUTE), _TROUBLE, "signing in", confidence=0.9),
    _counted("failed-payment", "payment.failed", (2, _DAY), _TROUBLE, "paying", confidence=0.9),
    _counted(
        "support",
        "ticket.opened",
        (3, 30 * _DAY),
        _TROUBLE,
        "needs support again and again",
        rule="repeated-support",
    ),
    _counted(
        "undecided",
        "setting.changed",
        (3, 10 * _MINUTE),
        _TROUBLE,
        "deciding on the setting {group}",
        by="name",
    ),
    _counted(
        "dismissed",
        "notification.dismissed",
        (3, 7 * _DAY),
        "activity.dismisses",
        by="name",
        rule="dismissed-notification",
    ),
    _counted(
        "session",
        "session.started",
        (4, 7 * _DAY),
        "activity.visits",
        "comes back several times a week",
        rule="returning",
    ),
    _counted("device", "session.started", (3, 14 * _DAY), "activity.device", by="device"),
    RuleGroup(
        "abandonment",
        {"": EventPattern("cart.abandoned"), "checkout": EventPattern("checkout.abandoned")},
        rules=(CountRule("abandonment", 2, 30 * _DAY, FactTemplate(_TROUBLE, "finishing checkouts")),),
    ),
    RuleGroup(
        "checkout",
        {
            "begun": EventPattern("checkout.started"),
            "seen": EventPattern("page.viewed", (_CHECKOUT,)),
            "left": EventPattern("session.ended"),
        },
        group="session_id",
        rules=(SequenceRule("abandoned-checkout", _DAY, ("begun", "seen"), "left", _UNFINISHED),),
    ),
)
"""An abandoned checkout is true from its beginning, an order from its own moment: the later one is current,
whichever is learned first."""


def _stated(field: str, attribute: str, kind: FactKind) -> ActionRule:
    """Return the rule that a field of a profile is what the user states of themselves."""
    template = FactTemplate(attribute, f"{{{field}}}", kind, 0.9, trust=Trust.USER_STATED)
    return ActionRule(f"profile-{field}", EventPattern("profile.updated"), template)


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
    _stated("name", "name", "identity"),
    _stated("birthday", "birthday", "identity"),
    _stated("pronouns", "pronouns", "identity"),
    _stated("country", "home.country", "place"),
    _stated("city", "home.city", "place"),
    _stated("timezone", "timezone", "place"),
    _stated("role", "work.role", "work"),
    _stated("company", "work.employer", "work"),
    _stated("language", "language", "identity"),
    _stated("diet", "diet", "preference"),
)
