"""What a tenant keeps in which tier, month by month, and what a month of it costs.

The figures of `tier report`.

The page of `tier report`: one file that stands alone, readable by day and by night, by eye and by ear.

Stacked bars as SVG that takes its colours from the page around it, says what it shows, and names each bar.
"""

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from io import StringIO
from pathlib import Path
from typing import Any

from membus.episodes.archive.model import ArchiveObject

PRICES = json.loads((Path(__file__).parents[1] / "cost" / "aws_prices.json").read_text(encoding="utf-8"))
NAMES = {
    "DYNAMODB": "dynamodb_storage",
    "STANDARD": "s3_standard",
    "INTELLIGENT_TIERING": "s3_intelligent_tiering",
    "GLACIER_IR": "s3_glacier_ir",
}
DOLLARS: Mapping[str, float] = {name: float(PRICES["prices"][key]["dollars"]) for name, key in NAMES.items()}
"""A gigabyte and month in each class.

INTELLIGENT_TIERING at its price for what nobody has read for a month.
"""
CLASSES = ((365, "GLACIER_IR"), (30, "INTELLIGENT_TIERING"), (0, "STANDARD"))
"""Storage classes by the age in days at which the archive module's lifecycle moves an object there."""
TIERS = ("DYNAMODB", *(name for _, name in reversed(CLASSES)))
HOT_BYTES = 1_100
"""What an episode of a sentence weighs in DynamoDB with its identity and index entries.

`make bench`, `archive`.
"""
TIERED_BYTES_MIN = 128 * 1024
"""Objects below stay in STANDARD: colder classes do not take them."""
GB = 10**9


@dataclass(frozen=True)
class TierMonth:
    """The end of a month: bytes by tier, and the episodes that they are.

    A hot copy beside a cold one is in both.
    """

    day: date
    stored: Counter[str]
    episodes: int

    @property
    def cost_dollars(self) -> float:
        return sum(self.tier_dollars(name) for name in self.stored)

    @property
    def all_hot_dollars(self) -> float:
        """What the same episodes would cost a month if all of them had stayed in DynamoDB."""
        return self.episodes * HOT_BYTES * DOLLARS["DYNAMODB"] / GB

    def tier_dollars(self, tier: str) -> float:
        return DOLLARS[tier] * self.stored[tier] / GB


def list_months(objects: Sequence[ArchiveObject], *, today: date) -> list[TierMonth]:
    """Return what lay where at the end of every month since the first object's day, and today."""
    if not objects:
        return []
    ends = [*_ends(min(each.day for each in objects), today), today]
    return [_month([each for each in objects if each.day <= end], end) for end in ends]


def _ends(first: date, today: date) -> Iterator[date]:
    """Yield the last day of each month from `first` on that is over."""
    year, month = first.year, first.month
    while (next_month := date(year + month // 12, month % 12 + 1, 1)) <= today:
        yield next_month - timedelta(days=1)
        year, month = next_month.year, next_month.month


def _month(objects: Sequence[ArchiveObject], at: date) -> TierMonth:
    stored: Counter[str] = Counter()
    for each in objects:
        age = (at - each.day).days
        stored[_storage_class(age) if each.bytes >= TIERED_BYTES_MIN else "STANDARD"] += each.bytes
        if each.hot_until.date() > at:
            stored["DYNAMODB"] += each.rows * HOT_BYTES
    return TierMonth(at, stored, sum(each.rows for each in objects))


def _storage_class(age_days: int) -> str:
    return next(name for days, name in CLASSES if age_days >= days)


INK, RULE = "#010203", "#040506"
"""Stand for what the page's style decides, as do the tiers' colours below."""
COLOURS = ("#0a0b01", "#0a0b02", "#0a0b03", "#0a0b04")
VARIABLES = {INK: "var(--ink)", RULE: "var(--rule)"} | {
    colour: f"var(--tier-{number})" for number, colour in enumerate(COLOURS)
}
LABELS_MAX = 14
SIZE = (9.6, 3.4)


@dataclass(frozen=True)
class BarChart:
    """`heights` are by the name of a layer, one for each label; `said` writes a height with its unit."""

    name: str
    title: str
    described: str
    labels: Sequence[str]
    heights: Mapping[str, Sequence[float]]
    said: Callable[[float], str]

    def render_svg(self) -> str:
        """Return an element that stands alone in a page: its ids begin with the drawing's name."""
        _, tag, body = self._drawn().partition("<svg")
        body = re.sub(r'(id="|url\(#|href="#)', rf"\g<1>{self.name}-", body)
        for colour, variable in VARIABLES.items():
            body = body.replace(colour, variable)
        for place, told in self._bars():
            body = body.replace(
                f'<g id="{self.name}-{place}">', f'<g id="{self.name}-{place}"><title>{told}</title>'
            )
        head, _, rest = body.partition(">")
        head = re.sub(r' (width|height)="[^"]*"', "", head)
        spoken = "".join(
            f'<{part} id="{self.name}-{part}">{escape(text)}</{part}>'
            for part, text in (("title", self.title), ("desc", self.described))
        )
        return f'{tag} role="img" aria-labelledby="{self.name}-title {self.name}-desc"{head}>{spoken}{rest}'

    def _bars(self) -> list[tuple[str, str]]:
        return [
            (f"{layer}-{column}", escape(f"{self.labels[column]}, {name}: {self.said(height)}"))
            for layer, (name, heights) in enumerate(self.heights.items())
            for column, height in enumerate(heights)
        ]

    def _drawn(self) -> str:
        from matplotlib import rc_context  # noqa: PLC0415 - takes longer than other commands run
        from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 - as above
        from matplotlib.figure import Figure  # noqa: PLC0415 - as above

        written = StringIO()
        with rc_context(
            {"svg.fonttype": "none", "svg.hashsalt": self.name, "text.color": INK, "font.size": 9}
        ):
            figure = Figure(figsize=SIZE, layout="constrained")
            FigureCanvasSVG(figure)
            self._fill(figure.add_subplot())
            figure.savefig(written, format="svg", metadata={"Date": None}, transparent=True)
        return re.sub(r"font-family: [^;]+; ", "", written.getvalue())

    def _fill(self, axes: Any) -> None:
        columns, floor = range(len(self.labels)), [0.0] * len(self.labels)
        for layer, heights in enumerate(self.heights.values()):
            bars = axes.bar(columns, heights, bottom=floor, color=COLOURS[layer], width=0.72)
            for column, bar in enumerate(bars):
                bar.set_gid(f"{layer}-{column}")
            floor = [low + height for low, height in zip(floor, heights, strict=True)]
        every = -(-len(self.labels) // LABELS_MAX)
        shown = [column for column in columns if (len(self.labels) - 1 - column) % every == 0]
        axes.set_xticks(shown, [self.labels[column] for column in shown])
        axes.yaxis.set_major_formatter(lambda height, _: self.said(height))
        axes.set_ylim(bottom=0)
        axes.tick_params(length=0, colors=INK)
        axes.grid(axis="y", color=RULE, linewidth=0.8)
        axes.set_axisbelow(True)
        for side, line in axes.spines.items():
            line.set_visible(side == "bottom")
            line.set_color(RULE)


TIER_NAMES = {
    "DYNAMODB": "DynamoDB (hot copies)",
    "STANDARD": "S3 Standard",
    "INTELLIGENT_TIERING": "S3 Intelligent-Tiering",
    "GLACIER_IR": "S3 Glacier Instant Retrieval",
}
STYLE = """
:root{color-scheme:light dark;--paper:#fcfcfa;--card:#fff;--ink:#1d2329;--soft:#59636e;--rule:#dfe3e6;
--tier-0:#d1495b;--tier-1:#e0a030;--tier-2:#2a8c82;--tier-3:#33658a}
@media(prefers-color-scheme:dark){:root{--paper:#14181c;--card:#1b2127;--ink:#e7ebee;--soft:#9aa6b1;--rule:#313a42;
--tier-0:#ef7b8a;--tier-1:#f0bf5f;--tier-2:#5cc4b8;--tier-3:#7fb2dc}}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,sans-serif;background:var(--paper);color:var(--ink);max-width:64rem;margin:0 auto;
padding:2.5rem 1.25rem 4rem}
h1{font-size:1.7rem;margin:0}h2{font-size:1.1rem;margin:0 0 .25rem}p{margin:.25rem 0 0;color:var(--soft)}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.75rem;margin:1.5rem 0}
dl div,section{background:var(--card);border:1px solid var(--rule);border-radius:.6rem;padding:.9rem 1.1rem}
dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums}
section{margin:1rem 0;overflow-x:auto}svg{width:100%;min-width:36rem;height:auto;display:block;margin-top:.5rem}
ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;padding:0;margin:.5rem 0 0;font-size:.9rem}
li::before{content:"";display:inline-block;width:.8em;height:.8em;border-radius:.2em;margin-right:.45em;
background:var(--c)}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums;white-space:nowrap}
caption{text-align:left;color:var(--soft);padding-bottom:.5rem}
th,td{padding:.35rem .7rem;text-align:right;border-top:1px solid var(--rule)}th:first-child{text-align:left}
thead th{border-top:0;font-weight:600}tbody th{font-weight:400}
@media print{:root{--paper:#fff}section,dl div{break-inside:avoid}}
"""
ROUNDED_UP = 999.5
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")


def render_page(tenant: str, objects: Sequence[ArchiveObject], *, today: date) -> str:
    """Return the page: what lies where now, two drawings over time, and the figures behind them."""
    found = list_months(objects, today=today)
    episodes = sum(each.rows for each in objects)
    body = "".join((_now(found[-1]), *_drawings(found), _table(found))) if found else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        f"<title>membus: tiers of {escape(tenant)}</title><style>{STYLE}</style></head>\n<body><header>"
        f"<h1>Tiers of {escape(tenant)}</h1><p>{episodes:,} episodes in {len(objects):,} objects, as of "
        f'<time datetime="{today}">{_day(today)}</time>.</p></header>\n<main>{body or _empty_section()}</main>\n'
        "<footer><p>Volumes follow from the catalog of objects and the ages at which the bucket moves them; DynamoDB's "
        f"are estimated ({format_bytes(HOT_BYTES)} an episode). Prices: storage in {escape(PRICES['region'])} as read on "
        f'<time datetime="{PRICES["read_on"]}">{escape(PRICES["read_on"])}</time>, {escape(PRICES["unit"])}; '
        "requests are not in them.</p></footer></body></html>\n"
    )


def format_bytes(size: float) -> str:
    """Return a volume with three digits and its unit, in powers of a thousand as AWS bills them."""
    power = 0
    while size >= ROUNDED_UP and power < len(UNITS) - 1:
        size, power = size / 1000, power + 1
    return f"{size:.3g} {UNITS[power]}"


def format_dollars(dollars: float) -> str:
    """Return an amount to the cent, or as far as it takes to see two digits of it."""
    if not dollars or abs(dollars) >= 1:
        return f"${dollars:,.2f}"
    plain = f"{float(f'{dollars:.2g}'):.12f}".rstrip("0")
    return f"${plain if len(plain) > 3 else f'{dollars:.2f}'}"  # noqa: PLR2004 - `0.5` is fifty cents


def _now(last: TierMonth) -> str:
    shown = {
        "in S3": format_bytes(sum(last.stored.values()) - last.stored["DYNAMODB"]),
        "in DynamoDB, estimated": format_bytes(last.stored["DYNAMODB"]),
        "a month now": format_dollars(last.cost_dollars),
        "a month, had all stayed in DynamoDB": format_dollars(last.all_hot_dollars),
    }
    return f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{value}</dd></div>' for name, value in shown.items())}</dl>\n"


def _drawings(found: Sequence[TierMonth]) -> tuple[str, str]:
    total = format_bytes(sum(found[-1].stored.values()))
    volume = {TIER_NAMES[tier]: [float(month.stored[tier]) for month in found] for tier in TIERS}
    cost = {TIER_NAMES[tier]: [month.tier_dollars(tier) for month in found] for tier in TIERS}
    labels = [f"{month.day:%b %Y}" for month in found]
    span = f"From {_day(found[0].day)} to {_day(found[-1].day)}; at the end"
    return (
        _section(BarChart("volume", "Volume by tier", f"{span} {total}.", labels, volume, format_bytes)),
        _section(
            BarChart(
                "cost",
                "Cost of storage by tier",
                f"{span} {format_dollars(found[-1].cost_dollars)} a month.",
                labels,
                cost,
                format_dollars,
            )
        ),
    )


def _section(drawing: BarChart) -> str:
    key = "".join(
        f'<li style="--c:var(--tier-{number})">{TIER_NAMES[tier]}</li>' for number, tier in enumerate(TIERS)
    )
    head = f"<h2>{drawing.title}</h2><p>{drawing.described}</p><ul>{key}</ul>"
    return f"<section>{head}\n{drawing.render_svg()}</section>\n"


def _table(found: Sequence[TierMonth]) -> str:
    head = "".join(f'<th scope="col">{TIER_NAMES[tier]}</th>' for tier in TIERS)
    rows = "".join(_row(month) for month in reversed(found))
    prices = ", ".join(f"{TIER_NAMES[tier]} {format_dollars(DOLLARS[tier])}" for tier in TIERS)
    return (
        f"<section><h2>Figures</h2><table><caption>At the end of each day. A gigabyte and month: {prices}.</caption>"
        f'<thead><tr><th scope="col">day</th><th scope="col">episodes</th>{head}<th scope="col">a month</th></tr>'
        f"</thead><tbody>{rows}</tbody></table></section>"
    )


def _row(month: TierMonth) -> str:
    sizes = "".join(f"<td>{format_bytes(month.stored[tier])}</td>" for tier in TIERS)
    day = f'<th scope="row"><time datetime="{month.day}">{_day(month.day)}</time></th>'
    return f"<tr>{day}<td>{month.episodes:,}</td>{sizes}<td>{format_dollars(month.cost_dollars)}</td></tr>"


def _empty_section() -> str:
    return "<section><h2>Nothing is in the archive yet</h2><p><code>tier run</code> archives what waits.</p></section>"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
