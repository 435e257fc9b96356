"""The import time of each handler from its built zip, by package."""

import re
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from zipfile import ZipFile

from scripts.build.packages import HOST
from scripts.build.project import ROOT, build, function_names
from tests.benchmarks.table import Table

RUNS = 3
TOP = 5
DIST = ROOT / "dist"
LINE = re.compile(r"^import time:\s+(\d+) \|\s+\d+ \|\s+(\S+)$", re.MULTILINE)
BEGIN = "handler from here"


def measure() -> Table:
    """Milliseconds by Python's own count (`-X importtime`), files warm in memory, bytecode as in the zips."""
    build(HOST, dist=DIST)
    with tempfile.TemporaryDirectory() as folder:
        for archive in ("layers/membus", *(f"functions/{name}" for name in function_names(ROOT))):
            with ZipFile(DIST / HOST.name / f"{archive}.zip") as built:
                built.extractall(folder)
        rows = [_row(name, Path(folder)) for name in function_names(ROOT)]
    columns = ("function", "ms", "modules", f"the {TOP} packages that take longest (ms of their own)")
    return Table(f"Import time per function, median of {RUNS}", columns, rows)


def _row(name: str, folder: Path) -> tuple[str, ...]:
    runs = sorted((_import(name, folder) for _ in range(RUNS)), key=lambda run: sum(run.values()))
    median = runs[RUNS // 2]
    packages: Counter[str] = Counter()
    for module, microseconds in median.items():
        top = module.split(".")[0]
        packages["standard library" if top in sys.stdlib_module_names else top] += microseconds
    longest = ", ".join(f"{package} {taken / 1000:.0f}" for package, taken in packages.most_common(TOP))
    return name, f"{sum(median.values()) / 1000:.0f}", str(len(median)), longest


def _import(name: str, folder: Path) -> dict[str, int]:
    """Return microseconds by module without its imports, from a process that sees only the zips."""
    path = [str(folder), str(folder / "python")]
    code = (
        f"import sys; sys.path += {path}; print({BEGIN!r}, file=sys.stderr); import functions.{name}.handler"
    )
    command = [sys.executable, "-I", "-S", "-B", "-X", "importtime", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, env={})
    return {found[2]: int(found[1]) for found in LINE.finditer(done.stderr.split(BEGIN)[1])}
