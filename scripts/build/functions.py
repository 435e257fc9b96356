"""A function's zip: its own folder under the path it has in the repository, and nothing else."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

from scripts.build import artifacts
from scripts.build.archive import source_tree, write_zip


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
