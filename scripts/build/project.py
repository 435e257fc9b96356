"""The whole build of one source tree for one target; what others call.

The two layers: what each is made of, and how large it may grow.

A function's zip: its own folder under the path it has in the repository, and nothing else.
"""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.build import artifacts
from scripts.build.artifacts import source_tree, write_zip
from scripts.build.packages import BuildTarget, chosen_wheels, install, listed_services, trim

PREFIX = "python"  # where Lambda looks for Python inside a layer
SERVICES = "requirements/botocore-services.txt"


@dataclass(frozen=True)
class LayerBuild:
    name: str
    requirements: str

    def requirements_file(self, root: Path) -> Path:
        return root / "requirements" / self.requirements

    def read_sources(self, root: Path) -> dict[str, bytes]:
        """The layer's own code; a layer without any carries packages alone."""
        return source_tree(root / "layers" / self.name / PREFIX, prefix=PREFIX)


LAYERS = (LayerBuild("membus", "layer.txt"), LayerBuild("duckdb", "duckdb.txt"))


def build_layer(
    layer: LayerBuild, *, target: BuildTarget, root: Path, out: Path, recipe: str
) -> Iterator[Path]:
    """Bring the layer's zip and SBOM up to date; yields those that were made anew.

    Packages change seldom and take seconds, our own code changes often: the compressed packages are
    kept apart and our code is added to a copy of them. `recipe` stands for the code of the build.
    """
    key = artifacts.fingerprint(
        recipe, target.label, layer.requirements_file(root).read_bytes(), (root / SERVICES).read_bytes()
    )
    parts = _parts(layer, key, target=target, root=root, out=out)
    zipped, bill = out / "layers" / f"{layer.name}.zip", out / "layers" / f"{layer.name}.cdx.json"
    sources = layer.read_sources(root)
    inputs = artifacts.fingerprint(key, sources)
    if artifacts.remake(
        zipped, inputs=inputs, write=partial(write_zip, files=sources, base=parts / "packages.zip")
    ):
        yield zipped
    if artifacts.remake(bill, inputs=key, write=partial(shutil.copyfile, parts / "bill.json")):
        yield bill


def _parts(layer: LayerBuild, key: str, *, target: BuildTarget, root: Path, out: Path) -> Path:
    """The folder with the compressed packages and their SBOM; its name tells what they were made of."""
    kept = out / ".packages"
    kept.mkdir(parents=True, exist_ok=True)
    parts = kept / f"{layer.name}-{key[:16]}"
    if parts.is_dir():
        return parts
    for stale in kept.glob(f"{layer.name}-*"):
        shutil.rmtree(stale)
    with tempfile.TemporaryDirectory(dir=kept, prefix=f"{layer.name}-") as folder:
        made, installed = Path(folder, "made"), Path(folder, "installed")
        made.mkdir()
        _make_parts(layer, target=target, root=root, installed=installed, made=made)
        made.rename(parts)
    return parts


def _make_parts(layer: LayerBuild, *, target: BuildTarget, root: Path, installed: Path, made: Path) -> None:
    requirements = layer.requirements_file(root)
    install(requirements, target, installed)
    files = trim(installed, services=listed_services(root / SERVICES), prefix=PREFIX)
    write_zip(made / "packages.zip", files)
    from scripts.build.packages import bill_of_materials  # noqa: PLC0415 - 0.1 s that a warm build does not pay

    (made / "bill.json").write_text(
        bill_of_materials(layer.name, chosen_wheels(requirements, target), installed)
    )


def function_names(root: Path) -> list[str]:
    return sorted(handler.parent.name for handler in (root / "functions").glob("*/handler.py"))


def build_functions(root: Path, *, out: Path, recipe: str) -> Iterator[Path]:
    """Bring each function's zip up to date and drop those of functions that are gone; yields the new ones."""
    names = function_names(root)
    for name in names:
        files = source_tree(root / "functions" / name, prefix=f"functions/{name}")
        inputs = artifacts.fingerprint(recipe, files)
        zipped = out / "functions" / f"{name}.zip"
        if artifacts.remake(zipped, inputs=inputs, write=partial(write_zip, files=files)):
            yield zipped
    for zipped in (out / "functions").glob("*.zip"):
        if zipped.stem not in names:
            zipped.unlink()


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
