"""The build of one source tree for one target: the zips of its functions, its two layers and their SBOMs."""

import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from scripts.build import artifacts
from scripts.build.artifacts import source_tree, write_zip
from scripts.build.packages import BuildTarget, chosen_wheels, install, listed_services, trim

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "python"  # where Lambda looks for Python inside a layer
SERVICES = "requirements/botocore-services.txt"


@dataclass(frozen=True)
class LayerBuild:
    name: str
    requirements: str

    def requirements_file(self, root: Path) -> Path:
        return root / "requirements" / self.requirements

    def read_sources(self, root: Path) -> dict[str, bytes]:
        """Return the layer's own code, empty for a layer of packages alone."""
        return source_tree(root / "layers" / self.name / PREFIX, prefix=PREFIX)


LAYERS = (LayerBuild("membus", "layer.txt"), LayerBuild("duckdb", "duckdb.txt"))


def build(target: BuildTarget, *, dist: Path, root: Path = ROOT) -> list[Path]:
    """Bring `dist/<target>` up to date and return the files that were made.

    Raises:
        BuildError: a zip could not be made.
    """
    out = dist / target.name
    recipe = artifacts.fingerprint(source_tree(Path(__file__).parent, prefix="build"))
    with artifacts.only_build(out):
        made = list(build_functions(root, out=out, recipe=recipe))
        for layer in LAYERS:
            made += build_layer(layer, target=target, root=root, out=out, recipe=recipe)
    return made


def function_names(root: Path) -> list[str]:
    return sorted(handler.parent.name for handler in (root / "functions").glob("*/handler.py"))


def build_functions(root: Path, *, out: Path, recipe: str) -> Iterator[Path]:
    """Bring each function's zip up to date, delete those of removed functions, and yield the new ones.

    A zip has the function's own folder, under the path that it has in the repository.
    """
    names = function_names(root)
    for name in names:
        files = source_tree(root / "functions" / name, prefix=f"functions/{name}")
        zipped, inputs = out / "functions" / f"{name}.zip", artifacts.fingerprint(recipe, files)
        if artifacts.remake(zipped, inputs=inputs, write=partial(write_zip, files=files)):
            yield zipped
    for zipped in (out / "functions").glob("*.zip"):
        if zipped.stem not in names:
            zipped.unlink()


def build_layer(
    layer: LayerBuild, *, target: BuildTarget, root: Path, out: Path, recipe: str
) -> Iterator[Path]:
    """Bring the layer's zip and SBOM up to date and yield those that were made.

    Packages change seldom and take seconds, our own code changes often: the compressed packages are kept
    apart and our code is added to a copy of them. `recipe` stands for the code of the build.
    """
    locked, services = layer.requirements_file(root).read_bytes(), (root / SERVICES).read_bytes()
    key = artifacts.fingerprint(recipe, target.label, locked, services)
    parts = _make_parts(layer, key, target=target, root=root, out=out)
    zipped, bill = (out / "layers" / f"{layer.name}.{suffix}" for suffix in ("zip", "cdx.json"))
    sources = layer.read_sources(root)
    write = partial(write_zip, files=sources, base=parts / "packages.zip")
    if artifacts.remake(zipped, inputs=artifacts.fingerprint(key, sources), write=write):
        yield zipped
    if artifacts.remake(bill, inputs=key, write=partial(shutil.copyfile, parts / "bill.json")):
        yield bill


def _make_parts(layer: LayerBuild, key: str, *, target: BuildTarget, root: Path, out: Path) -> Path:
    """Return the folder of the compressed packages and their SBOM; its name stands for their inputs."""
    kept = out / ".packages"
    kept.mkdir(parents=True, exist_ok=True)
    parts = kept / f"{layer.name}-{key[:16]}"
    if parts.is_dir():
        return parts
    for stale in kept.glob(f"{layer.name}-*"):
        shutil.rmtree(stale)
    from scripts.build.sbom import bill_of_materials  # noqa: PLC0415 - 0.1 s that a warm build does not pay

    requirements = layer.requirements_file(root)
    with tempfile.TemporaryDirectory(dir=kept, prefix=f"{layer.name}-") as folder:
        made, installed = Path(folder, "made"), Path(folder, "installed")
        made.mkdir()
        install(requirements, target, installed)
        files = trim(installed, services=listed_services(root / SERVICES), prefix=PREFIX)
        write_zip(made / "packages.zip", files)
        bill = bill_of_materials(layer.name, chosen_wheels(requirements, target), installed)
        (made / "bill.json").write_text(bill)
        made.rename(parts)
    return parts
