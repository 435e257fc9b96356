"""Stacked bars as SVG that takes its colours from the page around it, says what it shows, and names each bar."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from io import StringIO
from typing import Any

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

    def svg(self) -> str:
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
