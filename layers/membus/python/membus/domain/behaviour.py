"""The rules of behaviour, as data.

What is counted, by what, within which time, and what that says about a user.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta

from membus.domain.facts import Kind

ACTIVITY = "activity"
"""The root of what these rules write, beside `setting` and `frustrated_by`.

No model may claim any of them.
"""


@dataclass(frozen=True)
class Where:
    """A condition on a payload's field.

    A whole number from `least` to `most`, or a text that `pattern` matches.
    """

    field: str
    least: int | None = None
    most: int | None = None
    pattern: re.Pattern[str] | None = None


@dataclass(frozen=True)
class Match:
    """Events of a type whose payload fulfils every condition."""

    type: str
    where: tuple[Where, ...] = ()


@dataclass(frozen=True)
class Says:
    """What a rule says; `{group}` in `value` stands for what was counted by."""

    attribute: str
    value: str
    kind: Kind = "behaviour"
    confidence: float = 0.8
    """Counted behaviour is evidence of a habit, not its confession; what an action states outright has 1."""


@dataclass(frozen=True)
class Repeated:
    """`count` marks of one group within `within`."""

    name: str
    count: int
    within: timedelta
    says: Says


@dataclass(frozen=True)
class Followed:
    """A mark of a part in `first` that one of the part `then` follows within `within`.

    True from the first on.
    """

    name: str
    within: timedelta
    first: tuple[str, ...]
    then: str
    says: Says


Rule = Repeated | Followed


@dataclass(frozen=True)
class Trail:
    """Events that are counted together, and the rules over them: one write serves them all.

    `parts` says which events leave a mark, and of which part. `group` is the field they are counted by: one
    of the payload (`path/1` is its first folder), `session_id`, or empty for all together.
    """

    name: str
    parts: Mapping[str, Match]
    rules: tuple[Rule, ...]
    group: str = ""


@dataclass(frozen=True)
class Stated:
    """What one event says by itself.

    `{field}` in `attribute` and `value` stands for a field of the payload.
    """

    name: str
    match: Match
    says: Says


def _on(event_type: str, *where: Where, part: str = "") -> dict[str, Match]:
    return {part: Match(event_type, where)}


_PAGE = Where(
    "path",
    pattern=re.compile(
        r"/(?!(?:home|welcome|index|login|logout|signup|register|checkout|cart|basket|orders?|settings|account|profile"
        r"|search|help|contact|error)(?:[/.?#]|$)).",
    ),
)
"""Pages that people choose; where everybody has to pass says nothing about anybody."""
_CHECKOUT = Where("path", pattern=re.compile(r"/(?:[\w-]+/)?checkout(?!/(?:success|complete))(?:[/?#]|$)"))
_ORDERED = Where(
    "path",
    pattern=re.compile(r"/(?:orders?/[\w-]+|thank-?you|order-confirm\w*|checkout/(?:success|complete\w*))"),
)

_UNFINISHED = Says("activity.checkout", "left unfinished", confidence=0.7)
_FINISHED = Says("activity.checkout", "finished", confidence=0.9)
_MINUTE, _DAY = timedelta(minutes=1), timedelta(days=1)

TRAILS = (
    Trail(
        "server-error",
        _on("error.shown", Where("status", least=500)),
        group="status",
        rules=(Repeated("repeated-server-error", 3, 5 * _MINUTE, Says("frustrated_by", "error {group}")),),
    ),
    Trail(
        "broken-page",
        _on("error.shown", Where("status", 400, 499)),
        group="path",
        rules=(Repeated("broken-page", 3, _DAY, Says("frustrated_by", "broken page {group}")),),
    ),
    Trail(
        "click",
        _on("element.clicked"),
        group="name",
        rules=(
            Repeated(
                "rage-click", 3, timedelta(seconds=2), Says("frustrated_by", "no answer to clicks on {group}")
            ),
            Repeated("adopted-action", 5, 14 * _DAY, Says("activity.uses", "{group}")),
        ),
    ),
    Trail(
        "feature",
        _on("feature.used"),
        group="name",
        rules=(Repeated("adopted-feature", 3, 14 * _DAY, Says("activity.uses", "{group}")),),
    ),
    Trail(
        "page",
        _on("page.viewed", _PAGE),
        group="path",
        rules=(Repeated("page-affinity", 3, 7 * _DAY, Says("activity.views", "{group}", confidence=0.6)),),
    ),
    Trail(
        "section",
        _on("page.viewed", _PAGE),
        group="path/1",
        rules=(
            Repeated("section-affinity", 5, 7 * _DAY, Says("activity.browses", "{group}", confidence=0.7)),
        ),
    ),
    Trail(
        "product",
        _on("product.viewed"),
        group="name",
        rules=(Repeated("product-affinity", 3, 7 * _DAY, Says("activity.views", "{group}", confidence=0.7)),),
    ),
    Trail(
        "search",
        _on("search.performed"),
        group="query",
        rules=(
            Repeated("search-affinity", 3, 7 * _DAY, Says("activity.searches", "{group}", confidence=0.7)),
        ),
    ),
    Trail(
        "fruitless-search",
        _on("search.performed", Where("results", 0, 0)),
        rules=(
            Repeated(
                "fruitless-search", 3, 30 * _MINUTE, Says("activity.trouble", "finding things by search")
            ),
        ),
    ),
    Trail(
        "failed-login",
        _on("login.failed"),
        rules=(
            Repeated("failed-login", 3, 15 * _MINUTE, Says("activity.trouble", "signing in", confidence=0.9)),
        ),
    ),
    Trail(
        "failed-payment",
        _on("payment.failed"),
        rules=(Repeated("failed-payment", 2, _DAY, Says("activity.trouble", "paying", confidence=0.9)),),
    ),
    Trail(
        "support",
        _on("ticket.opened"),
        rules=(
            Repeated(
                "repeated-support", 3, 30 * _DAY, Says("activity.trouble", "needs support again and again")
            ),
        ),
    ),
    Trail(
        "undecided",
        _on("setting.changed"),
        group="name",
        rules=(
            Repeated(
                "undecided", 3, 10 * _MINUTE, Says("activity.trouble", "deciding on the setting {group}")
            ),
        ),
    ),
    Trail(
        "dismissed",
        _on("notification.dismissed"),
        group="name",
        rules=(Repeated("dismissed-notification", 3, 7 * _DAY, Says("activity.dismisses", "{group}")),),
    ),
    Trail(
        "session",
        _on("session.started"),
        rules=(
            Repeated("returning", 4, 7 * _DAY, Says("activity.visits", "comes back several times a week")),
        ),
    ),
    Trail(
        "device",
        _on("session.started"),
        group="device",
        rules=(Repeated("device", 3, 14 * _DAY, Says("activity.device", "{group}")),),
    ),
    Trail(
        "abandonment",
        _on("cart.abandoned") | _on("checkout.abandoned", part="checkout"),
        rules=(Repeated("abandonment", 2, 30 * _DAY, Says("activity.trouble", "finishing checkouts")),),
    ),
    Trail(
        "checkout",
        _on("checkout.started", part="begun")
        | _on("page.viewed", _CHECKOUT, part="seen")
        | _on("session.ended", part="left"),
        group="session_id",
        rules=(Followed("abandoned-checkout", _DAY, ("begun", "seen"), "left", _UNFINISHED),),
    ),
)
"""An abandoned checkout is true from its beginning, and an order from its own moment on.

Whichever is learned first, the later of the two holds.
"""

STATED = (
    Stated("setting-changed", Match("setting.changed"), Says("setting.{name}", "{to}", "setting", 1)),
    Stated("plan-changed", Match("plan.changed"), Says("activity.plan", "{to}", confidence=1)),
    Stated(
        "subscribed", Match("subscription.started"), Says("activity.subscription", "active", confidence=1)
    ),
    Stated(
        "unsubscribed",
        Match("subscription.cancelled"),
        Says("activity.subscription", "cancelled", confidence=1),
    ),
    Stated("ordered", Match("order.placed"), _FINISHED),
    Stated("checked-out", Match("checkout.completed"), _FINISHED),
    Stated("saw-order", Match("page.viewed", (_ORDERED,)), _FINISHED),
    Stated("checkout-abandoned", Match("checkout.abandoned"), _UNFINISHED),
)
