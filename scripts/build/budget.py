"""What each zip weighs against what it may weigh, so that growth is a decision and not an accident."""

from dataclasses import dataclass
from pathlib import Path
from zipfile import ZipFile

from scripts.build import BuildError

MB = 2**20  # as Lambda counts

# Unzipped. Lambda refuses a function that weighs more than 250 MB with its layers; a layer's budget is
# about a tenth above its weight of today (42 and 64 MB), so that one more package is noticed. On a
# developer's machine bytecode and that platform's own libraries come on top.
WHOLE = 250.0
FUNCTION_BUDGET = 0.5  # our own source alone: more means that somebody packed a dependency
LAYER_BUDGETS = {"lambda": {"membus": 44.0, "duckdb": 70.0}, "host": {"membus": 75.0, "duckdb": 90.0}}
ZIPPED = 50.0  # Lambda takes a larger upload only by way of S3


@dataclass(frozen=True)
class ZipSize:
    name: str
    zipped: float
    unzipped: float
    budget: float

    def __str__(self) -> str:
        return f"{self.name:<28} {self.zipped:>8.3f} {self.unzipped:>9.3f} {self.budget:>7.1f}"

    def excess(self) -> str | None:
        if self.unzipped > self.budget:
            return f"{self.name} weighs {self.unzipped:.2f} MB unzipped, its budget is {self.budget:.1f} MB"
        if self.zipped > ZIPPED:
            return f"{self.name} weighs {self.zipped:.2f} MB zipped, Lambda's direct upload ends at {ZIPPED:.0f} MB"
        return None


def measure_sizes(out: Path) -> list[ZipSize]:
    """Each zip of a target, then the most that one function can weigh with every layer."""
    functions = [_measure(path, FUNCTION_BUDGET) for path in sorted((out / "functions").glob("*.zip"))]
    layers = [
        _measure(out / "layers" / f"{name}.zip", budget) for name, budget in LAYER_BUDGETS[out.name].items()
    ]
    heaviest = max((function.unzipped for function in functions), default=0.0)
    whole = heaviest + sum(layer.unzipped for layer in layers)
    zipped = max((function.zipped for function in functions), default=0.0) + sum(
        layer.zipped for layer in layers
    )
    return [*functions, *layers, ZipSize("all layers + one function", zipped, whole, WHOLE)]


def check_budgets(weights: list[ZipSize]) -> None:
    """Raise BuildError naming everything over its budget."""
    if excesses := [excess for weight in weights if (excess := weight.excess())]:
        raise BuildError(
            "\n".join([*excesses, "drop what is not needed, or raise the budget in the same change"])
        )


def _measure(path: Path, budget: float) -> ZipSize:
    with ZipFile(path) as archive:
        unzipped = sum(entry.file_size for entry in archive.infolist())
    return ZipSize(f"{path.parent.name}/{path.name}", path.stat().st_size / MB, unzipped / MB, budget)
