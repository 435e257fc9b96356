"""What of an installed package a function needs.

Not tests, stubs, commands, or data of services it never calls.
"""

from collections.abc import Callable
from collections.abc import Set as AbstractSet
from pathlib import Path, PurePosixPath

# What pip and uv note down of an installation; it differs between machines and nothing reads it in a layer.
INSTALL_NOTES = frozenset({"INSTALLER", "RECORD", "REQUESTED", "direct_url.json", "uv_cache.json"})
FOLDERS = frozenset({"bin", "examples", "test", "tests"})
SUFFIXES = frozenset({".pyi", ".pyx", ".pxd", ".rst"})


def listed_services(listing: Path) -> frozenset[str]:
    """The services of the one list, by their botocore names."""
    lines = (line.split("#")[0].strip() for line in listing.read_text().splitlines())
    return frozenset(line for line in lines if line)


def trim(folder: Path, *, services: AbstractSet[str], prefix: str) -> dict[str, bytes]:
    """The files worth shipping, by their name in a zip."""
    names = {path: PurePosixPath(path.relative_to(folder).as_posix()) for path in folder.rglob("*")}
    rules: list[Callable[[PurePosixPath], bool]] = [_is_runtime, lambda name: _is_called(name, services)]
    return {
        f"{prefix}/{name}": path.read_bytes()
        for path, name in names.items()
        if path.is_file() and all(rule(name) for rule in rules)
    }


def _is_runtime(name: PurePosixPath) -> bool:
    if name.parent.suffix == ".dist-info":
        return name.name not in INSTALL_NOTES
    package = name.parts[0]
    return not (
        package.startswith(".")
        or package.endswith("-stubs")
        or FOLDERS & set(name.parts[:-1])
        or name.suffix in SUFFIXES
    )


def _is_called(name: PurePosixPath, services: AbstractSet[str]) -> bool:
    match name.parts:
        case ("botocore" | "boto3", "data", service, _, *rest):
            return service in services and not (rest and rest[0].startswith("examples-"))
        case _:
            return True
