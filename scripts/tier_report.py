"""The page of `tier report`: what a tenant keeps in which tier, month by month, and what a month of it costs."""

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape
from io import StringIO
from pathlib import Path

from membus.domain.cold import ColdObject

PRICES = json.loads((Path(__file__).parent / "cost" / "aws_prices.json").read_text(encoding="utf-8"))
NAMES = {
    "DYNAMODB": "dynamodb_storage",
    "STANDARD": "s3_standard",
    "INTELLIGENT_TIERING": "s3_intelligent_tiering",
    "GLACIER_IR": "s3_glacier_ir",
}
DOLLARS: Mapping[str, float] = {name: float(PRICES["prices"][key]["dollars"]) for name, key in NAMES.items()}
"""A gigabyte and month in each class; INTELLIGENT_TIERING at its price for what nobody has read for a month."""
CLASSES = ((365, "GLACIER_IR"), (30, "INTELLIGENT_TIERING"), (0, "STANDARD"))
"""Storage classes by the age in days at which the archive module's lifecycle moves an object there."""
TIERED_BYTES_MIN = 128 * 1024
"""Objects below stay in STANDARD: colder classes do not take them."""
GB = 10**9


@dataclass(frozen=True)
class Month:
    """The end of a month: gigabytes by storage class."""

    day: date
    stored: Counter[str]

    @property
    def dollars(self) -> float:
        return sum(DOLLARS[name] * size / GB for name, size in self.stored.items())


def months(objects: Sequence[ColdObject], *, today: date) -> list[Month]:
    """Return what lay where at the end of every month since the first object's day, and today."""
    if not objects:
        return []
    ends = [*_ends(min(each.day for each in objects), today), today]
    return [Month(end, _stored((each for each in objects if each.day <= end), end)) for end in ends]


def page_of(tenant: str, objects: Sequence[ColdObject], *, today: date) -> str:
    """Return a page that stands alone: two drawings and the figures behind them."""
    found = months(objects, today=today)
    names = [name for _, name in reversed(CLASSES)]
    megabytes = {name: [month.stored[name] / 10**6 for month in found] for name in names}
    dollars = {name: [DOLLARS[name] * month.stored[name] / GB for month in found] for name in names}
    rows = "".join(_row(month, names) for month in found)
    head = "".join(f"<th>{name}, MB</th>" for name in names)
    episodes = sum(each.rows for each in objects)
    return (
        f'<!doctype html><html lang="en"><meta charset="utf-8"><title>membus: tiers of {escape(tenant)}</title>'
        "<style>body{font:16px/1.5 system-ui;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "td,th{padding:.2rem .8rem;text-align:right}</style>"
        f"<h1>Cold tier of {escape(tenant)}</h1><p>{episodes:,} episodes in {len(objects):,} objects, {today}. Prices: "
        f"{PRICES['region']}, {PRICES['read_on']}. {escape(PRICES['unit'])}.</p>"
        f"{_drawn('Megabytes by storage class', found, megabytes)}{_drawn('Dollars a month', found, dollars)}"
        f"<table><tr><th>month</th>{head}<th>dollars</th></tr>{rows}</table></html>\n"
    )


def _ends(first: date, today: date) -> Iterator[date]:
    """Yield the last day of each month from `first` on that is over."""
    year, month = first.year, first.month
    while (next_month := date(year + month // 12, month % 12 + 1, 1)) <= today:
        yield next_month - timedelta(days=1)
        year, month = next_month.year, next_month.month


def _stored(objects: Iterable[ColdObject], at: date) -> Counter[str]:
    stored: Counter[str] = Counter()
    for each in objects:
        age = (at - each.day).days
        stored[_class_of(age) if each.bytes >= TIERED_BYTES_MIN else "STANDARD"] += each.bytes
    return stored


def _class_of(age_days: int) -> str:
    return next(name for days, name in CLASSES if age_days >= days)


def _drawn(title: str, found: Sequence[Month], heights: Mapping[str, Sequence[float]]) -> str:
    """Return stacked bars, one for each month, as SVG."""
    from matplotlib.backends.backend_svg import FigureCanvasSVG  # noqa: PLC0415 - takes longer than other commands run
    from matplotlib.figure import Figure  # noqa: PLC0415 - as above

    figure = Figure(figsize=(9, 3.2), layout="constrained")
    FigureCanvasSVG(figure)
    axes = figure.add_subplot(title=title)
    labels, floor = [f"{month.day:%Y-%m}" for month in found], [0.0] * len(found)
    for name, sizes in heights.items():
        axes.bar(labels, sizes, bottom=floor, label=name)
        floor = [low + size for low, size in zip(floor, sizes, strict=True)]
    axes.legend(loc="upper left")
    axes.tick_params(axis="x", rotation=45)
    drawing = StringIO()
    figure.savefig(drawing, format="svg", metadata={"Date": None})
    return drawing.getvalue().partition("<svg")[1] + drawing.getvalue().partition("<svg")[2]


def _row(month: Month, names: Sequence[str]) -> str:
    sizes = "".join(f"<td>{month.stored[name] / 10**6:,.3f}</td>" for name in names)
    return f"<tr><td>{month.day:%Y-%m}</td>{sizes}<td>{month.dollars:,.6f}</td></tr>"
