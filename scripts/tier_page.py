"""The page of `tier report`: one file that stands alone, readable by day and by night, by eye and by ear."""

from collections.abc import Sequence
from datetime import date
from html import escape

from membus.domain.cold import ArchiveObject
from scripts.tier_drawing import BarChart
from scripts.tier_report import DOLLARS, HOT_BYTES, PRICES, TIERS, TierMonth, list_months

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
        "a month now": format_dollars(last.dollars),
        "a month, had all stayed in DynamoDB": format_dollars(last.all_hot),
    }
    return f"<dl>{''.join(f'<div><dt>{name}</dt><dd>{value}</dd></div>' for name, value in shown.items())}</dl>\n"


def _drawings(found: Sequence[TierMonth]) -> tuple[str, str]:
    total = format_bytes(sum(found[-1].stored.values()))
    volume = {TIER_NAMES[tier]: [float(month.stored[tier]) for month in found] for tier in TIERS}
    cost = {TIER_NAMES[tier]: [month.costs(tier) for month in found] for tier in TIERS}
    labels = [f"{month.day:%b %Y}" for month in found]
    span = f"From {_day(found[0].day)} to {_day(found[-1].day)}; at the end"
    return (
        _section(BarChart("volume", "Volume by tier", f"{span} {total}.", labels, volume, format_bytes)),
        _section(
            BarChart(
                "cost",
                "Cost of storage by tier",
                f"{span} {format_dollars(found[-1].dollars)} a month.",
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
    return f"<section>{head}\n{drawing.svg()}</section>\n"


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
    return f"<tr>{day}<td>{month.episodes:,}</td>{sizes}<td>{format_dollars(month.dollars)}</td></tr>"


def _empty_section() -> str:
    return "<section><h2>Nothing is in the archive yet</h2><p><code>tier run</code> archives what waits.</p></section>"


def _day(day: date) -> str:
    return f"{day.day} {day:%B %Y}"
