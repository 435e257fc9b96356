"""The zips for AWS.

Everything compiled in them is for arm64 and Python 3.13, and nothing is there in vain.
"""

import re
from collections.abc import Iterator
from zipfile import ZipFile

import pytest

from scripts.build.packages import LAMBDA, listed_services
from scripts.build.project import LAYERS, ROOT, LayerBuild, build

DIST = ROOT / "dist" / LAMBDA.name
ELF = b"\x7fELF"
AARCH64 = 183  # e_machine of the ELF header
OTHER_BINARIES = (b"MZ", b"\xcf\xfa\xed\xfe", b"\xca\xfe\xba\xbe")  # Windows, macOS

every_layer = pytest.mark.parametrize("layer", LAYERS, ids=lambda layer: layer.name)


@pytest.fixture(autouse=True, scope="module")
def _built() -> None:
    build(LAMBDA, dist=DIST.parent)


@every_layer
def test_every_binary_is_for_arm64(layer: LayerBuild) -> None:
    binaries = {name: head for name, head in _heads(layer) if head.startswith(ELF)}

    assert binaries
    for name, head in binaries.items():
        assert int.from_bytes(head[18:20], "little") == AARCH64, name
    assert [name for name, head in _heads(layer) if head.startswith(OTHER_BINARIES)] == []


@every_layer
def test_every_extension_module_is_for_python_313(layer: LayerBuild) -> None:
    extensions = [name for name, _ in _heads(layer) if name.endswith(".so")]

    assert extensions
    for name in extensions:
        assert re.search(r"\.(cpython-313-aarch64-linux-gnu|abi3)\.so$", name), name


@every_layer
def test_the_wheels_ask_for_no_newer_glibc_than_the_runtime_has(layer: LayerBuild) -> None:
    runtime = (2, 34)  # Amazon Linux 2023
    with ZipFile(DIST / "layers" / f"{layer.name}.zip") as archive:
        tags = [
            archive.read(name).decode() for name in archive.namelist() if name.endswith(".dist-info/WHEEL")
        ]

    for text in tags:
        asked = [(int(major), int(minor)) for major, minor in re.findall(r"manylinux_(\d+)_(\d+)", text)]
        assert not asked or min(asked) <= runtime, text


@every_layer
def test_nothing_is_shipped_that_a_function_never_reads(layer: LayerBuild) -> None:
    names = [name for name, _ in _heads(layer)]
    useless = re.compile(r"/(bin|tests?|__pycache__)/|\.pyc$|\.pyi$|\.dist-info/(RECORD|INSTALLER)$")

    assert [name for name in names if useless.search(name)] == []
    assert [name for name in names if not name.startswith("python/")] == []


def test_botocore_carries_data_of_the_listed_services_alone() -> None:
    with ZipFile(DIST / "layers" / "membus.zip") as archive:
        found = {
            name.split("/")[3]
            for name in archive.namelist()
            if re.match("python/botocore/data/[^/]+/.", name)
        }

    assert found == listed_services(ROOT / "requirements" / "botocore-services.txt")


def test_licence_texts_travel_with_the_packages() -> None:
    with ZipFile(DIST / "layers" / "membus.zip") as archive:
        names = archive.namelist()

    assert any(re.match(r"python/psycopg-.*\.dist-info/licenses/", name) for name in names)


def _heads(layer: LayerBuild) -> Iterator[tuple[str, bytes]]:
    with ZipFile(DIST / "layers" / f"{layer.name}.zip") as archive:
        for entry in archive.infolist():
            if not entry.is_dir():
                with archive.open(entry) as file:
                    yield entry.filename, file.read(20)
