"""The whole build of one source tree for one target; what others call."""

from pathlib import Path

from scripts.build import artifacts
from scripts.build.archive import source_tree
from scripts.build.functions import build_functions
from scripts.build.layers import LAYERS, build_layer
from scripts.build.targets import BuildTarget

ROOT = Path(__file__).resolve().parents[2]


def build(target: BuildTarget, *, dist: Path, root: Path = ROOT) -> list[Path]:
    """Bring `dist/<target>` up to date and return what was made anew; BuildError says what stopped it."""
    out = dist / target.name
    recipe = artifacts.fingerprint(source_tree(Path(__file__).parent, prefix="build"))
    with artifacts.only_build(out):
        made = list(build_functions(root, out=out, recipe=recipe))
        for layer in LAYERS:
            made += build_layer(layer, target=target, root=root, out=out, recipe=recipe)
    return made
