"""`python -m scripts.build`: every zip and SBOM of a target, with its size and its budget."""

import argparse
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from scripts.build import BuildError
from scripts.build.artifacts import check_budgets, measure_sizes
from scripts.build.packages import TARGETS
from scripts.build.project import ROOT, build


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m scripts.build", description=__doc__)
    parser.add_argument("--target", choices=TARGETS, default="lambda", help="the machine it is for (lambda)")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist", help="folder of the results (dist)")
    options = parser.parse_args(arguments)
    try:
        _report(target=options.target, dist=options.dist.resolve())
    except BuildError as error:
        sys.exit(f"build: {error}")
    except KeyboardInterrupt:
        sys.exit("build: interrupted; every zip in place is complete")


def _report(*, target: str, dist: Path) -> None:
    begun = time.monotonic()
    made = build(TARGETS[target], dist=dist)
    sizes = measure_sizes(dist / target)
    print(f"built for {TARGETS[target].label}")
    print(f"{'MB':<28} {'zipped':>8} {'unzipped':>9} {'budget':>7}")
    print(*sizes, sep="\n")
    print(f"{len(made)} made in {time.monotonic() - begun:.1f} s, in {dist / target}")
    check_budgets(sizes)


if __name__ == "__main__":
    main()
