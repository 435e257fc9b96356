"""The page of `tier report`: what a tenant stores in which tier, month by month, and what it costs.

One HTML file that loads nothing, readable by day and by night, by eye and by screen reader.
"""

import json
import math
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from pathlib import Path

from membus.episodes.archive.model import ArchiveObject

PRICES = json.loads((Path(__file__).parents[1] / "cost" / "aws_prices.json").read_text(encoding="utf-8"))
TIERS = {
    "DYNAMODB": ("dynamodb_storage", "DynamoDB (hot copies)"),
    "STANDARD": ("s3_standard", "S3 Standard"),
    "INTELLIGENT_TIERING": ("s3_intelligent_tiering", "S3 Intelligent-Tiering"),
    "GLACIER_IR": ("s3_glacier_ir", "S3 Glacier Instant Retrieval"),
}
"""The price and the name of each tier."""
DOLLARS: Mapping[str, float] = {
    tier: float(PRICES["prices"][price]["dollars"]) for tier, (price, _) in TIERS.items()
}
"""A gigabyte and month; INTELLIGENT_TIERING at its price for what was not read for a month."""
CLASSES = ((365, "GLACIER_IR"), (30, "INTELLIGENT_TIERING"), (0, "STANDARD"))
"""Storage classes by the age in days at which the archive module's lifecycle moves an object there."""
HOT_BYTES = 1_100
"""An episode of a sentence in DynamoDB with its identity and index entries (`make bench`, `archive`)."""
TIERED_BYTES_MIN = 128 * 1024
"""Smaller objects stay in STANDARD: colder classes do not take them."""
GB = 10**9
WIDTH, HEIGHT, LEFT, BOTTOM = 960, 340, 80, 310
BAR_SHARE = 0.72
LABELS_MAX = 14
LINES = 5
ROUNDED_UP = 999.5
UNITS = ("B", "kB", "MB", "GB", "TB", "PB")
STYLE = """
:root{color-scheme:light dark;--paper:#fcfcfa;--card:#fff;--ink:#1d2329;--soft:#59636e;--rule:#dfe3e6;
--tier-0:#d1495b;--tier-1:#e0a030;--tier-2:#2a8c82;--tier-3:#33658a}
@media(prefers-color-scheme:dark){:root{--paper:#14181c;--card:#1b2127;--ink:#e7ebee;--soft:#9aa6b1;
--rule:#313a42;--tier-0:#ef7b8a;--tier-1:#f0bf5f;--tier-2:#5cc4b8;--tier-3:#7fb2dc}}
*{box-sizing:border-box}
body{font:16px/1.55 system-ui,sans-serif;background:var(--paper);color:var(--ink);max-width:64rem;
margin:0 auto;padding:2.5rem 1.25rem 4rem}
h1{font-size:1.7rem;margin:0}h2{font-size:1.1rem;margin:0 0 .25rem}p{margin:.25rem 0 0;color:var(--soft)}
dl{display:grid;grid-template-columns:repeat(auto-fit,minmax(10rem,1fr));gap:.75rem;margin:1.5rem 0}
dl div,section{background:var(--card);border:1px solid var(--rule);border-radius:.6rem;padding:.9rem 1.1rem}
dt{color:var(--soft);font-size:.85rem}dd{margin:0;font-size:1.35rem;font-variant-numeric:tabular-nums}
section{margin:1rem 0;overflow-x:auto}
svg{width:100%;min-width:36rem;height:auto;display:block;margin-top:.5rem}
svg text{font-size:13px;fill:var(--ink)}svg line{stroke:var(--rule)}
ul{list-style:none;display:flex;flex-wrap:wrap;gap:.25rem 1.25rem;padding:0;margin:.5rem 0 0;font-size:.9rem}
li::before{content:"";display:inline-block;width:.8em;height:.8em;border-radius:.2em;margin-right:.45em;
background:var(--c)}
table{border-collapse:collapse;width:100%;font-size:.9rem;font-variant-numeric:tabular-nums}
table{white-space:nowrap}
caption{text-align:left;color:var(--soft);padding-bottom:.5rem}
th,td{padding:.35rem .7rem;text-align:right;border-top:1px solid var(--rule)}th:first-child{text-align:left}
thead th{border-top:0;font-weight:600}tbody th{font-weight:400}
@media print{:root{--paper:#fff}section,dl div{break-inside:avoid}}
"""
EMPTY = (
    "<section><h2>Nothing is in the archive yet</h2><p><code>tier run</code> archives episodes.</p></section>"
)


@dataclass(frozen=True)
class TierMonth:
    """Bytes by tier at the end of a month; an episode that is hot and archived counts in both tiers."""

    day: date
    stored: Counter[str]
    episodes: int

    @property
    def cost_dollars(self) -> float:
        return sum(self.tier_dollars(tier) for tier in self.stored)

    @property
    def all_hot_dollars(self) -> float:
        """The monthly cost if all of the episodes had stayed in DynamoDB."""
        return self.episodes * HOT_BYTES * DOLLARS["DYNAMODB"] / GB

    def tier_dollars(self, tier: str) -> float:
        return DOLLARS[tier] * self.stored[tier] / GB


def list_months(objects: Sequence[ArchiveObject], *, today: date) -> list[TierMonth]:
    """Return the end of every month since the first object's day, and today."""
    if not objects:
        return []
    ends = [*_list_month_ends(min(each.day for each in objects), today), today]
    return [_month([each for each in objects if each.day <= end], end) for end in ends]


def _list_month_ends(first: date, today: date) -> Iterator[date]:
    year, month = first.year, first.month
    while (next_month := date(year + month // 12, month % 12 + 1, 1)) <= today:
        yield next_month - timedelta(days=1)
        year, month = next_month.year, next_month.month


def _month(objects: Sequence[ArchiveObject], at: date) -> TierMonth:
    stored: Counter[str] = Counter()
    for each in objects:
        age = (at - each.day).days if each.bytes >= TIERED_BYTES_MIN else 0
        stored[next(name for days, name in CLASSES if age >= days)] += each.bytes
        if each.hot_until.date() > at:
            stored["DYNAMODB"] += each.rows * HOT_BYTES
    return TierMonth(at, stored, sum(each.rows for each in objects))


def render_page(tenant: str, objects: Sequence[ArchiveObject], *, today: date) -> str:
    """Return the page: what is stored now, two charts over time, and the figures behind them."""
    months, episodes = list_months(objects, today=today), sum(each.rows for each in objects)
    body = "".join((_summary(months[-1]), *_charts(months), _figures(months))) if months else EMPTY
    return f"""<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width">
<title>membus: tiers of {escape(tenant)}</title><style>{STYLE}</style></head>
<body><header><h1>Tiers of {escape(tenant)}</h1>
<p>{episodes:,} episodes in {len(objects):,} objects, as of {_time(today)}.</p></header>
<main>{body}</main>
<footer><p>Volumes follow from the catalog of objects and the ages at which the bucket moves them; DynamoDB's
are estimated ({format_bytes(HOT_BYTES)} an episode). Prices: storage in {escape(PRICES["region"])} as read on
{_time(date.fromisoformat(PRICES["read_on"]))}, {escape(PRICES["unit"])}; requests are not in them.</p>
</footer></body></html>
"""


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


def _summary(last: TierMonth) -> str:
    hot = last.stored["DYNAMODB"]
    figures = {
        "in S3": format_bytes(sum(last.stored.values()) - hot),
        "in DynamoDB, estimated": format_bytes(hot),
        "a month now": format_dollars(last.cost_dollars),
        "a month, had all stayed in DynamoDB": format_dollars(last.all_hot_dollars),
    }
    items = "".join(f"<div><dt>{name}</dt><dd>{value}</dd></div>" for name, value in figures.items())
    return f"<dl>{items}</dl>\n"


def _charts(months: Sequence[TierMonth]) -> Iterator[str]:
    """Yield the sections of both charts."""
    volume = {tier: [float(month.stored[tier]) for month in months] for tier in TIERS}
    cost = {tier: [month.tier_dollars(tier) for month in months] for tier in TIERS}
    items = "".join(
        f'<li style="--c:var(--tier-{place})">{name}</li>' for place, (_, name) in enumerate(TIERS.values())
    )
    for name, title, heights, write, unit in (
        ("volume", "Volume by tier", volume, format_bytes, ""),
        ("cost", "Cost of storage by tier", cost, format_dollars, " a month"),
    ):
        last = write(sum(values[-1] for values in heights.values()))
        text = f"From {_day(months[0].day)} to {_day(months[-1].day)}; at the end {last}{unit}."
        chart = _draw_bars([f"{month.day:%b %Y}" for month in months], heights, write)
        yield (
            f"<section><h2>{title}</h2><p>{text}</p><ul>{items}</ul>\n"
            f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" '
            f'aria-labelledby="{name}-title {name}-desc"><title id="{name}-title">{title}</title>'
            f'<desc id="{name}-desc">{text}</desc>{chart}</svg></section>\n'
        )


def _draw_bars(
    labels: Sequence[str], heights: Mapping[str, Sequence[float]], write: Callable[[float], str]
) -> str:
    """Return stacked bars with lines and labels; a part of a bar is titled with month, tier and amount."""
    top = max(map(sum, zip(*heights.values(), strict=True))) or 1
    step, every = (WIDTH - LEFT) / len(labels), math.ceil(len(labels) / LABELS_MAX)
    scale = (BOTTOM - 20) / top
    drawn = []
    for height in (top * line / (LINES - 1) for line in range(LINES)):
        y = BOTTOM - height * scale
        drawn.append(f'<line x1="{LEFT}" x2="{WIDTH}" y1="{y:.1f}" y2="{y:.1f}"/>')
        drawn.append(f'<text x="{LEFT - 8}" y="{y + 4:.1f}" text-anchor="end">{write(height)}</text>')
    for column, label in enumerate(labels):
        x, y = LEFT + step * column, float(BOTTOM)
        for place, (tier, values) in enumerate(heights.items()):
            size = values[column] * scale
            y -= size
            title = f"<title>{label}, {TIERS[tier][1]}: {write(values[column])}</title>"
            drawn.append(
                f'<rect x="{x + step * (1 - BAR_SHARE) / 2:.1f}" y="{y:.1f}" width="{step * BAR_SHARE:.1f}" '
                f'height="{size:.1f}" style="fill: var(--tier-{place})">{title}</rect>'
            )
        if (len(labels) - 1 - column) % every == 0:
            drawn.append(
                f'<text x="{x + step / 2:.1f}" y="{BOTTOM + 20}" text-anchor="middle">{label}</text>'
            )
    return "".join(drawn)


def _figures(months: Sequence[TierMonth]) -> str:
    names = [name for _, name in TIERS.values()]
    head = "".join(f'<th scope="col">{name}</th>' for name in ("day", "episodes", *names, "a month"))
    rows = "".join(
        f'<tr><th scope="row">{_time(month.day)}</th><td>{month.episodes:,}</td>'
        + "".join(f"<td>{format_bytes(month.stored[tier])}</td>" for tier in TIERS)
        + f"<td>{format_dollars(month.cost_dollars)}</td></tr>"
        for month in reversed(months)
    )
    prices = ", ".join(f"{name} {format_dollars(DOLLARS[tier])}" for tier, (_, name) in TIERS.items())
    return (
        "<section><h2>Figures</h2><table><caption>At the end of each day. A gigabyte and month: "
        f"{prices}.</caption><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></section>"
    )


def _time(day: date) -> str:
    return f'<time datetime="{day}">{_day(day)}</time>'


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
